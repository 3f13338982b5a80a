"""The Endpoints of a Service: the old list of what is behind it.

Follows ``pkg/controller/endpoint`` and ``RepackSubsets`` of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from podium.api.types.core_v1 import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    Pod,
    Service,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods.readiness import is_ready
from podium.domain.services import members

MANAGED_BY, CONTROLLER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
OVER_CAPACITY, TRUNCATED = "endpoints.kubernetes.io/over-capacity", "truncated"
#: Addresses that one object may list; EndpointSlices have no such limit.
CAPACITY = 1000

#: Number, protocol, name and application protocol of a port; None where no port is meant.
_Port = tuple[int, str, str, str | None] | None
#: Address, whether it is ready.
_Member = tuple[EndpointAddress, bool]


def wanted(
    service: Service, pods: Iterable[Pod], current: Endpoints | None, changed_at: str = ""
) -> Endpoints | None:
    """Return the Endpoints to write, None when *current* says it all.

    *changed_at* is when the last change came about (RFC 3339), "" where that is not known.
    """
    subsets, complete = _within_capacity(_subsets(service, pods))
    metadata = current.metadata if current else _new_metadata(service)
    labels, annotations = _labels(service), dict(metadata.annotations)
    annotations.pop(OVER_CAPACITY, None)
    if not complete:
        annotations[OVER_CAPACITY] = TRUNCATED
    if current and (current.subsets, metadata.labels, metadata.annotations) == (
        subsets,
        labels,
        annotations,
    ):
        return None
    if changed_at:
        annotations[members.LAST_CHANGE] = changed_at
    metadata = msgspec.structs.replace(metadata, labels=labels, annotations=annotations)
    return Endpoints(metadata=metadata, subsets=subsets)


def _new_metadata(service: Service) -> ObjectMeta:
    return ObjectMeta(name=service.metadata.name, namespace=service.metadata.namespace)


def _labels(service: Service) -> dict[str, str]:
    labels = {**service.metadata.labels, MANAGED_BY: CONTROLLER}
    labels.pop(members.HEADLESS_LABEL, None)
    if members.is_headless(service):
        labels[members.HEADLESS_LABEL] = ""
    return labels


def _subsets(service: Service, pods: Iterable[Pod]) -> list[EndpointSubset]:
    """Return every port with all that have it, ports with the same addresses put together."""
    found: dict[str, _Member] = {}
    by_port: dict[_Port, list[str]] = {}
    family = members.families(service)[0]
    even_unready = service.spec.publish_not_ready_addresses
    for pod in sorted(pods, key=lambda pod: pod.metadata.name):
        ip = members.address(pod, family)
        if not ip or not members.can_be_endpoint(pod, terminating=even_unready):
            continue
        uid = pod.metadata.uid
        found[uid] = (_address(pod, service, ip), even_unready or is_ready(pod))
        for port in _ports(service, pod):
            by_port.setdefault(port, []).append(uid)
    by_members: dict[tuple[str, ...], list[_Port]] = {}
    for port, uids in by_port.items():
        by_members.setdefault(tuple(uids), []).append(port)
    subsets = [_subset([found[uid] for uid in uids], ports) for uids, ports in by_members.items()]
    return sorted(subsets, key=lambda subset: msgspec.json.encode(subset.ports))


def _ports(service: Service, pod: Pod) -> Iterator[_Port]:
    if not service.spec.ports and members.is_headless(service):
        yield None
    for port in service.spec.ports:
        number = members.port_number(pod, port)
        if number is not None:
            yield number, port.protocol, port.name, port.app_protocol


def _address(pod: Pod, service: Service, ip: str) -> EndpointAddress:
    return EndpointAddress(
        ip=ip,
        hostname=members.hostname(pod, service),
        node_name=pod.spec.node_name or None,
        target_ref=members.target_reference(pod),
    )


def _subset(found: Sequence[_Member], ports: Iterable[_Port]) -> EndpointSubset:
    ordered = sorted(found, key=lambda member: member[0].ip)
    return EndpointSubset(
        addresses=[address for address, ready in ordered if ready],
        not_ready_addresses=[address for address, ready in ordered if not ready],
        ports=[
            EndpointPort(port=port[0], protocol=port[1], name=port[2], app_protocol=port[3])
            for port in sorted((p for p in ports if p), key=lambda p: (p[2], p[:2]))
        ],
    )


def _within_capacity(subsets: list[EndpointSubset]) -> tuple[list[EndpointSubset], bool]:
    """Return what fits, ready addresses first, and whether that is all."""
    total = sum(len(s.addresses) + len(s.not_ready_addresses) for s in subsets)
    if total <= CAPACITY:
        return subsets, True
    ready = _dealt({i: len(s.addresses) for i, s in enumerate(subsets)}, CAPACITY)
    room = CAPACITY - sum(ready.values())
    unready = _dealt({i: len(s.not_ready_addresses) for i, s in enumerate(subsets)}, room)
    cut = (
        EndpointSubset(
            addresses=subset.addresses[: ready[i]],
            not_ready_addresses=subset.not_ready_addresses[: unready[i]],
            ports=subset.ports,
        )
        for i, subset in enumerate(subsets)
    )
    return [subset for subset in cut if subset.addresses or subset.not_ready_addresses], False


def _dealt(counts: Mapping[int, int], room: int) -> dict[int, int]:
    """Share out *room* in the order of *counts*."""
    shares = {}
    for key, count in counts.items():
        shares[key] = min(count, room)
        room -= shares[key]
    return shares
