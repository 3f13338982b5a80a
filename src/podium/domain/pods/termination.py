"""Ending a Pod: how long it is given, and in which order things go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Pod, PodStatus
from podium.domain.pods.observed import ContainerRecord
from podium.domain.pods.phase import is_terminal

DEFAULT_GRACE = 30.0
#: The longest grace period that counts, in seconds: what Go's durations hold, 292 years. The API
#: takes any number, and no calendar reaches as far.
LONGEST_GRACE = 2**63 // 10**9
#: What a sidecar gets at least that had to wait for others to end, in seconds.
LEAST_GRACE = 2.0
EVICTED = "Evicted"
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
            return bounded_grace(given)
    given = pod.spec.termination_grace_period_seconds
    return bounded_grace(given) if given is not None else DEFAULT_GRACE


def bounded_grace(seconds: int) -> float:
    """Return *seconds* that the API gives, or what of them counts."""
    return float(min(max(seconds, 1), LONGEST_GRACE))


def deadline(pod: Pod, status: PodStatus) -> datetime | None:
    """When activeDeadlineSeconds runs out, None when there is no such end."""
    seconds = pod.spec.active_deadline_seconds
    started = status.start_time or pod.status.start_time
    if seconds is None or started is None:
        return None
    return started + timedelta(seconds=seconds)


def due_to_stop(pod: Pod, running: Sequence[ContainerRecord]) -> list[ContainerRecord]:
    """Return those of the *running* containers that need not wait for others to end first.

    Sidecars end after all regular containers, and in the reverse of the order they were started in.
    """
    regular = {container.name for container in pod.spec.containers}
    order = [container.name for container in pod.spec.init_containers if is_sidecar(container)]
    sidecars = [record for record in running if record.name in order]
    due = [record for record in running if record.name not in order]
    if sidecars and not any(record.name in regular for record in running):
        last = max(order.index(record.name) for record in sidecars)
        due += [record for record in sidecars if record.name == order[last]]
    return due


def must_end(pod: Pod, phase: str) -> bool:
    """Whether nothing of the Pod is to run any more: it is deleted, or it is over."""
    return pod.metadata.deletion_timestamp is not None or is_terminal(phase)
