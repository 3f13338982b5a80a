"""Validation of Services."""

from __future__ import annotations

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

SPEC = Path("spec")
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
MAX_TIMEOUT = 86400
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")


def is_headless(spec: ServiceSpec) -> bool:
    return spec.cluster_ips[:1] == ["None"] or spec.cluster_ip == "None"


def needs_health_check(spec: ServiceSpec) -> bool:
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def is_external(spec: ServiceSpec) -> bool:
    """Whether the Service is reached from outside of the cluster."""
    return spec.type in ("NodePort", "LoadBalancer") or (
        spec.type == "ClusterIP" and bool(spec.external_ips)
    )


def validate_service(service: Service) -> list[FieldError]:
    """Return the offences of a Service's spec."""
    return list(_validate(service.spec))


def _validate(spec: ServiceSpec) -> Errors:
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
    """Check addresses and families; the strategy has made clusterIP and clusterIPs agree."""
    if spec.type == "ExternalName":
        return
    at = SPEC.child("clusterIPs")
    if spec.cluster_ip and not spec.cluster_ips:
        yield required(at)
    elif spec.cluster_ips and spec.cluster_ips[0] != spec.cluster_ip:
        yield invalid(at, spec.cluster_ips, "first value must match `clusterIP`")
    for i, family in enumerate(spec.ip_families):
        here = SPEC.child("ipFamilies").index(i)
        if family not in ("IPv4", "IPv6"):
            yield not_supported(here, family, ("IPv4", "IPv6"))
        if family in spec.ip_families[:i]:
            yield duplicate(here, family)
    if spec.ip_family_policy is not None and spec.ip_family_policy not in POLICIES:
        yield not_supported(SPEC.child("ipFamilyPolicy"), spec.ip_family_policy, POLICIES)
    for i, address in enumerate(spec.cluster_ips):
        if address == "None":
            if i or len(spec.cluster_ips) > 1:
                text = "'None' must be the first and only value"
                yield invalid(at.index(i), address, text)
            continue
        bad = list(ip_address(at.index(i), address))
        yield from bad
        if not bad and i < len(spec.ip_families) and families([address])[0] != spec.ip_families[i]:
            text = f"expected an {spec.ip_families[i]} value as indicated by `ipFamilies[{i}]`"
            yield invalid(at.index(i), address, text)
    if len(spec.cluster_ips) > 2:
        yield invalid(at, spec.cluster_ips, "may only hold up to 2 values")


def _validate_port_numbers(spec: ServiceSpec) -> Errors:
    at = SPEC.child("ports")
    node_ports: set[tuple[str, int]] = set()
    for i, port in enumerate(spec.ports):
        if not port.node_port:
            continue
        if spec.type == "ClusterIP":
            text = "may not be used when `type` is 'ClusterIP'"
            yield forbidden(at.index(i).child("nodePort"), text)
        elif (port.protocol, port.node_port) in node_ports:
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


def _validate_load_balancer(spec: ServiceSpec) -> Errors:
    balanced = spec.type == "LoadBalancer"
    only = "may only be used when `type` is 'LoadBalancer'"
    at = SPEC.child("LoadBalancerSourceRanges")
    if spec.load_balancer_source_ranges and not balanced:
        yield forbidden(at, only)
    for i, source in enumerate(spec.load_balancer_source_ranges):
        yield from cidr(at.index(i), source.strip())
    if spec.allocate_load_balancer_node_ports is not None and not balanced:
        yield forbidden(SPEC.child("allocateLoadBalancerNodePorts"), only)
    if spec.allocate_load_balancer_node_ports is None and balanced:
        yield required(Path("allocateLoadBalancerNodePorts"))
    if spec.load_balancer_class is not None:
        here = SPEC.child("loadBalancerClass")
        if not balanced:
            yield forbidden(here, only)
        yield from qualified_name(here, spec.load_balancer_class)


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
    errors: list[FieldError] = []
    mine, theirs = new.spec, old.spec
    if "ExternalName" not in (mine.type, theirs.type):
        for name, after, before in (
            ("clusterIPs", mine.cluster_ips, theirs.cluster_ips),
            ("ipFamilies", mine.ip_families, theirs.ip_families),
        ):
            if before and after and after[0] != before[0]:
                text = "may not change once set"
                errors.append(invalid(SPEC.child(name).index(0), after[:1], text))
            elif before and not after:
                text = (
                    "primary clusterIP can not be unset"
                    if name == "clusterIPs"
                    else ("primary ipFamily can not be unset")
                )
                errors.append(invalid(SPEC.child(name).index(0), before[0], text))
    checked = needs_health_check(mine) and needs_health_check(theirs)
    if checked and mine.health_check_node_port != theirs.health_check_node_port:
        errors.append(forbidden(SPEC.child("healthCheckNodePort"), "field is immutable"))
    if (
        mine.type == theirs.type == "LoadBalancer"
        and mine.load_balancer_class != theirs.load_balancer_class
    ):
        at = SPEC.child("loadBalancerClass")
        errors.append(invalid(at, mine.load_balancer_class, "may not change once set"))
    return errors + validate_service(new)


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
