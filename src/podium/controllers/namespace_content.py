"""What is left in a namespace that is being deleted, and the conditions that say so (pure).

Texts follow ``pkg/controller/namespace/deletion/status_condition_utils.go``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from podium.api.types.core_v1 import NamespaceCondition

DISCOVERY_FAILURE = "NamespaceDeletionDiscoveryFailure"
PARSING_FAILURE = "NamespaceDeletionGroupVersionParsingFailure"
CONTENT_FAILURE = "NamespaceDeletionContentFailure"
CONTENT_REMAINING = "NamespaceContentRemaining"
FINALIZERS_REMAINING = "NamespaceFinalizersRemaining"

#: What each condition says when all is well, in the order they are listed.
_WELL = {
    DISCOVERY_FAILURE: ("ResourcesDiscovered", "All resources successfully discovered"),
    PARSING_FAILURE: ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    CONTENT_FAILURE: (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    CONTENT_REMAINING: ("ContentRemoved", "All content successfully removed"),
    FINALIZERS_REMAINING: ("ContentHasNoFinalizers", "All content successfully removed"),
}
#: Seconds that an object with finalizers is reckoned to need.
FINALIZER_ESTIMATE = 15


class Remains(msgspec.Struct):
    """What one attempt to empty a namespace has left, and what went wrong."""

    discovery_error: str = ""
    errors: list[str] = msgspec.field(default_factory=list)
    #: Objects still there by ``resource.group`` (the dot stays where the group is empty).
    objects: Counter[str] = msgspec.field(default_factory=Counter)
    finalizers: Counter[str] = msgspec.field(default_factory=Counter)
    #: Seconds until the slowest of them may be gone.
    estimate: int = 0

    @property
    def empty(self) -> bool:
        return not (self.discovery_error or self.errors or self.objects)

    def count(self, resource: str, finalizers: Sequence[str], grace_seconds: int) -> None:
        """Count one object that is still there."""
        self.objects[resource] += 1
        self.finalizers.update(finalizers)
        estimate = FINALIZER_ESTIMATE if finalizers else grace_seconds
        self.estimate = max(self.estimate, estimate)


def conditions(
    remains: Remains, current: Sequence[NamespaceCondition], now: datetime
) -> list[NamespaceCondition]:
    """Return *current* with this controller's conditions as *remains* says."""
    result = list(current)
    for type_, well in _WELL.items():
        trouble = _trouble(type_, remains)
        status = "True" if trouble else "False"
        reason, message = trouble or well
        index = next((i for i, c in enumerate(result) if c.type == type_), None)
        fresh = NamespaceCondition(
            type=type_,
            status=status,
            reason=reason,
            message=message,
            last_transition_time=now.replace(microsecond=0),
        )
        if index is None:
            result.append(fresh)
            continue
        if result[index].status == status:
            transition = result[index].last_transition_time
            fresh = msgspec.structs.replace(fresh, last_transition_time=transition)
        result[index] = fresh
    return result


def _trouble(type_: str, remains: Remains) -> tuple[str, str] | None:
    if type_ == DISCOVERY_FAILURE and remains.discovery_error:
        return "DiscoveryFailed", remains.discovery_error
    if type_ == CONTENT_FAILURE and remains.errors:
        texts = ", ".join(sorted(remains.errors))
        count = len(remains.errors)
        return (
            "ContentDeletionFailed",
            f"Failed to delete all resource types, {count} remaining: {texts}",
        )
    if type_ == CONTENT_REMAINING and remains.objects:
        counts = (f"{name} has {n} resource instances" for name, n in remains.objects.items())
        return "SomeResourcesRemain", f"Some resources are remaining: {', '.join(sorted(counts))}"
    if type_ == FINALIZERS_REMAINING and remains.finalizers:
        counts = (f"{name} in {n} resource instances" for name, n in remains.finalizers.items())
        return (
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {', '.join(sorted(counts))}",
        )
    return None
