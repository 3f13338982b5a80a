"""``status.containerStatuses`` and those of init and ephemeral containers: from what the runtime
holds and why a start did not come about.

Follows ``convertToAPIContainerStatuses`` of upstream's kubelet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ContainerUser,
    LinuxContainerUser,
    Pod,
    VolumeMount,
    VolumeMountStatus,
)
from podium.domain.pods.containers import as_container
from podium.domain.pods.observed import ContainerRecord, Observed, RunState
from podium.domain.pods.probes import NO_HEALTH, RunHealth, run_health
from podium.domain.pods.restart import should_restart

CONTAINER_CREATING = "ContainerCreating"
POD_INITIALIZING = "PodInitializing"
UNKNOWN_EXIT_CODE = 137
#: Bytes that the termination messages of one Pod may have together.
MAX_MESSAGES = 12 * 1024
_NOT_LOCATED = "The container could not be located when the pod was terminated"


class Waiting(msgspec.Struct, frozen=True):
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
    statuses = []
    for container in pod.spec.containers:
        latest = observed.latest(container.name)
        waits = should_restart(pod, container, latest)
        why = waiting.get(container.name) if waits else None
        status = _status(pod, container, observed, previous, why)
        _set_health(status, container, latest, health)
        statuses.append(status)
    return statuses


def init_container_statuses(
    pod: Pod,
    observed: Observed,
    previous: Mapping[str, ContainerStatus],
    waiting: Mapping[str, Waiting],
    health: Mapping[str, RunHealth] = NO_HEALTH,
) -> list[ContainerStatus]:
    """Like :func:`container_statuses`. An init container is ready when it is done, a sidecar as
    regular containers are."""
    statuses = []
    for container in pod.spec.init_containers:
        latest = observed.latest(container.name)
        why = waiting.get(container.name) if _starts_again(pod, container, latest) else None
        status = _status(pod, container, observed, previous, why)
        if is_sidecar(container):
            _set_health(status, container, latest, health)
        else:
            ended = status.state.terminated
            status.ready = ended is not None and ended.exit_code == 0
        statuses.append(status)
    return statuses


def _starts_again(pod: Pod, container: Container, latest: ContainerRecord | None) -> bool:
    """Whether an init container is to be started. One that ended well is told as ended, a sidecar
    too, though that is started again."""
    done = latest is not None and latest.state is RunState.EXITED and latest.exit_code == 0
    return should_restart(pod, container, latest) and not done


def ephemeral_container_statuses(
    pod: Pod,
    observed: Observed,
    previous: Mapping[str, ContainerStatus],
    waiting: Mapping[str, Waiting],
) -> list[ContainerStatus]:
    """Like :func:`container_statuses`; ephemeral containers are never ready."""
    statuses = []
    for ephemeral in pod.spec.ephemeral_containers:
        begun = observed.latest(ephemeral.name) is not None
        why = None if begun else waiting.get(ephemeral.name)
        statuses.append(_status(pod, as_container(ephemeral), observed, previous, why))
    return statuses


def _status(
    pod: Pod,
    container: Container,
    observed: Observed,
    statuses: Mapping[str, ContainerStatus],
    why: Waiting | None,
) -> ContainerStatus:
    previous = statuses.get(container.name)
    reason = POD_INITIALIZING if pod.spec.init_containers else CONTAINER_CREATING
    runs = list(observed.runs(container.name))[:2]
    if runs:
        status = _from_runs(container, runs, previous, reason)
    else:
        status = _without_runs(pod, container, previous, reason)
    if why is not None:
        ended = status.state.terminated
        if ended is not None and (runs or ended.message != _NOT_LOCATED):
            status.last_state = status.state
        status.state = ContainerState(
            waiting=ContainerStateWaiting(reason=why.reason, message=why.message)
        )
    status.volume_mounts = _volume_mounts(container)
    return status


def _set_health(
    status: ContainerStatus,
    container: Container,
    latest: ContainerRecord | None,
    health: Mapping[str, RunHealth],
) -> None:
    running = status.state.running is not None
    found = health.get(latest.id) if latest is not None else None
    found = found or run_health(container, {})
    status.started = running and found.started
    status.ready = running and found.ready


def _from_runs(
    container: Container,
    runs: list[ContainerRecord],
    previous: ContainerStatus | None,
    reason: str,
) -> ContainerStatus:
    latest = runs[0]
    status = ContainerStatus(
        name=container.name,
        restart_count=latest.attempt,
        image=latest.image,
        image_id=latest.image_id,
        container_id=container_id(latest),
        state=_state(latest, previous, reason),
        resources=msgspec.structs.replace(container.resources),
        allocated_resources=dict(container.resources.requests),
        user=_user(latest),
    )
    if len(runs) > 1:
        status.last_state = _state(runs[1], previous, reason)
    elif previous is not None and latest.attempt:
        status.last_state = _last_end(previous, status.container_id)
    return status


#: When a container that could not be started began, in upstream's statuses.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _whole(moment: datetime | None) -> datetime | None:
    """metav1.Time has whole seconds."""
    return moment and moment.replace(microsecond=0)


def _user(record: ContainerRecord) -> ContainerUser | None:
    user = record.user
    if user is None:
        return None
    linux = LinuxContainerUser(uid=user.uid, gid=user.gid, supplemental_groups=list(user.groups))
    return ContainerUser(linux=linux)


def _last_end(previous: ContainerStatus, current_id: str) -> ContainerState:
    """How the run before ended, from the last status, when the runtime has forgotten it."""
    if previous.container_id != current_id and previous.state.terminated is not None:
        return previous.state
    last = previous.last_state.terminated
    if last is not None and last.container_id == current_id:
        return ContainerState()  # it was told as the end before a restart that never came
    return previous.last_state


def _state(
    record: ContainerRecord, previous: ContainerStatus | None, reason: str
) -> ContainerState:
    if record.is_running:
        return ContainerState(running=ContainerStateRunning(started_at=_whole(record.started_at)))
    if record.state is RunState.EXITED:
        return ContainerState(
            terminated=ContainerStateTerminated(
                exit_code=record.exit_code,
                reason=record.reason,
                message=record.message,
                started_at=_whole(record.started_at or _NEVER),
                finished_at=_whole(record.finished_at),
                container_id=container_id(record),
            )
        )
    if (
        record.state is RunState.UNKNOWN
        and previous is not None
        and previous.state.running is not None
    ):
        return ContainerState(terminated=_unknown(_NOT_LOCATED))
    return ContainerState(waiting=ContainerStateWaiting(reason=reason))


def _without_runs(
    pod: Pod, container: Container, previous: ContainerStatus | None, reason: str
) -> ContainerStatus:
    if previous is not None and previous.state.terminated is not None:
        return msgspec.structs.replace(previous)
    status = ContainerStatus(
        name=container.name,
        image=container.image,
        state=ContainerState(waiting=ContainerStateWaiting(reason=reason)),
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


def tell_lost(
    pod: Pod, statuses: Sequence[ContainerStatus], init_statuses: Sequence[ContainerStatus]
) -> None:
    """Once a Pod has been ended: what has no end counts as lost, so that the Pod is not taken for a
    success. What waited for the initialization, and for init containers before it, keeps waiting.

    Follows ``TerminatePod`` of upstream's status manager.
    """
    last = init_statuses[-1] if init_statuses else None
    if last is None or any(map(_has_begun, statuses)) or _has_done(pod, last):
        _lose(statuses)
    begun = [index for index, status in enumerate(init_statuses) if _has_begun(status)]
    _lose(init_statuses[: max(begun, default=0) + 1])


def _has_begun(status: ContainerStatus) -> bool:
    return status.state.waiting is None or status.last_state.terminated is not None


def _has_done(pod: Pod, last: ContainerStatus) -> bool:
    """Whether the last init container has let the regular ones begin."""
    if is_sidecar(pod.spec.init_containers[-1]):
        return _has_begun(last)
    ends = (last.state.terminated, last.last_state.terminated)
    return any(end is not None and end.exit_code == 0 for end in ends)


def _lose(statuses: Iterable[ContainerStatus]) -> None:
    for status in statuses:
        if status.state.terminated is None:
            status.state = ContainerState(terminated=_unknown(_NOT_LOCATED))


def _unknown(message: str) -> ContainerStateTerminated:
    return ContainerStateTerminated(
        reason="ContainerStatusUnknown", message=message, exit_code=UNKNOWN_EXIT_CODE
    )


def shorten_messages(pod: Pod, statuses: Iterable[ContainerStatus]) -> None:
    """Cut termination messages so that those of a whole Pod are no longer than 12 KiB."""
    spec = pod.spec
    count = len(spec.containers) + len(spec.init_containers) + len(spec.ephemeral_containers)
    most = MAX_MESSAGES // max(count, 1)
    for status in statuses:
        for ended in (status.state.terminated, status.last_state.terminated):
            if ended is not None and len(ended.message.encode()) > most:
                ended.message = ended.message.encode()[:most].decode(errors="ignore")


def container_id(record: ContainerRecord) -> str:
    return f"podium://{record.id}"


def _volume_mounts(container: Container) -> list[VolumeMountStatus]:
    return [
        VolumeMountStatus(
            name=mount.name,
            mount_path=mount.mount_path,
            read_only=mount.read_only,
            recursive_read_only=_recursive_read_only(mount),
        )
        for mount in container.volume_mounts
    ]


def _recursive_read_only(mount: VolumeMount) -> str | None:
    """What comes of the wish: every node here can do it."""
    if not mount.read_only:
        return None
    return "Enabled" if mount.recursive_read_only in ("Enabled", "IfPossible") else "Disabled"
