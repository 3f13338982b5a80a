"""Validation of requests and limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from podium.api import names
from podium.api.field import (
    NOT_FOUND,
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from podium.api.go_syntax import go_quantity
from podium.api.quantity import canonical, format_bytes, format_milli, parse, to_milli
from podium.api.resources import (
    container_limits,
    container_requests,
    is_huge_page,
    supports_pod_level,
)
from podium.api.types.core_v1 import Pod, ResourceClaim, ResourceRequirements
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    invalid_each,
    non_negative_quantity,
)

STANDARD_CONTAINER_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_STANDARD = frozenset(
    [
        f"{part}{name}"
        for part in ("", "requests.", "limits.")
        for name in STANDARD_CONTAINER_RESOURCES
    ]
    + "storage requests.storage pods resourcequotas services services.nodeports".split()
    + "services.loadbalancers replicationcontrollers secrets configmaps".split()
    + ["persistentvolumeclaims"]
)
_INTEGERS = (
    "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets",
    "services", "configmaps", "services.loadbalancers", "services.nodeports",
)  # fmt: skip


def is_native(name: str) -> bool:
    """Whether Kubernetes itself defines the resource."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether the resource belongs to some device plugin; such ones are whole and not shared."""
    return (
        not is_native(name)
        and not name.startswith("requests.")
        and not names.qualified_name(f"requests.{name}")
    )


def may_overcommit(name: str) -> bool:
    return is_native(name) and not is_huge_page(name)


def validate_container_resources(
    path: Path, resources: ResourceRequirements, claims: Collection[str]
) -> Errors:
    """Check a container's requests and limits; *claims* are the Pod's resource claims."""
    yield from _validate_requirements(path, resources, validate_container_resource_name)
    yield from _validate_claims(path.child("claims"), resources.claims, claims)


def validate_pod_resources(path: Path, pod: Pod) -> Errors:
    """Check ``spec.resources``, and that it is no less than what the containers ask for."""
    resources = pod.spec.resources
    if resources is None:
        return
    if pod.spec.os is not None and pod.spec.os.name == "windows":
        yield forbidden(path, "may not be set for a windows pod")
        return
    if resources.claims:
        text = "claims may not be set for Resources at pod-level"
        yield forbidden(path.child("claims"), text)
    claims = [claim.name for claim in pod.spec.resource_claims if claim.name]
    yield from _validate_requirements(path, resources, _pod_resource_name)
    yield from _validate_claims(path.child("claims"), resources.claims, claims)
    yield from _not_less(path, "requests", resources.requests, container_requests(pod))
    huge = {name: sum_ for name, sum_ in container_limits(pod).items() if is_huge_page(name)}
    yield from _not_less(path, "limits", resources.limits, huge)
    for i, container in enumerate(pod.spec.containers):
        for name, limit in sorted(container.resources.limits.items()):
            total = resources.limits.get(name, "")
            if total and parse(limit).value > parse(total).value:
                at = path.child("containers").index(i).key(name).child("limits")
                text = f"must be less than or equal to pod limits of {canonical(total)}"
                yield invalid(at, canonical(limit), text)


