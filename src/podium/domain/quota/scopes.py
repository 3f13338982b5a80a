"""Which objects a quota covers: those that all its scopes hold for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from podium.api import resources
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, Resource
from podium.api.types.core_v1 import (
    PersistentVolumeClaim,
    Pod,
    PodAffinityTerm,
    ResourceQuota,
    ScopedResourceSelectorRequirement,
)


def covers(quota: ResourceQuota, resource: Resource, obj: Any) -> bool:
    """Whether the scopes of *quota* hold for *obj*; where it has none, it covers all."""
    return all(_holds(need, resource, obj) for need in needs(quota))


def needs(quota: ResourceQuota) -> Iterator[ScopedResourceSelectorRequirement]:
    for scope in quota.spec.scopes:
        yield ScopedResourceSelectorRequirement(scope_name=scope, operator="Exists")
    if quota.spec.scope_selector is not None:
        yield from quota.spec.scope_selector.match_expressions


def _holds(need: ScopedResourceSelectorRequirement, resource: Resource, obj: Any) -> bool:
    if resource is PODS:
        return _holds_for_pod(need, obj)
    if resource is PERSISTENTVOLUMECLAIMS and need.scope_name == "VolumeAttributesClass":
        return _selects(need, _attributes_classes(obj))
    return False


def _holds_for_pod(need: ScopedResourceSelectorRequirement, pod: Pod) -> bool:
    match need.scope_name:
        case "Terminating":
            return pod.spec.active_deadline_seconds is not None
        case "NotTerminating":
            return pod.spec.active_deadline_seconds is None
        case "BestEffort":
            return resources.qos_class(pod) == resources.BEST_EFFORT
        case "NotBestEffort":
            return resources.qos_class(pod) != resources.BEST_EFFORT
        case "PriorityClass":
            name = pod.spec.priority_class_name
            return _selects(need, [name] if name else [])
        case "CrossNamespacePodAffinity":
            return any(_crosses(term) for term in _affinity_terms(pod))
    return False


def _selects(need: ScopedResourceSelectorRequirement, names: Collection[str]) -> bool:
    """Whether *need* holds for what has these names; it may have none."""
    match need.operator:
        case "In":
            return any(name in need.values for name in names)
        case "NotIn":
            return not names or any(name not in need.values for name in names)
        case "Exists":
            return bool(names)
        case "DoesNotExist":
            return not names
    return False


def _affinity_terms(pod: Pod) -> Iterator[PodAffinityTerm]:
    affinity = pod.spec.affinity
    for part in (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ():
        if part is not None:
            yield from part.required_during_scheduling_ignored_during_execution
            for term in part.preferred_during_scheduling_ignored_during_execution:
                yield term.pod_affinity_term


def _crosses(term: PodAffinityTerm) -> bool:
    return bool(term.namespaces) or term.namespace_selector is not None


def _attributes_classes(claim: PersistentVolumeClaim) -> set[str]:
    """The classes that the claim's volume has, or is to have."""
    status = claim.status
    modifying = status.modify_volume_status
    names = {
        claim.spec.volume_attributes_class_name,
        status.current_volume_attributes_class_name,
        modifying.target_volume_attributes_class_name if modifying is not None else "",
    }
    return {name for name in names if name}
