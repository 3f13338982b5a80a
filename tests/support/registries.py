"""A registry for tests: over the store in memory, on a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, EVENTS, LEASES, NAMESPACES, NODES, PODS, Resource
from podium.api.types.core_v1 import ConfigMap, Container, Pod, PodSpec
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.user import UserInfo
from podium.kit.clock import Clock, VirtualClock
from podium.registry.admission.base import AdmissionPlugin
from podium.registry.registry import Registry
from podium.registry.types import FieldValidation, RequestContext, WatchEvent
from podium.registry.watching import WatchStream
from podium.store.memory import MemoryStore
from podium.store.port import Store

KINDS = (CONFIGMAPS, EVENTS, LEASES, NAMESPACES, NODES, PODS)


@asynccontextmanager
async def serving(
    store: Store | None = None,
    clock: Clock | None = None,
    *,
    admission: Sequence[AdmissionPlugin] = (),
    time_to_live: Mapping[Resource, float] | None = None,
    resources: Sequence[Resource] = KINDS,
) -> AsyncIterator[Registry]:
    registry = Registry(
        store or MemoryStore(),
        admission,
        clock or VirtualClock(),
        resources=resources,
        time_to_live=time_to_live,
    )
    async with registry.serving():
        yield registry


def context(*, dry_run: bool = False, field_validation: FieldValidation = "Warn") -> RequestContext:
    return RequestContext(UserInfo("tester"), dry_run=dry_run, field_validation=field_validation)


def config_map(name: str = "", **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def pod(name: str, *, node: str = "", labels: Mapping[str, str] | None = None) -> Pod:
    return Pod(
        metadata=ObjectMeta(name=name, labels=dict(labels or {})),
        spec=PodSpec(
            node_name=node, containers=[Container(name="c", image="registry.example/app:1")]
        ),
    )


def text(failure: ApiError) -> tuple[int, str, str]:
    """What a client sees of a failure: code, reason, message."""
    return failure.code, failure.reason, failure.status.message


def said(event: WatchEvent) -> tuple[str, str]:
    """An event as its type and the name of its object."""
    return event.type, event.stored.obj.metadata.name if event.stored else ""


async def take(stream: WatchStream, count: int) -> list[WatchEvent]:
    """Return the next *count* events of a watch."""
    return [await anext(stream) for _ in range(count)]
