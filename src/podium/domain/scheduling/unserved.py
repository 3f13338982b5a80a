"""What a Pod may ask of the scheduler that this one does not do.

Such a Pod waits, and its event names the field: it is never placed as if it had not asked.
"""

from __future__ import annotations

from podium.api.selectors import from_struct
from podium.api.types.core_v1 import Pod


def unserved_requirements(pod: Pod) -> list[str]:
    """Return the paths of fields that forbid placing *pod* at all."""
    spec, affinity = pod.spec, pod.spec.affinity
    found = []
    if affinity is not None:
        for name, kind in (
            ("podAffinity", affinity.pod_affinity),
            ("podAntiAffinity", affinity.pod_anti_affinity),
        ):
            terms = kind.required_during_scheduling_ignored_during_execution if kind else ()
            path = f"spec.affinity.{name}.requiredDuringSchedulingIgnoredDuringExecution"
            for index, term in enumerate(terms):
                # Which namespaces have which labels is not known here; an empty selector means all.
                if term.namespace_selector and not from_struct(term.namespace_selector).empty:
                    found.append(f"{path}[{index}].namespaceSelector")
    if spec.resource_claims:
        found.append("spec.resourceClaims")
    if spec.scheduling_group is not None:
        found.append("spec.schedulingGroup")
    return found


def unserved_preferences(pod: Pod) -> list[str]:
    """Return the paths of fields that matter as soon as there is a choice of nodes."""
    spec, affinity = pod.spec, pod.spec.affinity
    found = []
    if affinity is not None:
        for name, kind in (
            ("podAffinity", affinity.pod_affinity),
            ("podAntiAffinity", affinity.pod_anti_affinity),
        ):
            if kind is not None and kind.preferred_during_scheduling_ignored_during_execution:
                found.append(
                    f"spec.affinity.{name}.preferredDuringSchedulingIgnoredDuringExecution"
                )
    for index, constraint in enumerate(spec.topology_spread_constraints):
        if constraint.when_unsatisfiable == "ScheduleAnyway":
            found.append(f"spec.topologySpreadConstraints[{index}]")
    return found
