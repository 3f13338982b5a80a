"""The phase that container states add up to. Follows ``getPhase`` of upstream's kubelet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, ContainerStatus, Pod
from podium.domain.pods.restart import restarts

PENDING = "Pending"
RUNNING = "Running"
SUCCEEDED = "Succeeded"
FAILED = "Failed"


def is_terminal(phase: str) -> bool:
    return phase in (SUCCEEDED, FAILED)


def pod_phase(
    pod: Pod,
    statuses: Sequence[ContainerStatus],
    init_statuses: Sequence[ContainerStatus] = (),
    *,
    terminal: bool = False,
) -> str:
    """Return the phase that the containers' statuses add up to.

    *terminal* says that the Pod is being ended for good, so that nothing will be restarted
    whatever restartPolicy allows. A container that waits in back-off counts as stopped, not as
    waiting to start: it has run before, and a crash-looping Pod must not flap between phases.
    Sidecars hold up the end of a Pod, and its start until they have started; how they end does
    not matter.
    """
    by_name = {status.name: status for status in (*statuses, *init_statuses)}
    if _initialization_failed(pod, by_name, terminal):
        return FAILED
    if not has_initialized(pod, statuses) and _is_initializing(pod, by_name):
        return PENDING
    running = _sidecars_run(pod, by_name)
    ended: dict[str, int] = {}
    for container in pod.spec.containers:
        status = by_name.get(container.name)
        code = _exit_code(status)
        if status is not None and status.state.running is not None:
            running = True
        elif code is None:
            return PENDING
        else:
            ended[container.name] = code
    if running:
        return RUNNING
    if not ended:
        return PENDING
    if not terminal and any(
        restarts(pod, container, ended[container.name]) for container in pod.spec.containers
    ):
        return RUNNING
    return FAILED if any(ended.values()) else SUCCEEDED


def has_initialized(pod: Pod, statuses: Sequence[ContainerStatus]) -> bool:
    """Whether a regular container has run, so that the init containers' time is over."""
    by_name = {status.name: status for status in statuses}
    found = (by_name.get(container.name) for container in pod.spec.containers)
    return any(
        status is not None and (status.state.running is not None or _exit_code(status) is not None)
        for status in found
    )


def _initialization_failed(
    pod: Pod, by_name: Mapping[str, ContainerStatus], terminal: bool
) -> bool:
    for container in pod.spec.init_containers:
        code = None if is_sidecar(container) else _exit_code(by_name.get(container.name))
        if code and (terminal or not restarts(pod, container, code)):
            return True
    return False


def _is_initializing(pod: Pod, by_name: Mapping[str, ContainerStatus]) -> bool:
    return any(
        not is_done(container, by_name.get(container.name))
        for container in pod.spec.init_containers
    )


def is_done(container: Container, status: ContainerStatus | None) -> bool:
    """Whether an init container lets what follows it begin."""
    if status is None:
        return False
    return bool(status.started) if is_sidecar(container) else status.ready


def _sidecars_run(pod: Pod, by_name: Mapping[str, ContainerStatus]) -> bool:
    found = (by_name.get(c.name) for c in pod.spec.init_containers if is_sidecar(c))
    return any(status is not None and status.state.running is not None for status in found)


def _exit_code(status: ContainerStatus | None) -> int | None:
    """How the last run ended; None for a container that runs or has never run."""
    if status is None or status.state.running is not None:
        return None
    ended = status.state.terminated or status.last_state.terminated
    return ended.exit_code if ended is not None else None
