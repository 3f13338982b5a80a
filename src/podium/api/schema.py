"""The published OpenAPI definitions of the served types, without their prose; read on first use.

A definition's name is OpenAPI's: ``io.k8s.api.core.v1.Pod``. Definitions are plain JSON values and
must not be changed by those who ask for them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

Definition = dict[str, Any]

#: Beginnings of definition names, and the file under ``podium.api.types`` that holds them.
_FILES = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.": "meta_v1",
    "io.k8s.api.core.v1.": "core_v1",
    "io.k8s.api.coordination.v1.": "coordination_v1",
    "io.k8s.api.authentication.v1.": "authentication_v1",
    "io.k8s.api.authorization.v1.": "authorization_v1",
    "io.k8s.api.rbac.v1.": "rbac_v1",
    "io.k8s.api.apps.v1.": "apps_v1",
    "io.k8s.api.autoscaling.v1.": "autoscaling_v1",
    "io.k8s.api.autoscaling.v2.": "autoscaling_v2",
    "io.k8s.api.batch.v1.": "batch_v1",
    "io.k8s.api.discovery.v1.": "discovery_v1",
    "io.k8s.api.events.v1.": "events_v1",
    "io.k8s.api.networking.v1.": "networking_v1",
    "io.k8s.api.node.v1.": "node_v1",
    "io.k8s.api.policy.v1.": "policy_v1",
    "io.k8s.api.scheduling.v1.": "scheduling_v1",
    "io.k8s.api.scheduling.v1alpha3.": "scheduling_v1alpha3",
    "io.k8s.api.storage.v1.": "storage_v1",
}
_PREFIXES = {module: prefix for prefix, module in _FILES.items()}
_EMPTY: Definition = {}


@cache
def _load(module: str) -> dict[str, Definition]:
    text = files("podium.api.types").joinpath(f"{module}.json").read_bytes()
    loaded: dict[str, Definition] = msgspec.json.decode(text)
    return loaded


def definition(name: str) -> Definition:
    """Return the definition *name*; raises KeyError when there is none."""
    prefix, _, _ = name.rpartition(".")
    module = _FILES.get(f"{prefix}.")
    if module is None:
        raise KeyError(name)
    return _load(module)[name]


def definition_of(cls: type[Any]) -> str:
    """Return the name of the definition that the struct *cls* was generated from."""
    return _PREFIXES[cls.__module__.rpartition(".")[2]] + cls.__name__


def all_definitions() -> dict[str, Definition]:
    """Return every definition by name."""
    return {name: found for module in _PREFIXES for name, found in _load(module).items()}


def field(parent: Definition, name: str) -> Definition:
    """Return the schema of the member *name*, markers included; empty where nothing is known."""
    properties = parent.get("properties")
    if properties is not None:
        found: Definition = properties.get(name, _EMPTY)
        return found
    additional = parent.get("additionalProperties")
    return additional if isinstance(additional, dict) else _EMPTY


def resolve(schema: Definition) -> Definition:
    """Follow a ``$ref``; schemas of types that are no definitions of ours have no members."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    try:
        return definition(reference.rpartition("/")[2])
    except KeyError:
        return _EMPTY


def items(schema: Definition) -> Definition:
    """Return the schema of a list's items."""
    return resolve(schema.get("items", _EMPTY))
