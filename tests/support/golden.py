"""Plays recorded API cases against the pure rules alone: strategies and admission on a dict.

The cases under ``tests/golden/api`` were recorded from a Kubernetes API server (their texts are
those of Kubernetes, Apache License 2.0). Here no HTTP, store or registry takes part: what is
compared is what defaults, admission, validation and Tables make of the recorded bodies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from podium.api import codec, errors, scheme
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.core_v1 import Namespace, NamespaceStatus, ServiceAccount
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.api.user import UserInfo
from podium.registry.admission import default_plugins
from podium.registry.admission.base import Attributes
from podium.registry.strategies import strategy_for
from podium.registry.strategies.base import Pool
from podium.registry.strategies.table import describe

CASES = Path(__file__).parent.parent / "golden" / "api"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVICE_CIDR = "10.96.0.0/16"

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[12])(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[a-z]+))?"
)
_NAMESPACE_PATH = re.compile(r"/api/v1/namespaces/(?P<name>[^/]+)(?:/(?P<sub>status|finalize))?")


def load(path: str) -> dict[str, Any]:
    text = (CASES / f"{path}.json").read_text()
    return json.loads(_REPEAT.sub(lambda m: m[1] * int(m[2]), text))


_REPEAT = re.compile(r"\$\{repeat:(.):(\d+)\}")


@dataclass(slots=True)
class Target:
    resource: Resource
    namespace: str
    name: str
    subresource: str


def target_of(path: str) -> Target:
    lone = _NAMESPACE_PATH.fullmatch(path)
    if lone:
        return Target(scheme.NAMESPACES, "", lone["name"], lone["sub"] or "")
    match = _PATH.fullmatch(path)
    assert match, path
    resource = scheme.find(match["group"] or "", match["version"], match["plural"])
    assert resource, path
    return Target(
        resource, match["namespace"] or "", match["name"] or "", match["subresource"] or ""
    )


@dataclass
class World:
    """Objects by (plural, namespace, name), and the verbs on them as the registry has them."""

    objects: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    generated: int = 0

    def add_namespace(self, name: str) -> None:
        namespace = Namespace(
            metadata=ObjectMeta(name=name), status=NamespaceStatus(phase="Active")
        )
        self.objects["namespaces", "", name] = namespace
        account = ServiceAccount(metadata=ObjectMeta(name="default", namespace=name))
        self.objects["serviceaccounts", name, "default"] = account

    def known(self, resource: Resource, namespace: str) -> Iterator[Any]:
        return (
            obj
            for (plural, where, _), obj in self.objects.items()
            if plural == resource.plural and namespace in ("", where)
        )

    async def write_status(self, resource: Resource, obj: Any) -> Any:
        raise AssertionError("nothing here has a status to write")

    async def read(self, resource: Resource, namespace: str, name: str) -> Any | None:
        return self.objects.get((resource.plural, namespace, name))

    def get(self, target: Target) -> Any:
        found = self.objects.get((target.resource.plural, target.namespace, target.name))
        if found is None:
            raise errors.not_found(target.resource, target.name)
        return found

    async def admit(self, target: Target, operation: Any, obj: Any, old: Any = None) -> None:
        attributes = Attributes(
            resource=target.resource,
            operation=operation,
            namespace=target.namespace,
            name=target.name or (obj.metadata.name if obj is not None else ""),
            user=UserInfo("admin"),
            reader=self,
            obj=obj,
            old=old,
            subresource=target.subresource,
            random_suffix="abcde",
        )
        for plugin in default_plugins():
            await plugin.admit(attributes)
        for plugin in default_plugins():
            await plugin.validate(attributes)

    async def create(self, target: Target, body: bytes) -> Any:
        strategy = strategy_for(target.resource)
        obj, _ = codec.decode(target.resource, body)
        meta = obj.metadata
        meta.namespace = target.namespace if target.resource.namespaced else ""
        if not meta.name and meta.generate_name:
            meta.name = f"{meta.generate_name}abcde"
        strategy.default(obj)
        await self.admit(target, "CREATE", obj)
        meta.uid, meta.creation_timestamp = "u", NOW
        meta.deletion_timestamp = meta.deletion_grace_period_seconds = None
        meta.self_link = ""
        strategy.prepare_for_create(obj, NOW)
        self._check(target, meta.name, strategy.validate(obj), obj)
        strategy.canonicalize(obj)
        key = (target.resource.plural, target.namespace, meta.name)
        if key in self.objects:
            failure = errors.already_exists(target.resource, meta.name)
            if self.objects[key].metadata.deletion_timestamp is not None:
                failure.status.message = f"object is being deleted: {failure.status.message}"
            raise failure
        self.objects[key] = obj
        return obj

    def _check(self, target: Target, name: str, found: list[Any], obj: Any) -> None:
        strategy = strategy_for(target.resource)
        if not found and strategy.allocates:
            others = [o for key, o in self.objects.items()
                      if key[0] == target.resource.plural and o.metadata.name != name]  # fmt: skip
            found = strategy.allocate(obj, others, Pool([SERVICE_CIDR]))
        if found:
            raise errors.invalid(target.resource, name, found)

    async def post(self, target: Target, body: bytes) -> Any:
        old = self.get(target)
        obj = codec.decode_stored(type(old), codec.encode(old))
        subresource = target.resource.subresource(target.subresource)
        assert subresource
        sent, _ = codec.decode(subresource.type, body)
        strategy_for(target.resource).post(target.subresource, obj, sent, NOW)
        self.objects[target.resource.plural, target.namespace, target.name] = obj
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "code": 201}  # fmt: skip

    async def update(self, target: Target, body: bytes) -> Any:
        strategy = strategy_for(target.resource)
        old = self.get(target)
        new, _ = codec.decode(target.resource, body)
        new.metadata.namespace = target.namespace if target.resource.namespaced else ""
        new.metadata.resource_version = "1"
        old.metadata.resource_version = "1"
        strategy.default(new)
        await self.admit(target, "UPDATE", new, old)
        rules = strategy.rules(target.subresource)
        rules.prepare(new, old, NOW)
        self._check(target, target.name, rules.validate(new, old), new)
        self.objects[target.resource.plural, target.namespace, target.name] = new
        return new

    async def merge(self, target: Target, patch: Any) -> Any:
        merged = merge(codec.to_plain(self.get(target)), patch)
        return await self.update(target, codec.encode(merged))

    async def delete(self, target: Target) -> Any:
        old = self.get(target)
        await self.admit(target, "DELETE", None, old)
        strategy = strategy_for(target.resource)
        obj = codec.decode_stored(type(old), codec.encode(old))
        grace = strategy.grace_period(obj, DeleteOptions())
        if grace or strategy.must_finalize(obj):
            strategy.mark_deleting(obj, NOW, grace or 0)
            self.objects[target.resource.plural, target.namespace, target.name] = obj
        else:
            del self.objects[target.resource.plural, target.namespace, target.name]
        return obj

    def table(self, target: Target) -> dict[str, Any]:
        strategy = strategy_for(target.resource)
        chosen = sorted(
            (key, obj) for key, obj in self.objects.items()
            if key[0] == target.resource.plural and target.namespace in ("", key[1])
        )  # fmt: skip
        rows = []
        for _, obj in chosen:
            row: dict[str, Any] = {"cells": strategy.row(obj, datetime.now(UTC))}
            conditions = codec.to_plain(list(strategy.row_conditions(obj)))
            if conditions:
                row["conditions"] = conditions
            rows.append(row)
        columns = [
            {
                "name": c.name,
                "type": c.type,
                "format": c.format,
                "priority": c.priority,
                "description": describe(target.resource.kind, c),
            }
            for c in strategy.columns
        ]
        return {"columnDefinitions": columns, "rows": rows}


def merge(document: Any, patch: Any) -> Any:
    """RFC 7386, in short."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


