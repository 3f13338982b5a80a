"""What objects take out of a ResourceQuota. Follows ``pkg/quota/v1`` of Kubernetes.

Amounts are thousandths throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podium.api import resources
from podium.api.quantity import format_bytes, format_milli, to_milli
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, SERVICES, Resource
from podium.api.types.core_v1 import PersistentVolumeClaim, Pod, ResourceQuota, Service

Amounts = dict[str, int]
_ONE = 1000
#: Kinds that are counted under their plural alone, too.
COUNTED = frozenset({
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
})  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_FINISHED = ("Succeeded", "Failed")


def count_name(resource: Resource) -> str:
    """``count/pods``, ``count/deployments.apps``."""
    return f"count/{resource.qualified}"


def usage(resource: Resource, obj: Any) -> Amounts:
    """Return what *obj* takes, under every name that a quota may have for it."""
    found = {count_name(resource): _ONE}
    if resource is PODS:
        found |= _pod_usage(obj)
    elif resource is SERVICES:
        found |= _service_usage(obj)
    elif resource is PERSISTENTVOLUMECLAIMS:
        found |= _claim_usage(obj)
    elif not resource.group and resource.plural in COUNTED:
        found[resource.plural] = _ONE
    return found


def covers(quota: ResourceQuota, resource: Resource, obj: Any) -> bool:
    """Whether the scopes of *quota* hold for *obj*."""
    scopes = list(quota.spec.scopes)
    if resource is not PODS:
        return not scopes and quota.spec.scope_selector is None
    if not all(_in_scope(scope, obj) for scope in scopes):
        return False
    selector = quota.spec.scope_selector
    if selector is None:
        return True
    return all(
        _in_scope(need.scope_name, obj)
        if need.scope_name != "PriorityClass"
        else _class_matches(need.operator, need.values, obj.spec.priority_class_name)
        for need in selector.match_expressions
    )


def total(quota: ResourceQuota, resource: Resource, objects: Iterable[Any]) -> Amounts:
    """Return what *objects* take of what *quota* limits."""
    found: Amounts = {}
    for obj in objects:
        if covers(quota, resource, obj):
            for name, amount in usage(resource, obj).items():
                if name in quota.spec.hard:
                    found[name] = found.get(name, 0) + amount
    return found


def may_concern(quota: ResourceQuota, resource: Resource) -> bool:
    """Whether *quota* limits anything that objects of *resource* take."""
    names = {count_name(resource)}
    if not resource.group and resource.plural in COUNTED:
        names.add(resource.plural)
    for name in quota.spec.hard:
        if name in names:
            return True
        if resource is PODS and _is_compute(name):
            return True
        if resource is SERVICES and name.startswith("services."):
            return True
        if resource is PERSISTENTVOLUMECLAIMS and "storage" in name and "ephemeral" not in name:
            return True
    return False


def missing(quota: ResourceQuota, pod: Pod) -> list[str]:
    """Return the compute resources that *quota* limits and some container does not state."""
    names = set()
    for container in (*pod.spec.containers, *pod.spec.init_containers):
        stated = {f"limits.{name}" for name in container.resources.limits}
        stated |= {f"requests.{name}" for name in container.resources.requests}
        stated |= set(container.resources.requests)
        for name in quota.spec.hard:
            if name in stated or name.removeprefix("requests.") in stated:
                continue
            plain = name.removeprefix("limits.").removeprefix("requests.")
            if plain in ("cpu", "memory"):
                names.add(name)
    return sorted(names)


def text(name: str, amount: int) -> str:
    """Return *amount* of the resource *name* as a quantity."""
    plain = name.removeprefix("limits.").removeprefix("requests.")
    if plain in ("memory", "ephemeral-storage", "storage") or plain.startswith("hugepages-"):
        return format_bytes(amount // 1000)
    return format_milli(amount)


def amounts(values: Mapping[str, str]) -> Amounts:
    return {name: to_milli(value) for name, value in values.items()}


def _is_compute(name: str) -> bool:
    plain = name.removeprefix("limits.").removeprefix("requests.")
    return (
        plain in _COMPUTE
        or plain.startswith("hugepages-")
        or (name.startswith("requests.") and "/" in name)
    )


def _pod_usage(pod: Pod) -> Amounts:
    """A Pod that is over takes nothing but the room of its object."""
    if pod.status.phase in _FINISHED:
        return {}
    found = {"pods": _ONE}
    for name, amount in resources.pod_requests(pod).items():
        found[f"requests.{name}"] = amount
        if name in _COMPUTE or name.startswith("hugepages-"):
            found[name] = amount
    for name, amount in resources.pod_limits(pod).items():
        found[f"limits.{name}"] = amount
    return found


def _service_usage(service: Service) -> Amounts:
    found = {"services": _ONE}
    ports = sum(1 for port in service.spec.ports if port.node_port) * _ONE
    if service.spec.type == "NodePort":
        found["services.nodeports"] = len(service.spec.ports) * _ONE
    elif service.spec.type == "LoadBalancer":
        found["services.loadbalancers"] = _ONE
        allocates = service.spec.allocate_load_balancer_node_ports is not False
        found["services.nodeports"] = len(service.spec.ports) * _ONE if allocates else ports
    return found


def _claim_usage(claim: PersistentVolumeClaim) -> Amounts:
    found = {"persistentvolumeclaims": _ONE}
    storage = to_milli(claim.spec.resources.requests.get("storage", "0"))
    found["requests.storage"] = storage
    if claim.spec.storage_class_name:
        prefix = f"{claim.spec.storage_class_name}.storageclass.storage.k8s.io/"
        found[f"{prefix}persistentvolumeclaims"] = _ONE
        found[f"{prefix}requests.storage"] = storage
    return found


def _in_scope(scope: str, pod: Pod) -> bool:
    match scope:
        case "Terminating":
            return pod.spec.active_deadline_seconds is not None
        case "NotTerminating":
            return pod.spec.active_deadline_seconds is None
        case "BestEffort":
            return resources.qos_class(pod) == "BestEffort"
        case "NotBestEffort":
            return resources.qos_class(pod) != "BestEffort"
        case "PriorityClass":
            return bool(pod.spec.priority_class_name)
    return False


def _class_matches(operator: str, values: list[str], name: str) -> bool:
    match operator:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "Exists":
            return bool(name)
        case "DoesNotExist":
            return not name
    return False
