"""The EndpointSlices of a Service: which to create, update and delete.

Follows ``k8s.io/endpointslice`` (``reconciler.go``): endpoints stay in the slice that they are in,
what is new fills up slices that are written anyway, then one that has room for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from podium.api import meta
from podium.api.types.core_v1 import Node, Pod, Service
from podium.api.types.discovery_v1 import (
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.services import members

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY, CONTROLLER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
#: Endpoints in one slice, at most.
CAPACITY = 100
_ZONE = "topology.kubernetes.io/zone"

#: The ports of a slice as a value.
_Ports = tuple[tuple[str | None, str | None, int | None, str | None], ...]
#: What an endpoint is recognised by: addresses, host name, namespace and name of its Pod.
_EndpointKey = tuple[tuple[str, ...], str | None, str, str]


@dataclass(slots=True)
class Changes:
    """What to write. *incomplete* names nodes that Pods are on and that are not known (yet)."""

    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def add(self, more: Changes) -> None:
        self.create += more.create
        self.update += more.update
        self.delete += more.delete
        self.incomplete |= more.incomplete


def owned(service: Service, slices: Iterable[EndpointSlice]) -> list[EndpointSlice]:
    """Return those that this controller keeps for *service*, but none that is being deleted."""
    return [
        each
        for each in slices
        if each.metadata.labels.get(SERVICE_NAME) == service.metadata.name
        and each.metadata.labels.get(MANAGED_BY) == CONTROLLER
        and each.metadata.deletion_timestamp is None
    ]


def reconcile(
    service: Service,
    pods: Iterable[Pod],
    nodes: Mapping[str, Node],
    existing: Sequence[EndpointSlice],
) -> Changes:
    """Return the way from *existing*, as :func:`owned` gives it, to what *pods* make of it."""
    pods = sorted(pods, key=lambda pod: pod.metadata.name)
    changes = Changes()
    families = members.families(service)
    for family in families:
        of_family = [each for each in existing if each.address_type == family]
        changes.add(_of_family(service, pods, nodes, of_family, family))
    changes.delete += [each for each in existing if each.address_type not in families]
    return changes


def _of_family(
    service: Service,
    pods: Iterable[Pod],
    nodes: Mapping[str, Node],
    existing: Sequence[EndpointSlice],
    family: str,
) -> Changes:
    changes = Changes()
    by_ports: dict[_Ports, list[EndpointSlice]] = {}
    for each in existing:
        if _belongs(each, service):
            by_ports.setdefault(_ports_of(each.ports or ()), []).append(each)
        else:
            changes.delete.append(each)
    desired, changes.incomplete = _desired(service, pods, nodes, family)
    for ports, endpoints in desired.items():
        changes.add(_placed(service, family, ports, endpoints, by_ports.pop(ports, ())))
    for slices in by_ports.values():
        changes.delete += slices
    if len(changes.delete) == len(existing) and not changes.create:
        _leave_one(service, family, changes)
    return changes


def _leave_one(service: Service, family: str, changes: Changes) -> None:
    """A Service has a slice even without endpoints, so that one sees that somebody looked."""
    empty = _new(service, family, ())
    if len(changes.delete) == 1 and _same(changes.delete[0], empty):
        changes.delete.clear()
    else:
        changes.create.append(empty)


def _same(there: EndpointSlice, wanted: EndpointSlice) -> bool:
    owners = [ref.uid for ref in there.metadata.owner_references]
    return (
        there.metadata.labels == wanted.metadata.labels
        and owners == [ref.uid for ref in wanted.metadata.owner_references]
        and not there.endpoints
        and not there.ports
    )


# ---------------------------------------------------------------------- endpoints


def _desired(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], family: str
) -> tuple[dict[_Ports, dict[_EndpointKey, Endpoint]], set[str]]:
    """Return the endpoints by the ports they have, and the nodes that are not known."""
    found: dict[_Ports, dict[_EndpointKey, Endpoint]] = {}
    unknown = set()
    for pod in pods:
        address = members.address(pod, family)
        if not address or not members.can_be_endpoint(pod, terminating=True):
            continue
        node = nodes.get(pod.spec.node_name)
        if node is None and not service.spec.publish_not_ready_addresses:
            unknown.add(pod.spec.node_name)
            continue
        endpoint = _endpoint(service, pod, node, address)
        found.setdefault(_pod_ports(service, pod), {})[_key(endpoint)] = endpoint
    return found, unknown


def _endpoint(service: Service, pod: Pod, node: Node | None, address: str) -> Endpoint:
    serving = members.is_ready(pod)
    terminating = pod.metadata.deletion_timestamp is not None
    ready = service.spec.publish_not_ready_addresses or (serving and not terminating)
    return Endpoint(
        addresses=[address],
        conditions=EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        hostname=members.hostname(pod, service) or None,
        node_name=pod.spec.node_name or None,
        target_ref=members.target_reference(pod),
        zone=(node.metadata.labels.get(_ZONE) or None) if node else None,
    )


def _key(endpoint: Endpoint) -> _EndpointKey:
    target = endpoint.target_ref
    return (
        tuple(sorted(endpoint.addresses)),
        endpoint.hostname,
        target.namespace if target else "",
        target.name if target else "",
    )


def _pod_ports(service: Service, pod: Pod) -> _Ports:
    found = []
    for port in service.spec.ports:
        number = members.port_number(pod, port)
        if number is not None:
            found.append((port.name, port.protocol, number, port.app_protocol))
    return tuple(sorted(found, key=str))


def _ports_of(ports: Iterable[EndpointPort]) -> _Ports:
    return tuple(sorted(((p.name, p.protocol, p.port, p.app_protocol) for p in ports), key=str))


# ---------------------------------------------------------------------- slices


def _placed(
    service: Service,
    family: str,
    ports: _Ports,
    desired: dict[_EndpointKey, Endpoint],
    existing: Sequence[EndpointSlice],
) -> Changes:
    """Put the endpoints with *ports* into slices, those of *existing* first."""
    changes = Changes()
    rest = dict(desired)
    untouched, labels = [], _labels(service)
    for there in existing:
        kept = [rest.pop(key) for e in _endpoints(there) if (key := _key(e)) in rest]
        if kept == _endpoints(there) and labels == there.metadata.labels:
            untouched.append(there)
        elif kept:
            changes.update.append(_with(there, kept, labels))
        else:
            changes.delete.append(there)
    new = list(rest.values())
    for each in sorted(changes.update, key=lambda each: -len(_endpoints(each))):
        new = _fill(each, new)
    if new and len(new) < CAPACITY:
        fitting = [s for s in untouched if len(_endpoints(s)) + len(new) <= CAPACITY]
        if fitting:
            fullest = max(fitting, key=lambda each: len(_endpoints(each)))
            changes.update.append(
                _with(fullest, [*_endpoints(fullest), *new], fullest.metadata.labels)
            )
            new = []
    while new:
        made = _new(service, family, ports)
        new = _fill(made, new)
        changes.create.append(made)
    return changes


def _endpoints(of: EndpointSlice) -> list[Endpoint]:
    return of.endpoints or []


def _fill(into: EndpointSlice, endpoints: list[Endpoint]) -> list[Endpoint]:
    """Add what fits to *into*; return what does not."""
    there = _endpoints(into)
    room = CAPACITY - len(there)
    into.endpoints = there + endpoints[:room]
    return endpoints[room:]


def _with(there: EndpointSlice, endpoints: list[Endpoint], labels: dict[str, str]) -> EndpointSlice:
    metadata = msgspec.structs.replace(there.metadata, labels=labels)
    return msgspec.structs.replace(there, metadata=metadata, endpoints=endpoints)


def _new(service: Service, family: str, ports: _Ports) -> EndpointSlice:
    metadata = ObjectMeta(
        generate_name=f"{service.metadata.name}-",
        namespace=service.metadata.namespace,
        labels=_labels(service),
        owner_references=[meta.owner_reference(service, controller=True)],
    )
    return EndpointSlice(
        metadata=metadata,
        address_type=family,
        endpoints=[],
        ports=[
            EndpointPort(name=name, protocol=protocol, port=number, app_protocol=application)
            for name, protocol, number, application in ports
        ],
    )


def _labels(service: Service) -> dict[str, str]:
    """Return the labels of a slice: the Service's own, and what the slice is known by."""
    reserved = (MANAGED_BY, SERVICE_NAME, members.HEADLESS_LABEL)
    labels = {k: v for k, v in service.metadata.labels.items() if k not in reserved}
    labels |= {SERVICE_NAME: service.metadata.name, MANAGED_BY: CONTROLLER}
    if members.is_headless(service):
        labels[members.HEADLESS_LABEL] = ""
    return labels


def _belongs(each: EndpointSlice, service: Service) -> bool:
    owner = meta.controller_of(each)
    return owner is not None and owner.uid == service.metadata.uid
