"""What one object takes, under every name that a quota may have for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from podium.api import resources
from podium.api.quantity import Amount, parse
from podium.api.resources import is_huge_page
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, SERVICES, Resource
from podium.api.types.core_v1 import PersistentVolumeClaim, Pod, Service
from podium.api.validation.resources import is_extended, is_native
from podium.domain.storage.names import class_of

Amounts = dict[str, Amount]

#: Kinds that may be counted under their plural alone, too.
_COUNTED = frozenset({"configmaps", "replicationcontrollers", "resourcequotas", "secrets"})
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_OF_PODS = frozenset({
    "pods",
    *_COMPUTE,
    *(f"{part}.{name}" for part in ("requests", "limits") for name in _COMPUTE),
})  # fmt: skip
_OF_SERVICES = frozenset({"services", "services.nodeports", "services.loadbalancers"})
_OF_CLAIMS = ("persistentvolumeclaims", "requests.storage")
_CLASS = ".storageclass.storage.k8s.io/"
_FINISHED = ("Succeeded", "Failed")
_IGNORED = frozenset({("", "events"), ("events.k8s.io", "events")})
_ONE = Amount(1)


def is_counted(resource: Resource) -> bool:
    """Whether quotas may be about *resource* at all."""
    ignored = (resource.group, resource.plural) in _IGNORED
    return resource.namespaced and resource.stored and not ignored


def names_of(resource: Resource, names: Iterable[str]) -> set[str]:
    """Return those of *names*, as quotas have them, that are about objects of *resource*."""
    return {name for name in names if _is_of(resource, name)}


def _is_of(resource: Resource, name: str) -> bool:
    if name == f"count/{resource.qualified}":
        return True
    if resource is PODS:
        huge = is_huge_page(name.removeprefix("requests."))
        extended = name.startswith("requests.") and not is_native(name)
        return name in _OF_PODS or huge or extended
    if resource is SERVICES:
        return name in _OF_SERVICES
    if resource is PERSISTENTVOLUMECLAIMS:
        return name in _OF_CLAIMS or name.endswith(tuple(_CLASS + each for each in _OF_CLAIMS))
    return not resource.group and resource.plural in _COUNTED and name == resource.plural


def usage(resource: Resource, obj: Any, now: datetime) -> Amounts:
    """Return what *obj* takes."""
    found = {f"count/{resource.qualified}": _ONE}
    if resource is PODS:
        found |= _pod_usage(obj, now)
    elif resource is SERVICES:
        found |= _service_usage(obj)
    elif resource is PERSISTENTVOLUMECLAIMS:
        found |= _claim_usage(obj)
    elif not resource.group and resource.plural in _COUNTED:
        found[resource.plural] = _ONE
    return found


# ---------------------------------------------------------------------- Pods


def released_at(pod: Pod) -> datetime | None:
    """Return when a Pod that nobody finishes deleting takes nothing any more but its object."""
    metadata = pod.metadata
    if metadata.deletion_timestamp is None or metadata.deletion_grace_period_seconds is None:
        return None
    return metadata.deletion_timestamp + timedelta(seconds=metadata.deletion_grace_period_seconds)


def _pod_usage(pod: Pod, now: datetime) -> Amounts:
    """A Pod that is over, or should be by now, takes nothing but the room of its object."""
    end = released_at(pod)
    if pod.status.phase in _FINISHED or (end is not None and now > end):
        return {}
    found = {"pods": _ONE}
    for name, amount in resources.as_written(pod, resources.pod_requests(pod)).items():
        if name in _COMPUTE or is_huge_page(name):
            found[name] = amount
        if name in _COMPUTE or is_huge_page(name) or is_extended(name):
            found[f"requests.{name}"] = amount
    for name, amount in resources.as_written(pod, resources.pod_limits(pod)).items():
        if name in _COMPUTE:
            found[f"limits.{name}"] = amount
    return found


# ---------------------------------------------------------------------- other kinds


def _service_usage(service: Service) -> Amounts:
    spec = service.spec
    found = {"services": _ONE}
    if spec.type == "LoadBalancer":
        found["services.loadbalancers"] = _ONE
    if spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is False:
        found["services.nodeports"] = Amount(sum(1 for port in spec.ports if port.node_port))
    elif spec.type in ("NodePort", "LoadBalancer"):
        found["services.nodeports"] = Amount(len(spec.ports))
    return found


def _claim_usage(claim: PersistentVolumeClaim) -> Amounts:
    found = {"persistentvolumeclaims": _ONE}
    storage = _storage(claim)
    if storage is not None:
        found["requests.storage"] = storage
    name = class_of(claim)
    return found | {name + _CLASS + each: found[each] for each in tuple(found) if name}


def _storage(claim: PersistentVolumeClaim) -> Amount | None:
    """What is asked for, or what has been set aside for it where that is more, in whole bytes."""
    requested = claim.spec.resources.requests.get("storage")
    if requested is None:
        return None
    amount = parse(requested)
    allocated = claim.status.allocated_resources.get("storage")
    if allocated is not None:
        amount = max(amount, parse(allocated))
    return Amount(int(amount), 0, amount.format)


# ---------------------------------------------------------------------- amounts


def amounts(texts: Mapping[str, str]) -> Amounts:
    return {name: parse(text) for name, text in texts.items()}


def added(one: Mapping[str, Amount], other: Mapping[str, Amount]) -> Amounts:
    total = dict(one)
    for name, amount in other.items():
        total[name] = total[name] + amount if name in total else amount
    return total


def without(one: Mapping[str, Amount], other: Mapping[str, Amount]) -> Amounts:
    """Return *one* less *other*, nothing below zero."""
    zero = Amount(0)
    return {name: max(amount - other.get(name, zero), zero) for name, amount in one.items()}


def texts(values: Mapping[str, Amount]) -> dict[str, str]:
    return {name: str(amount) for name, amount in values.items()}
