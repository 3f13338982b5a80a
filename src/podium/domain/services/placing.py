"""How endpoints are spread over EndpointSlices, with as few writes as there can be.

Follows ``k8s.io/endpointslice`` (``reconciler.go``): endpoints stay in the slice that they are in,
what is new fills up slices that are written anyway, then one that has room for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from podium.api.types.discovery_v1 import Endpoint, EndpointPort, EndpointSlice

#: Endpoints in one slice, at most.
CAPACITY = 100

#: The ports of a slice as a value: name, protocol, number and application protocol of each.
Ports = tuple[tuple[str | None, str | None, int | None, str | None], ...]
#: What an endpoint is recognised by: addresses, host name, namespace and name of its Pod.
EndpointKey = tuple[tuple[str, ...], str | None, str, str]
#: Endpoints by the ports they have.
Desired = dict[Ports, dict[EndpointKey, Endpoint]]


class Changes(msgspec.Struct):
    """What to write. *incomplete* names nodes that Pods are on and that are not known (yet)."""

    create: list[EndpointSlice] = msgspec.field(default_factory=list)
    update: list[EndpointSlice] = msgspec.field(default_factory=list)
    delete: list[EndpointSlice] = msgspec.field(default_factory=list)
    incomplete: set[str] = msgspec.field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    def add(self, more: Changes) -> None:
        self.create += more.create
        self.update += more.update
        self.delete += more.delete
        self.incomplete |= more.incomplete


def settle(
    template: EndpointSlice,
    desired: Mapping[Ports, Mapping[EndpointKey, Endpoint]],
    existing: Iterable[EndpointSlice],
) -> Changes:
    """Return the way from *existing* to slices that hold *desired*; new ones are as *template*.

    Slices that are not of *template*'s owner go.
    """
    changes = Changes()
    by_ports: dict[Ports, list[EndpointSlice]] = {}
    for each in existing:
        if _owners(each) == _owners(template):
            by_ports.setdefault(_ports_of(each.ports or ()), []).append(each)
        else:
            changes.delete.append(each)
    for ports, endpoints in desired.items():
        changes.add(_placed(template, ports, endpoints, by_ports.pop(ports, ())))
    for slices in by_ports.values():
        changes.delete += slices
    return changes


def is_empty_as(each: EndpointSlice, template: EndpointSlice) -> bool:
    """Whether *each* is what *template* would become without endpoints."""
    return (
        each.metadata.labels == template.metadata.labels
        and _owners(each) == _owners(template)
        and not each.endpoints
        and not each.ports
    )


def key(endpoint: Endpoint) -> EndpointKey:
    target = endpoint.target_ref
    return (
        tuple(sorted(endpoint.addresses)),
        endpoint.hostname,
        target.namespace if target else "",
        target.name if target else "",
    )


def _owners(each: EndpointSlice) -> list[str]:
    return [ref.uid for ref in each.metadata.owner_references if ref.controller]


def _ports_of(ports: Iterable[EndpointPort]) -> Ports:
    return in_order((p.name, p.protocol, p.port, p.app_protocol) for p in ports)


def in_order(ports: Iterable[tuple[str | None, str | None, int | None, str | None]]) -> Ports:
    return tuple(sorted(ports, key=str))


def _placed(
    template: EndpointSlice,
    ports: Ports,
    desired: Mapping[EndpointKey, Endpoint],
    existing: Sequence[EndpointSlice],
) -> Changes:
    """Put the endpoints with *ports* into slices, those of *existing* first."""
    changes = Changes()
    rest, labels = dict(desired), template.metadata.labels
    untouched = []
    for there in existing:
        kept = [rest.pop(name) for e in _endpoints(there) if (name := key(e)) in rest]
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
        made = _new(template, ports)
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


def _new(template: EndpointSlice, ports: Ports) -> EndpointSlice:
    listed = [
        EndpointPort(name=name, protocol=protocol, port=number, app_protocol=application)
        for name, protocol, number, application in ports
    ]
    return msgspec.structs.replace(template, ports=listed)
