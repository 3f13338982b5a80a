"""How long a Pod may stay on a node that has taints with the effect NoExecute. Pure.

Follows ``k8s.io/kubernetes/pkg/controller/tainteviction``.
"""

from __future__ import annotations

from collections.abc import Iterable

from podium.api.types.core_v1 import Taint, Toleration
from podium.domain.scheduling.taints import NO_EXECUTE, tolerates, untolerated


def seconds_left(taints: Iterable[Taint], tolerations: list[Toleration]) -> float | None:
    """Return how many seconds the Pod is tolerant from now on; None for ever.

    The shortest toleration of those that match counts; one that names no time has no end.
    """
    bad = [taint for taint in taints if taint.effect == NO_EXECUTE]
    if not bad:
        return None
    if untolerated(bad, tolerations, (NO_EXECUTE,)):
        return 0.0
    used = [one for one in tolerations if any(tolerates(one, taint) for taint in bad)]
    times = [one.toleration_seconds for one in used if one.toleration_seconds is not None]
    return max(float(min(times)), 0.0) if times else None
