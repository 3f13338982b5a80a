"""The EndpointSlices of a Service that has a selector: which to create, update and delete.

Follows ``k8s.io/endpointslice`` (``reconciler.go``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from podium.api import meta
from podium.api.types.core_v1 import Node, Pod, Service
from podium.api.types.discovery_v1 import Endpoint, EndpointConditions, EndpointSlice
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods.readiness import is_ready
from podium.domain.services import members, placing
from podium.domain.services.placing import CAPACITY, Changes, Desired, Ports

__all__ = ["CAPACITY", "CONTROLLER", "MANAGED_BY", "SERVICE_NAME", "Changes", "owned", "reconcile"]

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY, CONTROLLER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
_ZONE = "topology.kubernetes.io/zone"


def owned(
    name: str, slices: Iterable[EndpointSlice], controller: str = CONTROLLER
) -> list[EndpointSlice]:
    """Return those that *controller* keeps for the Service *name*, but none being deleted."""
    return [
        each
        for each in slices
        if each.metadata.labels.get(SERVICE_NAME) == name
        and each.metadata.labels.get(MANAGED_BY) == controller
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
    template = _template(service, family)
    desired, unknown = _desired(service, pods, nodes, family)
    changes = placing.settle(template, desired, existing)
    changes.incomplete = unknown
    if len(changes.delete) == len(existing) and not changes.create:
        # A Service has a slice even without endpoints, so that one sees that somebody looked.
        if len(changes.delete) == 1 and placing.is_empty_as(changes.delete[0], template):
            changes.delete.clear()
        else:
            changes.create.append(template)
    return changes


def _desired(
    service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node], family: str
) -> tuple[Desired, set[str]]:
    """Return the endpoints by the ports they have, and the nodes that are not known."""
    found: Desired = {}
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
        found.setdefault(_pod_ports(service, pod), {})[placing.key(endpoint)] = endpoint
    return found, unknown


def _endpoint(service: Service, pod: Pod, node: Node | None, address: str) -> Endpoint:
    serving = is_ready(pod)
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


def _pod_ports(service: Service, pod: Pod) -> Ports:
    found = []
    for port in service.spec.ports:
        number = members.port_number(pod, port)
        if number is not None:
            found.append((port.name, port.protocol, number, port.app_protocol))
    return placing.in_order(found)


def _template(service: Service, family: str) -> EndpointSlice:
    metadata = ObjectMeta(
        generate_name=f"{service.metadata.name}-",
        namespace=service.metadata.namespace,
        labels=_labels(service),
        owner_references=[meta.owner_reference(service, controller=True)],
    )
    return EndpointSlice(metadata=metadata, address_type=family, endpoints=[], ports=[])


def _labels(service: Service) -> dict[str, str]:
    """Return the labels of a slice: the Service's own, and what the slice is known by."""
    reserved = (MANAGED_BY, SERVICE_NAME, members.HEADLESS_LABEL)
    labels = {k: v for k, v in service.metadata.labels.items() if k not in reserved}
    labels |= {SERVICE_NAME: service.metadata.name, MANAGED_BY: CONTROLLER}
    if members.is_headless(service):
        labels[members.HEADLESS_LABEL] = ""
    return labels
