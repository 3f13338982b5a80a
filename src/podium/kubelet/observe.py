"""From the runtime's messages to :class:`podium.domain.pods.observed.Observed`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from podium.domain.pods import identity
from podium.domain.pods.observed import (
    ContainerRecord,
    Observed,
    RunCgroup,
    RunState,
    RunUser,
    SandboxRecord,
    newest_first,
)
from podium.kit.bounded import within
from podium.kit.clock import Clock
from podium.kubelet.termination_message import termination_message
from podium.runtime.port import (
    ContainerState,
    ContainerStatus,
    NamespaceMode,
    NotFound,
    PodSandbox,
    PodSandboxState,
    RuntimeFailure,
    RuntimeService,
)

#: Seconds that a runtime gets to tell what there is of a Pod.
PATIENCE = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = {
    ContainerState.CREATED: RunState.CREATED,
    ContainerState.RUNNING: RunState.RUNNING,
    ContainerState.EXITED: RunState.EXITED,
    ContainerState.UNKNOWN: RunState.UNKNOWN,
}


class Observer:
    """Reads one Pod's sandboxes and containers; what has ended is read once and remembered.

    On the node's network a Pod has the node's address.
    """

    def __init__(self, runtime: RuntimeService, uid: str, node_ip: str) -> None:
        self._runtime, self._uid, self._node_ip = runtime, uid, node_ip
        self._ended: dict[str, ContainerRecord] = {}
        self._addresses: dict[str, tuple[str, ...]] = {}

    async def observe(self) -> Observed:
        """Raises RuntimeFailure."""
        sandboxes = [
            await self._sandbox(found)
            for found in await self._runtime.list_pod_sandbox(pod_uid=self._uid)
        ]
        self._addresses = {sandbox.id: sandbox.ips for sandbox in sandboxes}
        containers = []
        for found in await self._runtime.list_containers(pod_uid=self._uid):
            record = self._ended.get(found.id)
            if record is None:
                try:
                    record = container_record(await self._runtime.container_status(found.id))
                except NotFound:
                    continue  # removed between the two calls
                if record.state is RunState.EXITED:
                    self._ended[found.id] = record
            containers.append(record)
        known = {record.id for record in containers}
        self._ended = {key: value for key, value in self._ended.items() if key in known}
        return newest_first(sandboxes, containers)

    async def observe_soon(self, clock: Clock) -> Observed:
        """Raises RuntimeFailure also where the runtime does not answer."""
        try:
            return await within(clock, PATIENCE, self.observe())
        except TimeoutError:
            text = f"it has not answered within {PATIENCE:g} s"
            raise RuntimeFailure(text, "DeadlineExceeded") from None

    async def _sandbox(self, found: PodSandbox) -> SandboxRecord:
        ready = found.state is PodSandboxState.READY
        ips = self._addresses.get(found.id, ())
        if ready and not ips:
            try:
                status = await self._runtime.pod_sandbox_status(found.id)
                on_host = status.namespace_options.network is NamespaceMode.NODE
                ips = (self._node_ip,) if on_host else tuple(status.ips)
            except NotFound:
                ready = False
        return SandboxRecord(
            id=found.id,
            attempt=found.metadata.attempt,
            ready=ready,
            created_at=moment(found.created_at),
            ips=ips,
        )


def moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def container_record(status: ContainerStatus) -> ContainerRecord:
    annotations = status.annotations
    state = _STATES[status.state]
    return ContainerRecord(
        id=status.id,
        name=status.metadata.name,
        sandbox_id=status.pod_sandbox_id,
        attempt=status.metadata.attempt,
        state=state,
        created_at=moment(status.created_at),
        started_at=moment(status.started_at) if status.started_at else None,
        finished_at=moment(status.finished_at) if status.finished_at else None,
        exit_code=status.exit_code,
        reason=status.reason,
        message=termination_message(status) if state is RunState.EXITED else "",
        image=status.image,
        image_id=status.image_ref,
        hash=annotations.get(identity.CONTAINER_HASH, ""),
        back_off=float(annotations.get(identity.RESTART_BACK_OFF, "0")),
        log_path=status.log_path,
        user=_user(status),
        cgroup=_cgroup(status),
    )


def _cgroup(status: ContainerStatus) -> RunCgroup | None:
    found = status.resources
    if found is None:
        return None
    return RunCgroup(
        found.cpu_shares, found.cpu_quota, found.cpu_period, found.memory_limit_in_bytes
    )


def _user(status: ContainerStatus) -> RunUser | None:
    user = status.user
    if user is None:
        return None
    return RunUser(user.uid, user.gid, tuple(user.supplemental_groups))