def _not_less(path: Path, part: str, granted: Mapping[str, str], sums: Mapping[str, int]) -> Errors:
    """What the Pod states must be enough for its containers together."""
    for name, wanted in sorted(sums.items()):
        if name in granted and wanted > to_milli(granted[name]):
            whole = name == "memory" or is_huge_page(name)
            total = format_bytes(-(-wanted // 1000)) if whole else format_milli(wanted)
            text = f"must be greater than or equal to aggregate container {part} of {total}"
            yield invalid(path.child(part).key(name), canonical(granted[name]), text)


def _validate_requirements(
    path: Path,
    resources: ResourceRequirements,
    check_name: Callable[[Path, str], Errors],
) -> Errors:
    limits, requests = resources.limits, resources.requests
    for name in sorted(limits):
        at = path.child("limits").key(name)
        yield from check_name(at, name)
        yield from validate_amount(at, name, limits[name])
        yield from _validate_huge_page(at, name, limits[name])
    for name in sorted(requests):
        at = path.child("requests").key(name)
        yield from check_name(at, name)
        yield from validate_amount(at, name, requests[name])
        yield from _validate_request(path, name, requests[name], limits)
        yield from _validate_huge_page(at, name, requests[name])
    everything = {*limits, *requests}
    if any(map(is_huge_page, everything)) and not everything & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")


def _validate_request(path: Path, name: str, request: str, limits: Mapping[str, str]) -> Errors:
    limit = limits.get(name)
    if limit is None:
        if not may_overcommit(name):
            text = "Limit must be set for non overcommitable resources"
            yield required(path.child("limits"), text)
        return
    wanted, most = parse(request).value, parse(limit).value
    if wanted != most and not may_overcommit(name):
        yield invalid(path.child("requests"), canonical(request), f"must be equal to {name} limit")
    elif wanted > most:
        text = f"must be less than or equal to {name} limit"
        yield invalid(path.child("requests"), canonical(request), text)


def validate_amount(path: Path, name: str, quantity: str) -> Errors:
    """Check that an amount is not negative, and whole where the resource cannot be divided."""
    yield from non_negative_quantity(path, quantity)
    if (name in _INTEGERS or is_extended(name)) and to_milli(quantity) % 1000:
        yield invalid(path, go_quantity(quantity), "must be an integer")


def _validate_huge_page(path: Path, name: str, quantity: str) -> Errors:
    if not is_huge_page(name):
        return
    size = name.removeprefix("hugepages-")
    try:
        page = parse(size).value
    except ValueError:
        return
    amount = parse(quantity).value
    if page <= 0 or amount < 0 or amount % page:
        text = canonical(quantity)
        yield invalid(path, text, f"{text} is not positive integer multiple of {name}")


def validate_resource_name(path: Path, name: str) -> Errors:
    """A resource is one that Kubernetes knows, or has a domain in front."""
    problems = names.qualified_name(name)
    yield from invalid_each(path, name, problems)
    if not problems and "/" not in name and not _is_standard(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def _is_standard(name: str) -> bool:
    return name in _STANDARD or is_huge_page(name.removeprefix("requests."))


def validate_container_resource_name(path: Path, name: str) -> Errors:
    yield from validate_resource_name(path, name)
    if "/" not in name:
        if name not in STANDARD_CONTAINER_RESOURCES and not is_huge_page(name):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def _pod_resource_name(path: Path, name: str) -> Errors:
    problems = list(validate_resource_name(path, name))
    yield from problems
    if not problems and not supports_pod_level(name):
        yield not_supported(path, name, ("cpu", "hugepages-", "memory"))


def _validate_claims(path: Path, claims: list[ResourceClaim], known: Collection[str]) -> Errors:
    seen: set[str] = set()
    parts: Counter[str] = Counter()
    names_of = ": " + ", ".join(sorted(known)) if known else " which is empty"
    unknown = f"must be one of the names in pod.spec.resourceClaims{names_of}"
    known = set(known)
    for i, claim in enumerate(claims):
        at = path.index(i)
        if not claim.name:
            yield required(at)
            continue
        if claim.name in seen:  # all of it
            yield duplicate(at, claim.name)
        else:
            yield from _validate_request_of(at, claim, seen, parts)
        if claim.name not in known:
            yield FieldError(NOT_FOUND, str(at), claim.name, unknown)


def _validate_request_of(
    path: Path, claim: ResourceClaim, seen: set[str], parts: Counter[str]
) -> Errors:
    """No part of a claim may be named twice; *seen* gets the claim, or what is named of it, and
    *parts* of which claims parts are named."""
    key = claim.name
    if claim.request:
        yield from dns1123_label(path.child("request"), claim.request)
        key += f"/{claim.request}"
    if key in seen:
        yield duplicate(path, key)
        return
    seen.add(key)
    if claim.request:
        parts[claim.name] += 1
    else:
        for _ in range(parts[claim.name]):
            yield duplicate(path, claim.name)
