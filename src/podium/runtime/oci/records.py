"""What is kept on disk of a sandbox and of a container, and the state that follows from it. Pure.

The records are the truth: a new process reads them, compares them with what the kernel still has,
and carries on. A record says what is about to be done before it is done.
"""

from __future__ import annotations

import msgspec

from podium.runtime import port
from podium.runtime.port import (
    ContainerConfig,
    ContainerState,
    PodSandboxConfig,
    PodSandboxState,
)

START_ERROR_CODE, UNKNOWN_EXIT_CODE = 128, 255


class SandboxRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """``created`` is False while namespaces and network are being made."""

    id: str
    config: PodSandboxConfig
    created_at: int
    created: bool = False
    stopped: bool = False
    ips: tuple[str, ...] = ()
    handler: str = ""

    @property
    def state(self) -> PodSandboxState:
        ready = self.created and not self.stopped
        return PodSandboxState.READY if ready else PodSandboxState.NOTREADY

    @property
    def shares_processes(self) -> bool:
        return self.config.linux.namespace_options.pid is port.NamespaceMode.POD

    @property
    def owns_users(self) -> bool:
        options = self.config.linux.namespace_options.userns_options
        return options.mode is port.NamespaceMode.POD


class ContainerRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """``starting`` is set before the low-level runtime is called, for a crash in between."""

    id: str
    sandbox_id: str
    config: ContainerConfig
    created_at: int
    cgroup_path: str
    log_path: str = ""
    image: str = ""
    image_ref: str = ""
    stop_signal: str = "SIGTERM"
    starting: bool = False
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    pid: int = 0
    handler: str = ""  #: the low-level runtime, as its sandbox has it
    user: port.LinuxContainerUser | None = None

    @property
    def state(self) -> ContainerState:
        if self.finished_at:
            return ContainerState.EXITED
        return ContainerState.RUNNING if self.started_at else ContainerState.CREATED

    @property
    def own_pid_namespace(self) -> bool:
        options = self.config.security_context.namespace_options
        return options.pid is port.NamespaceMode.CONTAINER


def exited(record: ContainerRecord, *, code: int, finished_at: int, oom: bool) -> ContainerRecord:
    """Return *record* after its process ended, with the reason that CRI runtimes give."""
    reason = "OOMKilled" if oom else "Completed" if code == 0 else "Error"
    return msgspec.structs.replace(
        record,
        starting=False,
        started_at=record.started_at or record.created_at,
        finished_at=finished_at,
        exit_code=code,
        reason=reason,
        pid=0,
    )


def lost(record: ContainerRecord, now: int) -> ContainerRecord:
    """Return *record* of a container that ended while nobody could see how."""
    return msgspec.structs.replace(
        record, finished_at=now, exit_code=UNKNOWN_EXIT_CODE, reason="Unknown", pid=0
    )


def not_started(record: ContainerRecord, now: int, message: str) -> ContainerRecord:
    """Return *record* of a container whose command could not be executed."""
    return msgspec.structs.replace(
        record,
        starting=False,
        started_at=0,
        finished_at=now,
        exit_code=START_ERROR_CODE,
        reason="StartError",
        message=message,
        pid=0,
    )


def sandbox(record: SandboxRecord) -> port.PodSandbox:
    return port.PodSandbox(
        record.id,
        record.config.metadata,
        record.state,
        record.created_at,
        record.config.labels,
        record.config.annotations,
    )


def sandbox_status(record: SandboxRecord) -> port.PodSandboxStatus:
    return port.PodSandboxStatus(
        id=record.id,
        metadata=record.config.metadata,
        state=record.state,
        created_at=record.created_at,
        ips=record.ips,
        namespace_options=record.config.linux.namespace_options,
        labels=record.config.labels,
        annotations=record.config.annotations,
    )


def container(record: ContainerRecord) -> port.Container:
    return port.Container(
        id=record.id,
        pod_sandbox_id=record.sandbox_id,
        metadata=record.config.metadata,
        image=record.image,
        image_ref=record.image_ref,
        state=record.state,
        created_at=record.created_at,
        labels=record.config.labels,
        annotations=record.config.annotations,
    )


def container_status(record: ContainerRecord) -> port.ContainerStatus:
    return port.ContainerStatus(
        id=record.id,
        pod_sandbox_id=record.sandbox_id,
        metadata=record.config.metadata,
        state=record.state,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        image=record.image,
        image_ref=record.image_ref,
        reason=record.reason,
        message=record.message,
        labels=record.config.labels,
        annotations=record.config.annotations,
        mounts=record.config.mounts,
        log_path=record.log_path,
        pid=record.pid,
        user=record.user,
        resources=record.config.resources,
    )
