"""The container runtime as a port: the calls and messages of CRI v1, as Python.

Names are those of ``k8s.io/cri-api/pkg/apis/runtime/v1/api.proto`` in Python's case. Times are
nanoseconds since the epoch, sizes are bytes, as there. Only what the kubelet uses stands here.

``podium.runtime.oci`` implements it on runc and conmon, ``podium.runtime.memory`` in memory for
tests; both pass ``tests/contracts/runtime.py``.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Protocol

import msgspec

from podium.runtime.stats_port import StatsService
from podium.runtime.stream_port import AttachedProcess, StreamOptions


class RuntimeFailure(Exception):
    """A call that failed. ``code`` is the gRPC status that CRI would answer with."""

    def __init__(self, message: str, code: str = "Unknown") -> None:
        super().__init__(message)
        self.code = code

    @property
    def rpc_error(self) -> str:
        """The text as gRPC's Go client prints it, which is what the kubelet shows for a failed
        image pull."""
        return f"rpc error: code = {self.code} desc = {self}"


class NotFound(RuntimeFailure):
    """No such sandbox, container or image."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "NotFound")


def creation_failed(message: str) -> str:
    """Say as containerd does why the low-level runtime made nothing: what reads Pod statuses knows
    these words."""
    return (
        "failed to create containerd task: failed to create shim task: "
        f"OCI runtime create failed: {message}: unknown"
    )


def no_utf_8() -> RuntimeFailure:
    """The error, in the words of CRI's clients, about a message with a text that is no UTF-8."""
    text = "grpc: error while marshaling: string field contains invalid UTF-8"
    return RuntimeFailure(text, "Internal")


def no_such_handler(name: str) -> RuntimeFailure:
    """The error, in containerd's words, about a runtime handler that the node does not have."""
    return RuntimeFailure(f'failed to get sandbox runtime: no runtime for "{name}" is configured')


class PodSandboxState(Enum):
    READY = "SANDBOX_READY"
    NOTREADY = "SANDBOX_NOTREADY"


class ContainerState(Enum):
    CREATED = "CONTAINER_CREATED"
    RUNNING = "CONTAINER_RUNNING"
    EXITED = "CONTAINER_EXITED"
    UNKNOWN = "CONTAINER_UNKNOWN"


class NamespaceMode(Enum):
    POD = "POD"
    CONTAINER = "CONTAINER"
    NODE = "NODE"
    TARGET = "TARGET"


class IDMapping(msgspec.Struct, frozen=True):
    """*length* IDs from *container_id* on are those of the node from *host_id* on."""

    host_id: int
    container_id: int
    length: int


class UserNamespace(msgspec.Struct, frozen=True):
    """``POD``: the sandbox has one of its own, in which what its containers mount has the owners
    that it has on the node."""

    mode: NamespaceMode = NamespaceMode.NODE
    uids: Sequence[IDMapping] = ()
    gids: Sequence[IDMapping] = ()


class NamespaceOption(msgspec.Struct, frozen=True):
    """``target_id`` is the container whose process namespace ``TARGET`` means."""

    network: NamespaceMode = NamespaceMode.POD
    pid: NamespaceMode = NamespaceMode.CONTAINER
    ipc: NamespaceMode = NamespaceMode.POD
    target_id: str = ""
    userns_options: UserNamespace = UserNamespace()


class PodSandboxMetadata(msgspec.Struct, frozen=True):
    name: str
    uid: str
    namespace: str
    attempt: int = 0


class DNSConfig(msgspec.Struct, frozen=True):
    servers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[str] = ()


class PortMapping(msgspec.Struct, frozen=True):
    """A port of the node that leads to the sandbox; ``host_ip`` "" means all of its addresses."""

    protocol: str  #: ``TCP``, ``UDP`` or ``SCTP``
    container_port: int
    host_port: int
    host_ip: str = ""


class LinuxPodSandboxConfig(msgspec.Struct, frozen=True):
    cgroup_parent: str = ""  #: the Pod's cgroup, as the kubelet made it; containers sit below
    sysctls: Mapping[str, str] = msgspec.field(default_factory=dict)
    namespace_options: NamespaceOption = NamespaceOption()


class PodSandboxConfig(msgspec.Struct, frozen=True):
    metadata: PodSandboxMetadata
    hostname: str = ""
    log_directory: str = ""
    dns_config: DNSConfig | None = None
    port_mappings: Sequence[PortMapping] = ()
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    linux: LinuxPodSandboxConfig = LinuxPodSandboxConfig()


class PodSandbox(msgspec.Struct, frozen=True):
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class PodSandboxStatus(msgspec.Struct, frozen=True):
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    ips: Sequence[str]  #: the primary address first; empty on the host's network
    namespace_options: NamespaceOption
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class ContainerMetadata(msgspec.Struct, frozen=True):
    name: str
    attempt: int = 0


