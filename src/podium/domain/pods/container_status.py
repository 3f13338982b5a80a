"""``status.containerStatuses``: from what the runtime holds and why a start did not come about.

Follows ``convertToAPIContainerStatuses`` of upstream's kubelet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from podium.api.types.core_v1 import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    VolumeMountStatus,
)
from podium.domain.pods.observed import ContainerRecord, Observed, RunState
from podium.domain.pods.probes import NO_HEALTH, RunHealth, run_health
from podium.domain.pods.restart import should_restart

CONTAINER_CREATING = "ContainerCreating"
UNKNOWN_EXIT_CODE = 137


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a container is not started: ``CrashLoopBackOff``, ``ErrImagePull``, …"""

    reason: str
    message: str = ""


def container_statuses(
    pod: Pod,
    observed: Observed,
    previous: Mapping[str, ContainerStatus],
    waiting: Mapping[str, Waiting],
    health: Mapping[str, RunHealth] = NO_HEALTH,
) -> list[ContainerStatus]:
    """Return a status for each regular container, in the order of the spec.

    *previous* are the statuses last published, *waiting* why a container's last start failed or
    is put off, *health* what probes found, by container ID.
    """
    return [
        _status(pod, container, observed, previous.get(container.name), waiting, health)
        for container in pod.spec.containers
    ]


def _status(
    pod: Pod,
    container: Container,
    observed: Observed,
    previous: ContainerStatus | None,
    waiting: Mapping[str, Waiting],
    health: Mapping[str, RunHealth],
) -> ContainerStatus:
    runs = list(observed.runs(container.name))[:2]
    if runs:
        status = _from_runs(container, runs, previous)
    else:
        status = _without_runs(pod, container, previous)
    why = waiting.get(container.name)
    if why is not None and should_restart(pod, runs[0] if runs else None):
        if status.state.terminated is not None:
            status.last_state = status.state
        status.state = ContainerState(
            waiting=ContainerStateWaiting(reason=why.reason, message=why.message)
        )
    running = status.state.running is not None
    found = health.get(runs[0].id) if runs else None
    found = found or run_health(container, {})
    status.started = running and found.started
    status.ready = running and found.ready
    status.volume_mounts = _volume_mounts(container)
    return status


def _from_runs(
    container: Container, runs: list[ContainerRecord], previous: ContainerStatus | None
) -> ContainerStatus:
    latest = runs[0]
    status = ContainerStatus(
        name=container.name,
        restart_count=latest.attempt,
        image=latest.image,
        image_id=latest.image_id,
        container_id=container_id(latest),
        state=_state(latest, previous),
        resources=msgspec.structs.replace(container.resources),
        allocated_resources=dict(container.resources.requests),
    )
    if len(runs) > 1:
        status.last_state = _state(runs[1], previous)
    elif previous is not None and latest.attempt:
        status.last_state = _last_end(previous, status.container_id)
    return status


def _whole(moment: datetime | None) -> datetime | None:
    """metav1.Time has whole seconds."""
    return moment and moment.replace(microsecond=0)


def _last_end(previous: ContainerStatus, current_id: str) -> ContainerState:
    """How the run before ended, from the last status, when the runtime has forgotten it."""
    if previous.container_id != current_id and previous.state.terminated is not None:
        return previous.state
    last = previous.last_state.terminated
    if last is not None and last.container_id == current_id:
        return ContainerState()  # it was told as the end before a restart that never came
    return previous.last_state


def _state(record: ContainerRecord, previous: ContainerStatus | None) -> ContainerState:
    if record.is_running:
        return ContainerState(running=ContainerStateRunning(started_at=_whole(record.started_at)))
    if record.state is RunState.EXITED:
        return ContainerState(
            terminated=ContainerStateTerminated(
                exit_code=record.exit_code,
                reason=record.reason,
                message=record.message,
                started_at=_whole(record.started_at),
                finished_at=_whole(record.finished_at),
                container_id=container_id(record),
            )
        )
    if (
        record.state is RunState.UNKNOWN
        and previous is not None
        and previous.state.running is not None
    ):
        return ContainerState(
            terminated=_unknown("The container could not be located when the pod was terminated")
        )
    return ContainerState(waiting=ContainerStateWaiting(reason=CONTAINER_CREATING))


def _without_runs(
    pod: Pod, container: Container, previous: ContainerStatus | None
) -> ContainerStatus:
    if previous is not None and previous.state.terminated is not None:
        return msgspec.structs.replace(previous)
    status = ContainerStatus(
        name=container.name,
        image=container.image,
        state=ContainerState(waiting=ContainerStateWaiting(reason=CONTAINER_CREATING)),
    )
    if previous is None:
        return status
    status.restart_count = previous.restart_count
    status.last_state = previous.last_state
    if previous.state.running is not None and previous.last_state.terminated is None:
        # It ran when last seen, and the runtime knows nothing of it any more.
        status.last_state = ContainerState(
            terminated=_unknown(
                "The container could not be located when the pod was deleted.  "
                "The container used to be Running"
            )
        )
        if pod.metadata.deletion_timestamp is None:
            status.restart_count += 1
    return status


def _unknown(message: str) -> ContainerStateTerminated:
    return ContainerStateTerminated(
        reason="ContainerStatusUnknown", message=message, exit_code=UNKNOWN_EXIT_CODE
    )


def container_id(record: ContainerRecord) -> str:
    return f"podium://{record.id}"


def _volume_mounts(container: Container) -> list[VolumeMountStatus]:
    return [
        VolumeMountStatus(
            name=mount.name,
            mount_path=mount.mount_path,
            read_only=mount.read_only,
            recursive_read_only="Disabled" if mount.read_only else None,
        )
        for mount in container.volume_mounts
    ]
