"""Taints of nodes and the tolerations of Pods."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from podium.api import node_taints
from podium.api.types.core_v1 import Taint, Toleration

NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "PreferNoSchedule", "NoExecute"

UNSCHEDULABLE = Taint(key=node_taints.UNSCHEDULABLE, effect=NO_SCHEDULE)


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether *toleration* matches *taint*; an empty effect or key (with Exists) matches any."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    if toleration.operator in ("", "Equal"):
        return bool(toleration.key) and toleration.value == taint.value
    return False


def untolerated(
    taints: Iterable[Taint], tolerations: Collection[Toleration], effects: Collection[str]
) -> list[Taint]:
    """Return the taints of one of *effects* that none of *tolerations* matches, in their order."""
    return [
        taint
        for taint in taints
        if taint.effect in effects and not any(tolerates(t, taint) for t in tolerations)
    ]