class MountPropagation(Enum):
    """Which way mounts travel that are made below a mount: none, in, or both."""

    PRIVATE = "private"
    HOST_TO_CONTAINER = "host-to-container"
    BIDIRECTIONAL = "bidirectional"


class Mount(msgspec.Struct, frozen=True):
    container_path: str
    host_path: str
    readonly: bool = False
    propagation: MountPropagation = MountPropagation.PRIVATE
    recursive_read_only: bool = False  #: what is mounted below is read-only too
    image: str = ""  #: ID of an image that is mounted, instead of a host path; read-only
    image_sub_path: str = ""


class LinuxContainerResources(msgspec.Struct, frozen=True):
    """``0`` and ``None`` mean: not set."""

    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_shares: int = 0
    memory_limit_in_bytes: int = 0
    oom_score_adj: int | None = None
    hugepage_limits: Sequence[tuple[str, int]] = ()  #: bytes by page size (``2MB``)
    unified: Sequence[tuple[str, str]] = ()  #: files of cgroup v2; of no account with v1


class Capability(msgspec.Struct, frozen=True):
    add: Sequence[str] = ()
    drop: Sequence[str] = ()


class ProfileType(Enum):
    RUNTIME_DEFAULT = "RuntimeDefault"
    UNCONFINED = "Unconfined"
    LOCALHOST = "Localhost"


class SecurityProfile(msgspec.Struct, frozen=True):
    """``localhost_ref`` goes with ``LOCALHOST``: the absolute path of a seccomp profile on the
    node, or the name of an AppArmor profile that it has loaded."""

    profile_type: ProfileType = ProfileType.UNCONFINED
    localhost_ref: str = ""


class SupplementalGroupsPolicy(Enum):
    """Whether the groups that the image lists the user in count too."""

    MERGE = "Merge"
    STRICT = "Strict"


class LinuxContainerSecurityContext(msgspec.Struct, frozen=True):
    """``privileged``: all devices and capabilities, no masked or read-only paths, no profiles."""

    namespace_options: NamespaceOption = NamespaceOption()
    capabilities: Capability = Capability()
    privileged: bool = False
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_username: str = ""  #: the image's ``USER`` when it is a name
    no_new_privs: bool = False
    readonly_rootfs: bool = False
    supplemental_groups: Sequence[int] = ()
    supplemental_groups_policy: SupplementalGroupsPolicy = SupplementalGroupsPolicy.MERGE
    masked_paths: Sequence[str] = ()
    readonly_paths: Sequence[str] = ()
    seccomp: SecurityProfile = SecurityProfile()
    apparmor: SecurityProfile | None = None


class ContainerConfig(msgspec.Struct, frozen=True):
    metadata: ContainerMetadata
    image: str  #: the image's ID as ``image_status`` gives it
    user_specified_image: str = ""
    command: Sequence[str] = ()  #: replaces the image's entrypoint (and its cmd) when given
    args: Sequence[str] = ()  #: replaces the image's cmd when given
    working_dir: str = ""
    envs: Sequence[tuple[str, str]] = ()
    mounts: Sequence[Mount] = ()
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    log_path: str = ""  #: below the sandbox's log directory; CRI's line format
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    stop_signal: str = ""
    resources: LinuxContainerResources = LinuxContainerResources()
    security_context: LinuxContainerSecurityContext = LinuxContainerSecurityContext()


class Container(msgspec.Struct, frozen=True):
    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    image: str
    image_ref: str
    state: ContainerState
    created_at: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class LinuxContainerUser(msgspec.Struct, frozen=True):
    """What the container's first process ran as when it began."""

    uid: int
    gid: int
    supplemental_groups: Sequence[int] = ()


class ContainerStatus(msgspec.Struct, frozen=True):
    """``reason`` is ``Completed``, ``Error``, ``OOMKilled``, ``StartError``, … once exited."""

    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    state: ContainerState
    created_at: int
    started_at: int  #: 0 until started
    finished_at: int  #: 0 until exited
    exit_code: int
    image: str  #: a tag of the image
    image_ref: str  #: ``repository@sha256:…`` where known, else the image ID
    reason: str
    message: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    mounts: Sequence[Mount]
    log_path: str  #: absolute
    pid: int = 0  #: of the container's first process; 0 unless running
    user: LinuxContainerUser | None = None
    resources: LinuxContainerResources | None = None


class ExecSyncResponse(msgspec.Struct, frozen=True):
    """What a command said and how it ended; of each stream at least the first 16 KiB are kept."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class ContainerEventType(Enum):
    CREATED = "CONTAINER_CREATED_EVENT"
    STARTED = "CONTAINER_STARTED_EVENT"
    STOPPED = "CONTAINER_STOPPED_EVENT"
    DELETED = "CONTAINER_DELETED_EVENT"


class ContainerEvent(msgspec.Struct, frozen=True):
    """Something happened to a container (or to a sandbox, with its ID in ``container_id``)."""

    container_id: str
    type: ContainerEventType
    pod_uid: str


class VersionResponse(msgspec.Struct, frozen=True):
    runtime_name: str
    runtime_version: str
    runtime_api_version: str = "v1"


class RuntimeCondition(msgspec.Struct, frozen=True):
    """``RuntimeReady`` and ``NetworkReady``."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


