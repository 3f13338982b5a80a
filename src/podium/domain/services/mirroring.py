"""EndpointSlices that mirror Endpoints which somebody has made for a Service without a selector.

Follows ``pkg/controller/endpointslicemirroring``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.api import meta
from podium.api.types.core_v1 import EndpointAddress, Endpoints, EndpointSubset, Service
from podium.api.types.discovery_v1 import Endpoint, EndpointConditions, EndpointSlice
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.services import members, placing
from podium.domain.services.placing import Changes, Desired
from podium.domain.services.slices import MANAGED_BY, SERVICE_NAME

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = (
    _LEADER,
    members.LAST_CHANGE,
    "kubectl.kubernetes.io/last-applied-configuration",
    "endpoints.kubernetes.io/over-capacity",
)
#: Addresses of a subset that are mirrored, at most.
MOST = 1000


def is_mirrored(endpoints: Endpoints | None, service: Service | None) -> bool:
    return (
        endpoints is not None
        and service is not None
        and endpoints.metadata.deletion_timestamp is None
        and endpoints.metadata.labels.get(SKIP) != "true"
        and _LEADER not in endpoints.metadata.annotations
        and not service.spec.selector
    )


def reconcile(endpoints: Endpoints, existing: Sequence[EndpointSlice]) -> Changes:
    """Return the way from *existing*, the mirrors of *endpoints* so far, to what they should be."""
    changes = Changes()
    for family in ("IPv4", "IPv6"):
        of_family = [each for each in existing if each.address_type == family]
        desired = _desired(endpoints, family)
        changes.add(placing.settle(_template(endpoints, family), desired, of_family))
    return changes


def _desired(endpoints: Endpoints, family: str) -> Desired:
    found: Desired = {}
    for subset in endpoints.subsets:
        ports = placing.in_order((p.name, p.protocol, p.port, p.app_protocol) for p in subset.ports)
        for endpoint in _endpoints(subset, family):
            found.setdefault(ports, {})[placing.key(endpoint)] = endpoint
    return found


def _endpoints(subset: EndpointSubset, family: str) -> Iterator[Endpoint]:
    listed = [(address, True) for address in subset.addresses]
    listed += [(address, False) for address in subset.not_ready_addresses]
    for address, ready in listed[:MOST]:
        if (":" in address.ip) == (family == "IPv6"):
            yield _endpoint(address, ready)


def _endpoint(address: EndpointAddress, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=[address.ip],
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname or None,
        node_name=address.node_name,
        target_ref=address.target_ref,
    )


def _template(endpoints: Endpoints, family: str) -> EndpointSlice:
    source = endpoints.metadata
    labels = {**source.labels, SERVICE_NAME: source.name, MANAGED_BY: CONTROLLER}
    kept = {k: v for k, v in source.annotations.items() if k not in _NOT_COPIED}
    metadata = ObjectMeta(
        generate_name=f"{source.name}-",
        namespace=source.namespace,
        labels=labels,
        annotations=kept,
        owner_references=[meta.owner_reference(endpoints, controller=True)],
    )
    return EndpointSlice(metadata=metadata, address_type=family, endpoints=[], ports=[])
