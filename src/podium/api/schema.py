"""The published OpenAPI definitions of the served types, without their prose; read on first use.

A definition's name is OpenAPI's: ``io.k8s.api.core.v1.Pod``. Definitions are plain JSON values and
must not be changed by those who ask for them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from podium.api.types.modules import PREFIXES

Definition = dict[str, Any]

_MODULES = {prefix: module for module, prefix in PREFIXES.items()}
_EMPTY: Definition = {}


@cache
def _load(module: str) -> dict[str, Definition]:
    text = files("podium.api.types").joinpath(f"{module}.json").read_bytes()
    loaded: dict[str, Definition] = msgspec.json.decode(text)
    return loaded


def definition(name: str) -> Definition:
    """Return the definition *name*; raises KeyError when there is none."""
    prefix, _, _ = name.rpartition(".")
    module = _MODULES.get(f"{prefix}.")
    if module is None:
        raise KeyError(name)
    return _load(module)[name]


def definition_of(cls: type[Any]) -> str:
    """Return the name of the definition that the struct *cls* was generated from."""
    return PREFIXES[cls.__module__.rpartition(".")[2]] + cls.__name__


def all_definitions() -> dict[str, Definition]:
    """Return every definition by name."""
    return {name: found for module in PREFIXES for name, found in _load(module).items()}


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
