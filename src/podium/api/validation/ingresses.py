"""Checks of Ingresses and IngressClasses. Follows ``pkg/apis/networking/validation``."""

from __future__ import annotations

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    Verbatim,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.types.core_v1 import TypedLocalObjectReference
from podium.api.types.networking_v1 import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressClassParametersReference,
    IngressRule,
    IngressServiceBackend,
)
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    dns1123_subdomain,
    dns_name,
    domain_prefixed_path,
    immutable,
    invalid_each,
    ip_address,
    is_ip,
    port_number,
)

SPEC = Path("spec")
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_SCOPES = ("Cluster", "Namespace")
_CLASS = "kubernetes.io/ingress.class"
_MAX_CONTROLLER = 250


def validate_ingress(obj: Ingress) -> list[FieldError]:
    """Check a new Ingress: one that says its class twice has to say it the same."""
    errors = validate_ingress_update(obj)
    name, said = obj.spec.ingress_class_name, obj.metadata.annotations.get(_CLASS)
    if said is not None and name is not None and said != name:
        text = "must match `ingressClassName` when both are specified"
        errors.append(invalid(Path("annotations").child(_CLASS), said, text))
    return errors


def validate_ingress_update(obj: Ingress) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if not spec.rules and spec.default_backend is None:
        text = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid(SPEC, Verbatim("[]networking.IngressRule(nil)"), text))
    if spec.default_backend is not None:
        errors.extend(_backend(SPEC.child("defaultBackend"), spec.default_backend))
    for i, rule in enumerate(spec.rules):
        errors.extend(_rule(SPEC.child("rules").index(i), rule))
    for i, tls in enumerate(spec.tls):
        at = SPEC.child("tls").index(i)
        for j, host in enumerate(tls.hosts):
            errors.extend(_host(at.child("hosts").index(j), host))
        if tls.secret_name:
            errors.extend(dns1123_subdomain(at.child("secretName"), tls.secret_name))
    if spec.ingress_class_name is not None:
        errors.extend(dns1123_subdomain(SPEC.child("ingressClassName"), spec.ingress_class_name))
    return errors


def validate_ingress_status(obj: Ingress) -> Errors:
    for i, point in enumerate(obj.status.load_balancer.ingress):
        at = Path("status").child("loadBalancer", "ingress").index(i)
        if point.ip:
            yield from ip_address(at.child("ip"), point.ip)
        if point.hostname:
            yield from dns_name(at.child("hostname"), point.hostname)


def validate_ingress_class(obj: IngressClass) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    at = SPEC.child("controller")
    if len(spec.controller) > _MAX_CONTROLLER:
        errors.append(too_long(at, _MAX_CONTROLLER))
    errors.extend(domain_prefixed_path(at, spec.controller))
    if spec.parameters is not None:
        errors.extend(_parameters(SPEC.child("parameters"), spec.parameters))
    return errors


def _parameters(path: Path, parameters: IngressClassParametersReference) -> Errors:
    yield from _reference(path, parameters)
    namespace, scope = parameters.namespace, parameters.scope
    if scope is None:
        yield required(path.child("scope"))
    elif scope not in _SCOPES:
        yield not_supported(path.child("scope"), scope, _SCOPES)
    elif scope == "Namespace" and namespace is None:
        yield required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'")
    elif scope == "Namespace":
        yield from dns1123_label(path.child("namespace"), namespace or "")
    elif namespace is not None:
        yield forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'")


def _reference(
    path: Path, reference: TypedLocalObjectReference | IngressClassParametersReference
) -> Errors:
    if reference.api_group is not None:
        yield from dns1123_subdomain(path.child("apiGroup"), reference.api_group)
    for name, value in (("kind", reference.kind), ("name", reference.name)):
        if not value:
            yield required(path.child(name), f"{name} is required")
        else:
            yield from invalid_each(path.child(name), value, names.path_segment(value))


def validate_ingress_class_update(new: IngressClass, old: IngressClass) -> list[FieldError]:
    changed = immutable(SPEC.child("controller"), new.spec.controller, old.spec.controller)
    return [*validate_ingress_class(new), *changed]


def _host(path: Path, host: str) -> Errors:
    check = names.wildcard_dns1123_subdomain if "*" in host else names.dns1123_subdomain
    yield from invalid_each(path, host, check(host))


def _rule(path: Path, rule: IngressRule) -> Errors:
    if rule.host:
        if is_ip(rule.host):
            yield invalid(path.child("host"), rule.host, "must be a DNS name, not an IP address")
        yield from _host(path.child("host"), rule.host)
    if rule.http is None:
        return
    at = path.child("http", "paths")
    if not rule.http.paths:
        yield required(at)
    for i, http_path in enumerate(rule.http.paths):
        yield from _path(at.index(i), http_path)


def _path(path: Path, rule: HTTPIngressPath) -> Errors:
    at = path.child("path")
    if not rule.path_type:
        yield required(path.child("pathType"), "pathType must be specified")
        return
    if rule.path_type not in PATH_TYPES:
        yield not_supported(path.child("pathType"), rule.path_type, PATH_TYPES)
    elif rule.path_type == "ImplementationSpecific":
        if rule.path and not rule.path.startswith("/"):
            yield invalid(at, rule.path, "must be an absolute path")
    else:
        if not rule.path.startswith("/"):
            yield invalid(at, rule.path, "must be an absolute path")
        for part in _NOT_IN_PATHS:
            if part in rule.path:
                yield invalid(at, rule.path, f"must not contain '{part}'")
        for end in ("/..", "/."):
            if rule.path.endswith(end):
                yield invalid(at, rule.path, f"cannot end with '{end}'")
    yield from _backend(path.child("backend"), rule.backend)


def _backend(path: Path, backend: IngressBackend) -> Errors:
    if backend.resource is not None and backend.service is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif backend.resource is not None:
        yield from _reference(path.child("resource"), backend.resource)
    elif backend.service is not None:
        yield from _service(path, backend.service)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _service(path: Path, service: IngressServiceBackend) -> Errors:
    at, port = path.child("service"), service.port
    if not service.name:
        yield required(at.child("name"))
    else:
        yield from invalid_each(at.child("name"), service.name, names.dns1035_label(service.name))
    if port.name and port.number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif port.name:
        yield from invalid_each(at.child("port", "name"), port.name, names.port_name(port.name))
    elif port.number:
        yield from port_number(at.child("port", "number"), port.number)
    else:
        yield required(path, "port name or number is required")
