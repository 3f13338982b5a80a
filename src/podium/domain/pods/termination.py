"""Ending a Pod: how long it is given, and in which order things go."""

from __future__ import annotations

from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod, PodStatus
from podium.domain.pods.observed import Observed
from podium.domain.pods.phase import is_terminal

DEFAULT_GRACE = 30.0
DEADLINE_EXCEEDED = "DeadlineExceeded"
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


def grace_period(pod: Pod) -> float:
    """Seconds between the stop signal and SIGKILL.

    A deletion's own grace period goes before that of the spec. A Pod that is deleted at once still
    gets one second, as upstream gives it.
    """
    if pod.metadata.deletion_timestamp is not None:
        given = pod.metadata.deletion_grace_period_seconds
        if given is not None:
            return float(max(given, 1))
    given = pod.spec.termination_grace_period_seconds
    return float(max(given, 1)) if given is not None else DEFAULT_GRACE


def deadline(pod: Pod, status: PodStatus) -> datetime | None:
    """When activeDeadlineSeconds runs out, None when there is no such end."""
    seconds = pod.spec.active_deadline_seconds
    started = status.start_time or pod.status.start_time
    if seconds is None or started is None:
        return None
    return started + timedelta(seconds=seconds)


def must_end(pod: Pod, phase: str) -> bool:
    """Whether nothing of the Pod is to run any more: it is deleted, or it is over."""
    return pod.metadata.deletion_timestamp is not None or is_terminal(phase)


def has_ended(observed: Observed) -> bool:
    """Whether nothing of the Pod runs and its network is given back."""
    return not observed.anything_runs and not any(s.ready for s in observed.sandboxes)
