"""Checks of Ingresses and IngressClasses. Follows ``pkg/apis/networking/validation``."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.types.networking_v1 import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressRule,
)
from podium.api.validation.common import (
    Errors,
    domain_prefixed_path,
    immutable,
    invalid_each,
    is_ip,
    port_number,
)

SPEC = Path("spec")
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def validate_ingress(obj: Ingress) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if not spec.rules and spec.default_backend is None:
        text = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid(SPEC, spec.rules, text))
    for i, rule in enumerate(spec.rules):
        errors.extend(_rule(SPEC.child("rules").index(i), rule))
    if spec.default_backend is not None:
        errors.extend(_backend(SPEC.child("defaultBackend"), spec.default_backend))
    for i, tls in enumerate(spec.tls):
        for j, host in enumerate(tls.hosts):
            at = SPEC.child("tls").index(i).child("hosts").index(j)
            errors.extend(_host(at, host))
    if spec.ingress_class_name is not None:
        found = names.dns1123_subdomain(spec.ingress_class_name)
        at = SPEC.child("ingressClassName")
        errors.extend(invalid_each(at, spec.ingress_class_name, found))
    return errors


def validate_ingress_class(obj: IngressClass) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    at = SPEC.child("controller")
    if len(spec.controller) > 250:
        errors.append(invalid(at, spec.controller, "may not be more than 250 bytes"))
    errors.extend(domain_prefixed_path(at, spec.controller))
    parameters = spec.parameters
    if parameters is not None:
        at = SPEC.child("parameters")
        for name, value in (("kind", parameters.kind), ("name", parameters.name)):
            if not value:
                errors.append(required(at.child(name), f"{name} is required"))
        if parameters.scope not in (None, "Cluster", "Namespace"):
            place = at.child("scope")
            errors.append(not_supported(place, parameters.scope, ["Cluster", "Namespace"]))
        if parameters.scope == "Namespace" and not parameters.namespace:
            text = "`parameters.scope` is set to 'Namespace'"
            errors.append(required(at.child("namespace"), text))
        if parameters.scope == "Cluster" and parameters.namespace is not None:
            text = "`parameters.scope` is set to 'Cluster'"
            errors.append(forbidden(at.child("namespace"), text))
    return errors


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
    if not rule.path_type:
        yield required(path.child("pathType"), "pathType must be specified")
    elif rule.path_type not in PATH_TYPES:
        yield not_supported(path.child("pathType"), rule.path_type, PATH_TYPES)
    elif not rule.path.startswith("/") and (
        rule.path or rule.path_type != "ImplementationSpecific"
    ):
        yield invalid(path.child("path"), rule.path, "must be an absolute path")
    yield from _backend(path.child("backend"), rule.backend)


def _backend(path: Path, backend: IngressBackend) -> Errors:
    if backend.resource is not None and backend.service is not None:
        text = "cannot set both resource and service backends"
        yield invalid(path, "", text)
    elif backend.resource is None and backend.service is None:
        yield required(path, "resource or service backend is required")
    elif backend.service is not None:
        service, at = backend.service, path.child("service")
        if not service.name:
            yield required(at.child("name"))
        else:
            yield from invalid_each(at.child("name"), service.name,
                                    names.dns1035_label(service.name))  # fmt: skip
        if service.port.name and service.port.number:
            yield invalid(at.child("port"), "", "cannot set both port name & port number")
        elif service.port.name:
            found = names.port_name(service.port.name)
            yield from invalid_each(at.child("port", "name"), service.port.name, found)
        elif service.port.number:
            yield from port_number(at.child("port", "number"), service.port.number)
        else:
            yield required(at, "port name or number is required")
