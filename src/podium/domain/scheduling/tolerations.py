"""Tolerations of two sources made one list.

Follows ``pkg/util/tolerations`` of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.types.core_v1 import Toleration


def merged(first: Sequence[Toleration], second: Sequence[Toleration]) -> list[Toleration]:
    """Return both, without those that another one includes; of equal ones the first stays."""
    everything = [*first, *second]
    kept: list[Toleration] = []
    for i, toleration in enumerate(everything):
        later = (other for other in everything[i + 1 :] if other != toleration)
        if not any(_includes(other, toleration) for other in (*kept, *later)):
            kept.append(toleration)
    return kept


def _includes(more: Toleration, less: Toleration) -> bool:
    """Whether all that *less* tolerates is tolerated by *more* too, and for as long."""
    if more == less:
        return True
    if more.key != less.key and (more.key or more.operator != "Exists"):
        return False
    if more.effect not in ("", less.effect):
        return False
    if more.effect == "NoExecute" and more.toleration_seconds is not None:
        seconds = less.toleration_seconds
        if seconds is None or seconds > more.toleration_seconds:
            return False
    if more.operator == "Exists":
        return True
    return more.operator in ("", "Equal") and less.operator == "Equal" and more.value == less.value