async def play(world: World, step: dict[str, Any]) -> Any:
    """Return what the pure rules answer to a step: an object, a Table, or a Status."""
    target = target_of(step["path"])
    body = codec.encode(step.get("body"))
    try:
        match step["method"], target.name, target.subresource:
            case "POST", "", _:
                return await world.create(target, body)
            case "POST", _, _:
                return await world.post(target, body)
            case "PUT", _, _:
                return await world.update(target, body)
            case "PATCH", _, _:
                return await world.merge(target, step["body"])
            case "DELETE", _, _:
                return await world.delete(target)
            case "GET", "", _:
                return world.table(target)
        return world.get(target)
    except ApiError as exc:
        return exc.status


# ---------------------------------------------------------------------- comparing

#: What the server fills in, or what has come since the recording.
_LEFT_OUT = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation",
             "lastProbeTime", "deletionTimestamp")  # fmt: skip
_ALLOCATED = re.compile(r"10\.96\.\d+\.\d+")
_TOKEN_VOLUME = re.compile(r"kube-api-access-\w{5}\b")
_GENERATED = re.compile(r"\b([a-zA-Z_-]+[-_])abcde\b")
_POINTER = re.compile(r"\(0x[0-9a-f]+\)")
_DIFFERENCES = re.compile(r"\n\s+core\.\w+\{.*", re.DOTALL)
_RANGE = re.compile(r"valid IPs is [^\s]+/\d+")


def comparable(value: Any) -> Any:
    """Return *value* as plain JSON without what cannot be the same in two clusters."""
    return _clean(value if isinstance(value, dict | list) else codec.to_plain(value))


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items() if k not in _LEFT_OUT}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        value = _ALLOCATED.sub("<ip>", value).replace("10.9.8.7", "<ip>")
        value = _TOKEN_VOLUME.sub("kube-api-access-<rand>", value)
        value = _GENERATED.sub(r"\1<rand>", value)
        value = _POINTER.sub("(<address>)", value)
        value = _RANGE.sub("valid IPs is <ip>/16", value)
        return _DIFFERENCES.sub("\n<diff>", value)
    return value
