"""Which cluster IPs and node ports a Service gets.

Nothing is kept beside the Services themselves: what is taken is what other Services have. Follows
``pkg/registry/core/service/storage/alloc.go``, on a cluster of one address family.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from podium.api.field import FieldError, Path, invalid
from podium.api.types.core_v1 import Service, ServiceSpec
from podium.api.validation.services import is_headless, needs_health_check
from podium.registry.strategies.base import Pool

NODE_PORTS = range(30000, 32768)
#: The lower part of both pools is left to those who ask for a certain value.
_STATIC_PORTS = 86
_MOST_STATIC_ADDRESSES, _LEAST_STATIC_ADDRESSES = 256, 16

SPEC = Path("spec")


def allocate(service: Service, others: Iterable[Service], pool: Pool) -> list[FieldError]:
    """Give *service* the cluster IP and the node ports that it lacks; check those it has.

    Returns what cannot be had: addresses out of range or taken, families not configured.
    """
    taken = [other.spec for other in others]
    errors = _settle_families(service.spec)
    if not errors:
        errors += _allocate_address(service, taken, pool)
    return errors or _allocate_ports(service.spec, taken)


def _settle_families(spec: ServiceSpec) -> list[FieldError]:
    """Give *spec* the families that it leaves open: a Service is IPv4; a headless one without
    selector may have any addresses. Returns what cannot be had."""
    if spec.type == "ExternalName":
        return []
    anything = spec.cluster_ip == "None" and not spec.selector
    if spec.ip_family_policy is None:
        spec.ip_family_policy = "RequireDualStack" if anything else "SingleStack"
    errors = list(_unfit_families(spec))
    if errors:
        return errors
    if anything:
        spec.ip_families = spec.ip_families or ["IPv4"]
        if spec.ip_family_policy != "SingleStack" and len(spec.ip_families) == 1:
            other = "IPv6" if spec.ip_families == ["IPv4"] else "IPv4"
            spec.ip_families = [*spec.ip_families, other]
        return []
    if spec.ip_family_policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid(SPEC.child("ipFamilyPolicy"), spec.ip_family_policy, text))
    errors += [
        invalid(SPEC.child("ipFamilies").index(i), family, "not configured on this cluster")
        for i, family in enumerate(spec.ip_families)
        if family != "IPv4"
    ]
    spec.ip_families = spec.ip_families or ["IPv4"]
    return errors


def _unfit_families(spec: ServiceSpec) -> Iterator[FieldError]:
    """Yield in what policy, addresses and families contradict each other; families follow from
    addresses where they are not stated."""
    if spec.ip_family_policy == "SingleStack":
        for many, what in ((spec.cluster_ips, "cluster IPs"), (spec.ip_families, "IP families")):
            if len(many) == 2:
                text = (
                    f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} "
                    "are specified"
                )
                yield invalid(SPEC.child("ipFamilyPolicy"), spec.ip_family_policy, text)
    for i, address in enumerate(spec.cluster_ips):
        if address == "None":
            return
        if i < len(spec.ip_families):
            continue
        if ":" in address:
            text = "IPv6 is not configured on this cluster"
            yield invalid(SPEC.child("clusterIPs").index(i), spec.cluster_ips, text)
        else:
            spec.ip_families = [*spec.ip_families, "IPv4"]


def _allocate_address(service: Service, taken: list[ServiceSpec], pool: Pool) -> list[FieldError]:
    spec = service.spec
    if spec.type == "ExternalName" or is_headless(spec):
        return []
    every = (ip_network(cidr, strict=False) for cidr in pool.cidrs)
    networks = [network for network in every if isinstance(network, IPv4Network)]
    used = {address for other in taken for address in _addresses(other)}
    used |= set(_parsed(pool.reserved))
    if spec.cluster_ip:
        return _check_address(spec, used, networks)
    first = networks[0][1]
    if (service.metadata.namespace, service.metadata.name) == ("default", "kubernetes"):
        free: IPv4Address | None = first
    else:
        used.add(first)
        each = (address for network in networks for address in _free_addresses(network, used))
        free = next(each, None)
    if free is None:
        text = "failed to allocate a serviceIP: range is full"
        return [invalid(SPEC.child("clusterIPs"), spec.cluster_ips, text)]
    spec.cluster_ip = str(free)
    spec.cluster_ips = [spec.cluster_ip]
    return []


def _addresses(spec: ServiceSpec) -> Iterator[IPv4Address]:
    return _parsed(text for text in spec.cluster_ips if text not in ("", "None"))


def _parsed(texts: Iterable[str]) -> Iterator[IPv4Address]:
    for text in texts:
        address = ip_address(text)
        if isinstance(address, IPv4Address):
            yield address


def _check_address(
    spec: ServiceSpec, used: set[IPv4Address], networks: list[IPv4Network]
) -> list[FieldError]:
    address = ip_address(spec.cluster_ip)
    text = f"failed to allocate IP {spec.cluster_ip}: "
    if not any(
        address in network and address not in (network.network_address, network.broadcast_address)
        for network in networks
    ):
        text += (
            f"the provided IP ({spec.cluster_ip}) is not in the valid range. "
            f"The range of valid IPs is {networks[0]}"
        )
    elif address in used:
        text += "provided IP is already allocated"
    else:
        return []
    return [invalid(SPEC.child("clusterIPs"), spec.cluster_ips, text)]


def _free_addresses(network: IPv4Network, used: set[IPv4Address]) -> Iterator[IPv4Address]:
    """Yield free addresses: behind the last one used, so that none comes back soon, then any."""
    last = network.num_addresses - 2
    share = max(_LEAST_STATIC_ADDRESSES, network.num_addresses // 16)
    static = min(share, _MOST_STATIC_ADDRESSES) if last > 2 * _LEAST_STATIC_ADDRESSES else 0
    first = int(network.network_address)
    offsets = {int(address) - first for address in used if address in network}
    behind = max((offset for offset in offsets if offset > static), default=static) + 1
    for order in (range(behind, last + 1), range(static + 1, behind), range(1, static + 1)):
        for offset in order:
            if offset not in offsets:
                yield network[offset]


def _allocate_ports(spec: ServiceSpec, taken: list[ServiceSpec]) -> list[FieldError]:
    used = {port for other in taken for port in _node_ports(other)}
    errors: list[FieldError] = []
    wants_ports = spec.type == "NodePort" or (
        spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is not False
    )
    for i, port in enumerate(spec.ports):
        if port.node_port:
            at = SPEC.child("ports").index(i).child("nodePort")
            errors += _check_port(at, port.node_port, used)
    own = {port.node_port for port in spec.ports if port.node_port}
    by_number: dict[int, int] = {}
    for port in spec.ports:
        if wants_ports and not port.node_port:
            # One number serves both protocols of a port.
            port.node_port = by_number.get(port.port) or _free_port(used | own)
            own.add(port.node_port)
        by_number[port.port] = port.node_port
    if needs_health_check(spec):
        if spec.health_check_node_port:
            at = SPEC.child("healthCheckNodePort")
            errors += _check_port(at, spec.health_check_node_port, used)
        else:
            spec.health_check_node_port = _free_port(used | own)
    return errors


def _node_ports(spec: ServiceSpec) -> Iterator[int]:
    yield from (port.node_port for port in spec.ports if port.node_port)
    if spec.health_check_node_port:
        yield spec.health_check_node_port


def _check_port(path: Path, port: int, used: set[int]) -> list[FieldError]:
    if port not in NODE_PORTS:
        text = (
            "provided port is not in the valid range. "
            f"The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
        )
        return [invalid(path, port, text)]
    if port in used:
        return [invalid(path, port, "provided port is already allocated")]
    return []


def _free_port(used: set[int]) -> int:
    """Return a free node port; 0 when there is none (and validation says so on the next turn)."""
    dynamic = NODE_PORTS[_STATIC_PORTS:]
    behind = max((port for port in used if port in dynamic), default=dynamic[0] - 1) + 1
    for order in (range(behind, NODE_PORTS[-1] + 1), dynamic, NODE_PORTS):
        for port in order:
            if port not in used:
                return port
    return 0