class RuntimeHandler(msgspec.Struct, frozen=True):
    """A low-level runtime, by the name that RuntimeClasses use, and what it can do here."""

    name: str
    user_namespaces: bool = False
    recursive_read_only_mounts: bool = False


class RuntimeService(StatsService, Protocol):
    """``runtime.v1.RuntimeService``. Calls raise RuntimeFailure (NotFound where it says so)."""

    async def version(self) -> VersionResponse: ...

    async def status(self) -> Sequence[RuntimeCondition]: ...

    async def runtime_handlers(self) -> Sequence[RuntimeHandler]:
        """The one called "" is what sandboxes get that name none."""
        ...

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str:
        """Make the Pod's namespaces and network; return the sandbox ID (64 hex digits).

        *runtime_handler* names the low-level runtime of its containers; "" is the usual one.

        Nothing is left behind when it fails or is cancelled.
        """
        ...

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        """Kill what runs in it and give the network back. Repeatable; unknown IDs are fine."""
        ...

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        """Stop it, and remove its containers and itself. Repeatable; unknown IDs are fine."""
        ...

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus:
        """Raises NotFound."""
        ...

    async def list_pod_sandbox(self, *, pod_uid: str = "") -> Sequence[PodSandbox]: ...

    async def create_container(
        self, pod_sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
    ) -> str:
        """Prepare a container; return its ID (64 hex digits). Nothing is left when it fails, as it
        does where a text in *config* is no UTF-8."""
        ...

    async def start_container(self, container_id: str) -> None:
        """Run it. Raises RuntimeFailure with the low-level runtime's words when the command cannot
        be executed; the container is then exited with reason ``StartError`` and code 128."""
        ...

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Send the stop signal, and SIGKILL after *timeout* seconds; return when it is dead.

        May be called again with a shorter timeout meanwhile. Unknown IDs are fine.
        """
        ...

    async def remove_container(self, container_id: str) -> None:
        """Kill it where needed, remove it and its log. Repeatable; unknown IDs are fine."""
        ...

    async def reopen_container_log(self, container_id: str) -> None:
        """Have a running container's log written to a new file, of the same name as before.

        Returns once that is there: nothing is written to the former file any more. Raises
        RuntimeFailure, NotFound.
        """
        ...

    async def list_containers(
        self, *, pod_sandbox_id: str = "", pod_uid: str = ""
    ) -> Sequence[Container]: ...

    async def container_status(self, container_id: str) -> ContainerStatus:
        """Raises NotFound."""
        ...

    async def update_container_resources(
        self, container_id: str, resources: LinuxContainerResources
    ) -> None:
        """Set what is set in *resources* (``oom_score_adj`` excepted) for a running container.

        Its status tells of it from then on. Raises NotFound, and RuntimeFailure where the container
        does not run or the kernel refuses.
        """
        ...

    async def exec_sync(
        self, container_id: str, cmd: Sequence[str], timeout: float = 0.0
    ) -> ExecSyncResponse:
        """Run a command in a running container, as that container's user and in its limits.

        Raises NotFound, and RuntimeFailure when the command cannot be executed; with code
        ``DeadlineExceeded`` when it takes longer than *timeout* seconds (0: no limit). It is
        killed then, and when the call is cancelled.
        """
        ...

    def exec(
        self, container_id: str, cmd: Sequence[str], options: StreamOptions
    ) -> AbstractAsyncContextManager[AttachedProcess]:
        """Run a command as :meth:`exec_sync` does, with its streams; leaving kills the command.

        Entering raises NotFound, and RuntimeFailure where the container does not run.
        """
        ...

    def attach(
        self, container_id: str, options: StreamOptions
    ) -> AbstractAsyncContextManager[AttachedProcess]:
        """Join the streams of a running container's own process; leaving does it nothing.

        What it wrote before is not shown. Entering raises as :meth:`exec` does.
        """
        ...

    async def port_forward(self, pod_sandbox_id: str, port: int) -> socket.socket:
        """Return a connection to *port* on the Pod's loopback, set to non-blocking.

        Raises NotFound, and RuntimeFailure when nothing listens there.
        """
        ...

    def get_container_events(self) -> AsyncIterator[ContainerEvent]:
        """Yield what happens from now on, at once when it happens."""
        ...


async def runs(runtime: RuntimeService, container_id: str) -> bool:
    """Whether a container runs, at this moment."""
    try:
        status = await runtime.container_status(container_id)
    except NotFound:
        return False
    return status.state is ContainerState.RUNNING
