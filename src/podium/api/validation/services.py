"""Validation of Services."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.field import (
    DUPLICATE,
    FieldError,
    Path,
    Verbatim,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from podium.api.go_text import quote
from podium.api.types.core_v1 import Service, ServicePort, ServiceSpec
from podium.api.validation.common import (
    Errors,
    cidr,
    dns1123_label,
    dns1123_subdomain,
    dns_name,
    families,
    ip_address,
    is_ip,
    labels,
    one_of,
    ordinary_ip,
    port_number,
    port_number_or_name,
    qualified_name,
)
from podium.api.validation.conditions import validate_conditions
from podium.api.validation.containers import PROTOCOLS

SPEC, ANNOTATIONS = Path("spec"), Path("metadata.annotations")
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_NONE = Verbatim("[]string(nil)")
_FOR_LOAD_BALANCERS = "may only be used when `type` is 'LoadBalancer'"
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
MAX_TIMEOUT = 86400
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")


def is_headless(spec: ServiceSpec) -> bool:
    return spec.cluster_ips == ["None"] or (not spec.cluster_ips and spec.cluster_ip == "None")


def needs_health_check(spec: ServiceSpec) -> bool:
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def is_external(spec: ServiceSpec) -> bool:
    """Whether the Service is reached from outside of the cluster."""
    return spec.type in ("NodePort", "LoadBalancer") or (
        spec.type == "ClusterIP" and bool(spec.external_ips)
    )


def validate_service(service: Service) -> list[FieldError]:
    """Return the offences of a Service, beyond those of the metadata."""
    return [*_validate_annotations(service.metadata.annotations), *_validate(service)]


def _validate_annotations(annotations: Mapping[str, str]) -> Errors:
    mode, hints = annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_HINTS)
    if mode is not None and hints is not None and mode != hints:
        text = f"must match annotations[{TOPOLOGY_HINTS}] when both are specified"
        yield invalid(ANNOTATIONS.key(TOPOLOGY_MODE), mode, text)


def _validate(service: Service) -> Errors:
    spec = service.spec
    if not spec.ports and not is_headless(spec) and spec.type != "ExternalName":
        yield required(SPEC.child("ports"))
    yield from _validate_by_type(spec)
    taken: set[str] = set()
    for i, port in enumerate(spec.ports):
        at = SPEC.child("ports").index(i)
        yield from _validate_port(at, port, taken, named=len(spec.ports) > 1)
    yield from labels(SPEC.child("selector"), spec.selector)
    yield from _validate_affinity(spec)
    yield from _validate_cluster_ips(spec)
    for i, address in enumerate(spec.external_ips):
        at = SPEC.child("externalIPs").index(i)
        if is_ip(address):
            yield from ordinary_ip(at, address)
        else:
            yield from ip_address(at, address)
    yield from one_of(SPEC.child("type"), spec.type, TYPES)
    yield from _validate_port_numbers(spec)
    yield from _validate_source_ranges(spec, service.metadata.annotations.get(SOURCE_RANGES))
    yield from _validate_load_balancer(spec)
    yield from _validate_traffic(spec)


def _validate_by_type(spec: ServiceSpec) -> Errors:
    at = SPEC.child("clusterIPs")
    if spec.type in ("LoadBalancer", "NodePort") and is_headless(spec):
        text = f"may not be set to 'None' for {spec.type} services"
        yield invalid(at.index(0), "None", text)
    if spec.type != "ExternalName":
        return
    text = "may not be set for ExternalName services"
    if spec.cluster_ips:
        yield forbidden(at, text)
    if spec.ip_families:
        yield forbidden(SPEC.child("ipFamilies"), text)
    if spec.ip_family_policy is not None:
        yield forbidden(SPEC.child("ipFamilyPolicy"), text)
    name = spec.external_name.removesuffix(".")
    if name:
        yield from dns1123_subdomain(SPEC.child("externalName"), name)
    else:
        yield required(SPEC.child("externalName"))


def _validate_port(path: Path, port: ServicePort, taken: set[str], *, named: bool) -> Errors:
    if port.name:
        yield from dns1123_label(path.child("name"), port.name)
        if port.name in taken:
            yield duplicate(path.child("name"), port.name)
        taken.add(port.name)
    elif named:
        yield required(path.child("name"))
    yield from port_number(path.child("port"), port.port)
    yield from one_of(path.child("protocol"), port.protocol, PROTOCOLS)
    yield from port_number_or_name(path.child("targetPort"), port.target_port)
    if port.app_protocol is not None:
        yield from qualified_name(path.child("appProtocol"), port.app_protocol)


def _validate_affinity(spec: ServiceSpec) -> Errors:
    yield from one_of(SPEC.child("sessionAffinity"), spec.session_affinity, ("ClientIP", "None"))
    config, at = spec.session_affinity_config, SPEC.child("sessionAffinityConfig")
    if spec.session_affinity == "ClientIP":
        text = "when session affinity type is ClientIP"
        if config is None:
            yield required(at, text)
        elif config.client_ip is None:
            yield required(at.child("clientIP"), text)
        elif config.client_ip.timeout_seconds is None:
            yield required(at.child("clientIP", "timeoutSeconds"), text)
        elif not 0 < config.client_ip.timeout_seconds <= MAX_TIMEOUT:
            text = f"must be greater than 0 and less than {MAX_TIMEOUT}"
            here = at.child("clientIP", "timeoutSeconds")
            yield invalid(here, config.client_ip.timeout_seconds, text)
    elif spec.session_affinity == "None" and config is not None:
        yield forbidden(at, "must not be set when session affinity is None")


def _validate_cluster_ips(spec: ServiceSpec) -> Errors:
    """Check addresses and families; the strategy has made clusterIPs follow clusterIP."""
    if spec.type == "ExternalName":
        return
    at = SPEC.child("clusterIPs")
    if spec.cluster_ip and not spec.cluster_ips:
        yield required(at)
    elif spec.cluster_ips and not spec.cluster_ip:
        yield invalid(at, spec.cluster_ips, "must be empty when `clusterIP` is not specified")
    elif spec.cluster_ips and spec.cluster_ips[0] != spec.cluster_ip:
        yield invalid(at, spec.cluster_ips, "first value must match `clusterIP`")
    seen: set[str] = set()
    for i, family in enumerate(spec.ip_families):
        here = SPEC.child("ipFamilies").index(i)
        if family not in ("IPv4", "IPv6"):
            yield not_supported(here, family, ("IPv4", "IPv6"))
        if family in seen:
            yield duplicate(here, family)
        seen.add(family)
    if spec.ip_family_policy is not None and spec.ip_family_policy not in POLICIES:
        yield not_supported(SPEC.child("ipFamilyPolicy"), spec.ip_family_policy, POLICIES)
    bad = list(_validate_addresses(spec.cluster_ips))
    yield from bad
    if len(spec.cluster_ips) > 2:
        yield invalid(at, spec.cluster_ips, "may only hold up to 2 values")
    if not bad and not is_headless(spec):
        yield from _validate_families(spec)


def _validate_addresses(cluster_ips: list[str]) -> Errors:
    at = SPEC.child("clusterIPs")
    for i, address in enumerate(cluster_ips):
        if i or address != "None":
            yield from ip_address(at.index(i), address)
        elif len(cluster_ips) > 1:
            yield invalid(at, cluster_ips, "'None' must be the first and only value")


def _validate_families(spec: ServiceSpec) -> Errors:
    """Check which families the addresses are of, all of which are ones."""
    at, found = SPEC.child("clusterIPs"), families(spec.cluster_ips)
    if len(found) > 1 and sorted(set(found)) != ["IPv4", "IPv6"]:
        text = "may specify no more than one IP for each IP family"
        yield invalid(at, spec.cluster_ips, text)
    for i, (own, family) in enumerate(zip(found, spec.ip_families, strict=False)):
        if own != family and family in ("IPv4", "IPv6"):
            text = f"expected an {family} value as indicated by `ipFamilies[{i}]`"
            yield invalid(at.index(i), spec.cluster_ips[i], text)


def _validate_port_numbers(spec: ServiceSpec) -> Errors:
    at = SPEC.child("ports")
    if spec.type == "ClusterIP":
        for i, port in enumerate(spec.ports):
            if port.node_port:
                text = "may not be used when `type` is 'ClusterIP'"
                yield forbidden(at.index(i).child("nodePort"), text)
    node_ports: set[tuple[str, int]] = set()
    for i, port in enumerate(spec.ports):
        if port.node_port and (port.protocol, port.node_port) in node_ports:
            yield duplicate(at.index(i).child("nodePort"), port.node_port)
        node_ports.add((port.protocol, port.node_port))
    ports: set[tuple[str, int]] = set()
    for i, port in enumerate(spec.ports):
        if (port.protocol, port.port) in ports:
            dump = Verbatim(
                f'core.ServicePort{{Name:"", Protocol:"{port.protocol}", '
                f"AppProtocol:(*string)(nil), Port:{port.port}, "
                'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}'
            )
            yield FieldError(DUPLICATE, str(at.index(i)), dump)
        ports.add((port.protocol, port.port))


def _validate_source_ranges(spec: ServiceSpec, annotation: str | None) -> Errors:
    """Check the ranges of the field, or where it has none, those of the old annotation."""
    ranges, at = spec.load_balancer_source_ranges, SPEC.child("LoadBalancerSourceRanges")
    if not ranges and annotation is None:
        return
    if ranges:
        each = [(at.index(i), text) for i, text in enumerate(ranges)]
    else:
        at, text = ANNOTATIONS.key(SOURCE_RANGES), (annotation or "").strip()
        each = [(at, part) for part in text.split(",")] if text else []
    if spec.type != "LoadBalancer":
        yield forbidden(at, _FOR_LOAD_BALANCERS)
    for here, text in each:
        yield from cidr(here, text.strip())


def _validate_load_balancer(spec: ServiceSpec) -> Errors:
    balanced = spec.type == "LoadBalancer"
    if spec.allocate_load_balancer_node_ports is not None and not balanced:
        yield forbidden(SPEC.child("allocateLoadBalancerNodePorts"), _FOR_LOAD_BALANCERS)
    if spec.allocate_load_balancer_node_ports is None and balanced:
        yield required(Path("allocateLoadBalancerNodePorts"))
    yield from _validate_class(spec)


def _validate_class(spec: ServiceSpec) -> Errors:
    if spec.load_balancer_class is None:
        return
    at = SPEC.child("loadBalancerClass")
    if spec.type == "LoadBalancer":
        yield from qualified_name(at, spec.load_balancer_class)
    else:
        yield forbidden(at, _FOR_LOAD_BALANCERS)


def _validate_traffic(spec: ServiceSpec) -> Errors:
    at, policy = SPEC.child("externalTrafficPolicy"), spec.external_traffic_policy
    if is_external(spec):
        yield from one_of(at, policy, ("Cluster", "Local"))
    elif policy:
        yield invalid(at, policy, "may only be set for externally-accessible services")
    if spec.health_check_node_port and not needs_health_check(spec):
        text = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        yield invalid(SPEC.child("healthCheckNodePort"), spec.health_check_node_port, text)
    elif spec.health_check_node_port:
        yield from port_number(SPEC.child("healthCheckNodePort"), spec.health_check_node_port)
    inside = spec.internal_traffic_policy
    if inside is None:
        if spec.type in ("ClusterIP", "NodePort", "LoadBalancer"):
            yield required(SPEC.child("internalTrafficPolicy"))
    elif inside not in ("Cluster", "Local"):
        at = SPEC.child("internalTrafficPolicy")
        yield not_supported(at, inside, ("Cluster", "Local"))
    distribution = spec.traffic_distribution
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        yield not_supported(SPEC.child("trafficDistribution"), distribution, _DISTRIBUTIONS)


def validate_service_update(new: Service, old: Service) -> list[FieldError]:
    """Return the offences of an update: the addresses of a Service stay what they are."""
    return [*_validate_changes(new.spec, old.spec), *validate_service(new)]


def _validate_changes(new: ServiceSpec, old: ServiceSpec) -> Errors:
    if "ExternalName" not in (new.type, old.type):
        yield from _validate_new_addresses(new, old)
        if not is_headless(new) and not is_headless(old):
            yield from _validate_new_families(new, old)
    if new.type == old.type == "LoadBalancer":
        at = SPEC.child("loadBalancerClass")
        if new.load_balancer_class != old.load_balancer_class:
            yield invalid(at, new.load_balancer_class, "may not change once set")
    yield from _validate_class(new)
    checked = needs_health_check(new) and needs_health_check(old)
    if checked and new.health_check_node_port != old.health_check_node_port:
        yield forbidden(SPEC.child("healthCheckNodePort"), "field is immutable")


def _validate_new_addresses(new: ServiceSpec, old: ServiceSpec) -> Errors:
    mine, before, at = new.cluster_ips, old.cluster_ips, SPEC.child("clusterIPs")
    if is_headless(new) and is_headless(old):
        return
    if before and not mine:
        yield invalid(at.index(0), _NONE, "primary clusterIP can not be unset")
    for i, (after, was) in enumerate(zip(mine, before, strict=False)):
        if after != was and (i == 0 or len(mine) == len(before)):
            yield invalid(at.index(i), mine, "may not change once set")
    if len(before) > len(mine) == 1 and new.ip_family_policy != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        yield invalid(SPEC.child("ipFamilyPolicy"), new.ip_family_policy, text)


def _validate_new_families(new: ServiceSpec, old: ServiceSpec) -> Errors:
    mine, before, at = new.ip_families, old.ip_families, SPEC.child("ipFamilies").index(0)
    if len(before) > len(mine) and not new.cluster_ips:
        yield invalid(at, Verbatim("[]core.IPFamily(nil)"), "primary ipFamily can not be unset")
    if len(mine) == len(before):
        shown = Verbatim(f"[]core.IPFamily{{{', '.join(map(quote, mine))}}}")
        for after, was in zip(mine, before, strict=True):
            if after != was:
                yield invalid(at, shown, "may not change once set")
    elif mine and before and mine[0] != before[0]:  # of other lengths, upstream shows these
        yield invalid(at, new.cluster_ips, "may not change once set")
    if len(before) > len(mine) == 1 and new.ip_family_policy != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        yield invalid(SPEC.child("ipFamilyPolicy"), new.ip_family_policy, text)


def validate_service_status(service: Service) -> list[FieldError]:
    """Return the offences of ``status``."""
    conditions = validate_conditions(Path("status").child("conditions"), service.status.conditions)
    return [*_load_balancer(service), *conditions]


def _load_balancer(service: Service) -> Errors:
    at = Path("status.loadBalancer.ingress")
    ingresses = service.status.load_balancer.ingress
    if ingresses and service.spec.type != "LoadBalancer":
        yield forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for i, ingress in enumerate(ingresses):
        here = at.index(i)
        if ingress.ip:
            yield from ip_address(here.child("ip"), ingress.ip)
        if ingress.ip_mode is not None and not ingress.ip:
            text = "may not be specified when `ip` is not set"
            yield forbidden(here.child("ipMode"), text)
        elif ingress.ip_mode is not None:
            yield from one_of(here.child("ipMode"), ingress.ip_mode, ("Proxy", "VIP"))
        if ingress.hostname:
            yield from dns_name(here.child("hostname"), ingress.hostname)
