"""The phase that container states add up to."""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.types.core_v1 import ContainerStatus, Pod
from podium.domain.pods.restart import policy_restarts

PENDING = "Pending"
RUNNING = "Running"
SUCCEEDED = "Succeeded"
FAILED = "Failed"


def is_terminal(phase: str) -> bool:
    return phase in (SUCCEEDED, FAILED)


def pod_phase(pod: Pod, statuses: Sequence[ContainerStatus], *, terminal: bool = False) -> str:
    """Return the phase that the regular containers' *statuses* add up to.

    *terminal* says that the Pod is being ended for good, so that nothing will be restarted
    whatever restartPolicy allows. A container that waits in back-off counts as stopped, not as
    waiting to start: it has run before, and a crash-looping Pod must not flap between phases.
    """
    by_name = {status.name: status for status in statuses}
    codes: list[int] = []
    running = 0
    for container in pod.spec.containers:
        status = by_name.get(container.name)
        if status is None:
            return PENDING
        if status.state.running is not None:
            running += 1
            continue
        ended = status.state.terminated or status.last_state.terminated
        if ended is None:
            return PENDING
        codes.append(ended.exit_code)
    if running:
        return RUNNING
    if not codes:
        return PENDING
    if not terminal and any(policy_restarts(pod.spec.restart_policy, code) for code in codes):
        return RUNNING
    return FAILED if any(codes) else SUCCEEDED
