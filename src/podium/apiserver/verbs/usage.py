"""``metrics.k8s.io``: what Pods and nodes use, asked of the kubelets when somebody asks for it.

A rate needs two samples. The last one of each node is kept; where that is too old or too young to
mean anything, a second one is taken after a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from aiohttp import ClientError
from aiohttp.web import StreamResponse

from podium.api import codec
from podium.api.errors import ApiError, not_found
from podium.api.metrics import ContainerMetrics, NodeMetrics, PodMetrics
from podium.api.quantity import Amount
from podium.api.scheme import NODES, PODS
from podium.api.types.core_v1 import Node, Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.apiserver import query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import LIST_KINDS, OBJECT_KINDS
from podium.apiserver.verbs import reply
from podium.apiserver.verbs.list import represent
from podium.domain.pods.durations import go_duration
from podium.domain.usage import NODE, Key, Sample, Usage, read_sample, usages
from podium.registry.types import ListOptions, ListResult, Stored

#: Seconds that the sample before may be away, and until another one is taken where it is not so.
YOUNGEST, OLDEST, PAUSE = 1.0, 60.0, 0.5
#: Seconds that a kubelet may take to answer, and bytes of the longest answer that is taken.
PATIENCE, LONGEST = 10.0, 64 << 20

Usages = Mapping[Key, Usage]


class NodeSamples(msgspec.Struct):
    """The last sample of one node; who comes while one is taken waits for what comes of it."""

    last: Sample = msgspec.field(default_factory=Sample)
    taken: float = float("-inf")
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    found: Usages = msgspec.field(default_factory=dict)


async def get_usage(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    of = PODS if call.resource.namespaced else NODES
    try:
        stored = await call.registry.get(of, call.namespace, call.name)
    except ApiError as exc:
        if exc.code == 404:
            raise _missing(call) from exc
        raise
    items = await _items(call, [stored.obj])
    if not items:
        raise _missing(call)
    return reply.stored(call, items[0], media)


async def list_usages(call: Call) -> StreamResponse:
    """Selectors mean the Pods and nodes themselves."""
    media = call.media(LIST_KINDS)
    asked = query.list_options(call.query)
    options = ListOptions(label_selector=asked.label_selector, field_selector=asked.field_selector)
    of = PODS if call.resource.namespaced else NODES
    found = await call.registry.list(of, call.namespace, options)
    items = await _items(call, [stored.obj for stored in found.items])
    return await represent(call, ListResult(items, ""), {}, media)


def _missing(call: Call) -> ApiError:
    name = f"{call.namespace}/{call.name}" if call.namespace else call.name
    return not_found(call.resource, name)


async def _items(call: Call, wanted: list[Pod | Node]) -> list[Stored]:
    names = {obj.metadata.name if isinstance(obj, Node) else obj.spec.node_name for obj in wanted}
    nodes = await _nodes(call, names - {""})
    told = await asyncio.gather(*(_of(call, node) for node in nodes.values()))
    found = dict(zip(nodes, told, strict=True))
    items = []
    for obj in wanted:
        made = _made(obj, found)
        if made is not None:
            items.append(Stored(made.metadata.name, codec.encode(made), 0, made))
    return items


def _made(obj: Pod | Node, found: Mapping[str, Usages]) -> PodMetrics | NodeMetrics | None:
    if isinstance(obj, Node):
        return node_metrics(obj, found.get(obj.metadata.name, {}))
    return pod_metrics(obj, found.get(obj.spec.node_name, {}))


async def _nodes(call: Call, names: Iterable[str]) -> dict[str, Node]:
    listed = await call.registry.list(NODES, "", ListOptions())
    wanted = set(names)
    return {n.obj.metadata.name: n.obj for n in listed.items if n.obj.metadata.name in wanted}


async def _of(call: Call, node: Node) -> Usages:
    """What a node tells; nothing where it cannot be reached."""
    samples: dict[str, NodeSamples] = call.services.usage
    kept = samples.setdefault(node.metadata.uid, NodeSamples())
    clock = call.services.clock
    async with kept.lock:
        age = clock.monotonic() - kept.taken
        if age < YOUNGEST and kept.found:
            return kept.found
        try:
            if not YOUNGEST <= age <= OLDEST:
                kept.last = await _sample(call, node)
                await clock.sleep(PAUSE)
            now = await _sample(call, node)
        except (ApiError, ClientError, TimeoutError):
            return {}
        kept.found = dict(usages(kept.last, now))
        kept.last, kept.taken = now, clock.monotonic()
        return kept.found


async def _sample(call: Call, node: Node) -> Sample:
    async with (
        asyncio.timeout(PATIENCE),
        call.services.nodes.open(node, "/metrics/resource", {}) as answer,
    ):
        if answer.status != 200:
            raise ClientError(f"status {answer.status}")
        told = bytearray()
        async for piece in answer.content.iter_any():
            told += piece
            if len(told) > LONGEST:
                raise ClientError("the answer is too long")
    return read_sample(told.decode(errors="replace"), call.services.clock.now().timestamp())


def pod_metrics(pod: Pod, found: Usages) -> PodMetrics | None:
    """Return what *pod* uses; None where nothing is known of a container that runs."""
    meta, status = pod.metadata, pod.status
    names = [s.name for s in (*status.init_container_statuses, *status.container_statuses)
             if s.state.running is not None]  # fmt: skip
    known = {name: found.get((meta.namespace, meta.name, name)) for name in names}
    told = {name: usage for name, usage in known.items() if usage is not None}
    if not told or len(told) < len(known):
        return None
    first = min(told.values(), key=lambda usage: usage.at)
    return PodMetrics(
        metadata=_metadata(meta, first),
        timestamp=_moment(first),
        window=go_duration(first.window),
        containers=[ContainerMetrics(name=name, usage=_usage(use)) for name, use in told.items()],
    )


def node_metrics(node: Node, found: Usages) -> NodeMetrics | None:
    usage = found.get(NODE)
    if usage is None:
        return None
    return NodeMetrics(
        metadata=_metadata(node.metadata, usage),
        timestamp=_moment(usage),
        window=go_duration(usage.window),
        usage=_usage(usage),
    )


def _metadata(meta: ObjectMeta, usage: Usage) -> ObjectMeta:
    return ObjectMeta(
        name=meta.name,
        namespace=meta.namespace,
        labels=meta.labels,
        creation_timestamp=_moment(usage),
    )


def _moment(usage: Usage) -> datetime:
    return datetime.fromtimestamp(int(usage.at), UTC)


def _usage(usage: Usage) -> dict[str, str]:
    return {
        "cpu": str(Amount(usage.nano_cores, -9)),
        "memory": str(Amount(usage.memory, 0, "BinarySI")),
    }
