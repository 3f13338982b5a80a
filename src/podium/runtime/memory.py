"""A runtime and an image service without processes, on a clock: the fakes for tests.

They keep to the contracts of ``podium.runtime.port``. What a container does is told by a *script*:
a function from its configuration to a :class:`Behaviour`. :func:`read_script`, the default, reads
the container's words, so that a test's Pod says what happens to it::

    args: ["sleep", "5", "exit", "1"]     runs 5 s, then ends with code 1
    args: ["trap", "0", "2"]              runs; on SIGTERM ends with code 0 after 2 s
    args: ["oom"]                         is killed for memory at once
    args: ["fail", "no", "such", "file"]  cannot be started
    args: ["echo", "hello"]               writes a line, then ends

What ``exec_sync`` runs in one is told by a function of the same kind; :func:`read_command`, the
default, knows ``true``, ``false``, ``echo WORDS``, ``sleep SECONDS`` and ``exit CODE``.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from podium.kit.clock import Clock
from podium.runtime.image_port import FilesystemUsage
from podium.runtime.memory_images import MemoryImages
from podium.runtime.memory_records import MemoryContainer, MemorySandbox
from podium.runtime.memory_script import (
    KILLED,
    Command,
    Commands,
    Script,
    read_command,
    read_script,
)
from podium.runtime.memory_streams import MemoryProcess
from podium.runtime.port import (
    Container,
    ContainerConfig,
    ContainerEvent,
    ContainerEventType,
    ContainerState,
    ContainerStatus,
    ExecSyncResponse,
    LinuxContainerResources,
    NotFound,
    PodSandbox,
    PodSandboxConfig,
    PodSandboxStatus,
    RuntimeCondition,
    RuntimeFailure,
    RuntimeHandler,
    VersionResponse,
    no_such_handler,
    no_utf_8,
)
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage
from podium.runtime.stream_port import AttachedProcess, StreamOptions


class MemoryRuntime:
    """``RuntimeService`` in memory. Use as an async context manager: it owns the "processes"."""

    def __init__(self, clock: Clock, images: MemoryImages, script: Script = read_script) -> None:
        self._clock, self._images, self._script = clock, images, script
        self._sandboxes: dict[str, MemorySandbox] = {}
        self._processes: dict[str, MemoryContainer] = {}
        self._listeners: set[asyncio.Queue[ContainerEvent]] = set()
        self._numbers = itertools.count(1)
        self._group = asyncio.TaskGroup()
        self.conditions = [RuntimeCondition("RuntimeReady", True)]
        self.conditions.append(RuntimeCondition("NetworkReady", True))
        #: Names of calls that never answer.
        self.hangs: set[str] = set()
        #: Set to make the next sandboxes fail with this text.
        self.sandbox_error = ""
        #: Bytes that each container takes, page cache included.
        self.memory_in_use = 1 << 20
        #: Nanoseconds of CPU that each has used, and bytes that it has written.
        self.cpu_used, self.written = 1_000_000, 4096
        #: Set to make updates of resources fail with this text.
        self.update_error = ""
        self.user_namespaces = True
        self.commands: Commands = read_command
        #: Container name and words of each command executed, in order.
        self.executed: list[tuple[str, tuple[str, ...]]] = []
        #: Ports of Pods that something listens on, and where on this machine it does.
        self.ports: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in list(self._processes.values()):
            self._kill(process, 0.0)
        await self._group.__aexit__(kind, error, traceback)

    async def version(self) -> VersionResponse:
        return VersionResponse("memory", "0.1.0")

    async def status(self) -> Sequence[RuntimeCondition]:
        return self.conditions

    async def runtime_handlers(self) -> Sequence[RuntimeHandler]:
        return [RuntimeHandler(name, self.user_namespaces, True) for name in ("", "memory")]

    # -- sandboxes

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str:
        await asyncio.sleep(0)
        if runtime_handler not in ("", "memory"):
            raise no_such_handler(runtime_handler)
        if self.sandbox_error:
            raise RuntimeFailure(self.sandbox_error)
        number = next(self._numbers)
        sandbox = MemorySandbox(
            _hex("sandbox", number), config, self._now(), f"10.42.0.{number + 1}"
        )
        self._sandboxes[sandbox.id] = sandbox
        self._tell(sandbox.id, ContainerEventType.STARTED, sandbox)
        return sandbox.id

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        await self._answer("stop_pod_sandbox")
        sandbox = self._sandboxes.get(pod_sandbox_id)
        if sandbox is None or not sandbox.ready:
            return
        for process in self._of(sandbox):
            await self.stop_container(process.id, 0.0)
        sandbox.ready = False
        self._tell(sandbox.id, ContainerEventType.STOPPED, sandbox)

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        await self._answer("remove_pod_sandbox")
        await self.stop_pod_sandbox(pod_sandbox_id)
        sandbox = self._sandboxes.get(pod_sandbox_id)
        if sandbox is None:
            return
        for process in self._of(sandbox):
            await self.remove_container(process.id)
        self._sandboxes.pop(pod_sandbox_id, None)

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus:
        sandbox = self._sandboxes.get(pod_sandbox_id)
        if sandbox is None:
            raise NotFound(f'sandbox "{pod_sandbox_id}" not found')
        return sandbox.status()

    async def list_pod_sandbox(self, *, pod_uid: str = "") -> Sequence[PodSandbox]:
        await self._answer("list_pod_sandbox")
        return [
            sandbox.listed()
            for sandbox in self._sandboxes.values()
            if not pod_uid or sandbox.config.metadata.uid == pod_uid
        ]

    # -- containers

    async def create_container(
        self, pod_sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
    ) -> str:
        sandbox = self._sandboxes.get(pod_sandbox_id)
        if sandbox is None or not sandbox.ready:
            raise NotFound(f'sandbox "{pod_sandbox_id}" not found')
        try:
            msgspec.json.encode(config)
        except UnicodeEncodeError:
            raise no_utf_8() from None
        behaviour = self._script(config)
        if behaviour.create_error:
            raise RuntimeFailure(behaviour.create_error)
        if await self._images.image_status(config.image) is None:
            raise NotFound(f"image {config.image!r}: not found")
        process = MemoryContainer(
            id=_hex("container", next(self._numbers)),
            sandbox=sandbox,
            config=config,
            behaviour=behaviour,
            created_at=self._now(),
            log_path=Path(sandbox_config.log_directory) / config.log_path,
        )
        self._processes[process.id] = process
        self._tell(process.id, ContainerEventType.CREATED, sandbox)
        return process.id

    async def start_container(self, container_id: str) -> None:
        await self._answer("start_container")
        process = self._find(container_id)
        if process.state is not ContainerState.CREATED:
            raise RuntimeFailure(f"container {container_id} is not in created state")
        behaviour = process.behaviour
        if behaviour.start_error:
            self._end(process, 128, "StartError", behaviour.start_error)
            raise RuntimeFailure(behaviour.start_error)
        process.state = ContainerState.RUNNING
        process.started_at = self._now()
        if behaviour.runs_for is not None:
            process.ends_at = self._clock.monotonic() + behaviour.runs_for
        self._write_log(process)
        self._tell(container_id, ContainerEventType.STARTED, process.sandbox)
        self._group.create_task(self._live(process), name=f"process {container_id[:12]}")

    async def stop_container(self, container_id: str, timeout: float) -> None:
        await self._answer("stop_container")
        process = self._processes.get(container_id)
        if process is not None and process.state is ContainerState.RUNNING:
            self._terminate(process, timeout)
            await process.ended.wait()

    async def remove_container(self, container_id: str) -> None:
        await self._answer("remove_container")
        await self.stop_container(container_id, 0.0)
        process = self._processes.pop(container_id, None)
        if process is not None:
            process.log_path.unlink(missing_ok=True)
            self._tell(container_id, ContainerEventType.DELETED, process.sandbox)

    async def reopen_container_log(self, container_id: str) -> None:
        self._running(container_id).log_path.touch()

    async def list_containers(
        self, *, pod_sandbox_id: str = "", pod_uid: str = ""
    ) -> Sequence[Container]:
        return [
            process.listed()
            for process in self._processes.values()
            if (not pod_sandbox_id or process.sandbox.id == pod_sandbox_id)
            and (not pod_uid or process.sandbox.config.metadata.uid == pod_uid)
        ]

    async def container_status(self, container_id: str) -> ContainerStatus:
        await self._answer("container_status")
        process = self._find(container_id)
        image = await self._images.image_status(process.config.image)
        return process.status(image)

    async def update_container_resources(
        self, container_id: str, resources: LinuxContainerResources
    ) -> None:
        process = self._find(container_id)
        if process.state is not ContainerState.RUNNING:
            raise RuntimeFailure(f"container is in {process.state.value} state")
        if self.update_error:
            raise RuntimeFailure(self.update_error)
        fields = ("cpu_period", "cpu_quota", "cpu_shares", "memory_limit_in_bytes")
        asked = {name: getattr(resources, name) for name in fields if getattr(resources, name)}
        merged = replace(process.config.resources, **asked)
        process.config = replace(process.config, resources=merged)

    async def exec_sync(
        self, container_id: str, cmd: Sequence[str], timeout: float = 0.0
    ) -> ExecSyncResponse:
        await self._answer("exec_sync")
        process = self._running(container_id)
        self.executed.append((process.config.metadata.name, tuple(cmd)))
        command = self.commands(process.config, cmd)
        if command.missing:
            raise _no_such_command(container_id, cmd)
        late = 0 < timeout < command.seconds
        seconds = timeout if late else command.seconds
        if seconds and await self._clock.wait(process.ended, seconds):
            return ExecSyncResponse(b"", b"", KILLED)
        if late:
            raise RuntimeFailure("context deadline exceeded", "DeadlineExceeded")
        return ExecSyncResponse(command.stdout.encode(), command.stderr.encode(), command.exit_code)

    @asynccontextmanager
    async def exec(
        self, container_id: str, cmd: Sequence[str], options: StreamOptions
    ) -> AsyncIterator[AttachedProcess]:
        process = self._running(container_id)
        self.executed.append((process.config.metadata.name, tuple(cmd)))
        command = self.commands(process.config, cmd)

        async def ending() -> int:
            if command.missing:
                raise _no_such_command(container_id, cmd)
            if command.seconds and await self._clock.wait(process.ended, command.seconds):
                return KILLED
            return command.exit_code

        yield MemoryProcess(options, command, ending)

    @asynccontextmanager
    async def attach(
        self, container_id: str, options: StreamOptions
    ) -> AsyncIterator[AttachedProcess]:
        process = self._running(container_id)

        async def ending() -> int:
            await process.ended.wait()
            return process.exit_code

        yield MemoryProcess(options, Command(), ending)

    async def port_forward(self, pod_sandbox_id: str, port: int) -> socket.socket:
        if pod_sandbox_id not in self._sandboxes:
            raise NotFound(f'sandbox "{pod_sandbox_id}" not found')
        made = socket.socket()
        made.setblocking(False)
        try:
            address = ("127.0.0.1", self.ports.get(port, 0))
            await asyncio.get_running_loop().sock_connect(made, address)
        except OSError as exc:
            made.close()
            raise RuntimeFailure(f"failed to connect to localhost:{port}: {exc}") from exc
        return made

    async def container_stats(self, container_id: str) -> CpuMemoryUsage:
        self._find(container_id)
        return CpuMemoryUsage(self.cpu_used, 1 << 20, 1 << 19, self.memory_in_use)

    async def writable_layers(self, container_ids: Sequence[str]) -> Mapping[str, FilesystemUsage]:
        return {
            wanted: FilesystemUsage("/", self.written, 1)
            for wanted in container_ids
            if wanted in self._processes
        }

    async def pod_sandbox_networks(self) -> Mapping[str, Sequence[NetworkInterfaceUsage]]:
        return {
            sandbox.id: [NetworkInterfaceUsage("eth0", rx_bytes=10, tx_bytes=20)]
            for sandbox in self._sandboxes.values()
            if sandbox.ready and not sandbox.on_host
        }

    def get_container_events(self) -> AsyncIterator[ContainerEvent]:
        queue: asyncio.Queue[ContainerEvent] = asyncio.Queue()
        self._listeners.add(queue)  # here: what happens before the first is asked for counts
        return self._events_of(queue)

    async def _events_of(
        self, queue: asyncio.Queue[ContainerEvent]
    ) -> AsyncIterator[ContainerEvent]:
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    # -- for tests

    def config(self, container_id: str) -> ContainerConfig:
        """The configuration that a container was created from."""
        return self._find(container_id).config

    def sandbox_config(self, pod_sandbox_id: str) -> PodSandboxConfig:
        return self._sandboxes[pod_sandbox_id].config

    def exit(self, container_id: str, code: int) -> None:
        """Let the process of a running container end now."""
        process = self._find(container_id)
        process.behaviour = replace(process.behaviour, exit_code=code)
        process.ends_at = self._clock.monotonic()
        process.changed.set()

    # -- processes

    async def _live(self, process: MemoryContainer) -> None:
        while True:
            now = self._clock.monotonic()
            if process.ends_at is not None and process.ends_at <= now:
                code = process.behaviour.exit_code
                reason = "OOMKilled" if process.behaviour.oom else ""
                self._end(process, code, reason or ("Error" if code else "Completed"), "")
                return
            if process.kill_at is not None and process.kill_at <= now:
                self._end(process, KILLED, "Error", "")
                return
            moments = [at for at in (process.ends_at, process.kill_at) if at is not None]
            await self._clock.wait(process.changed, min(moments) - now if moments else None)
            process.changed.clear()

    def _terminate(self, process: MemoryContainer, timeout: float) -> None:
        behaviour, now = process.behaviour, self._clock.monotonic()
        if behaviour.on_term is not None and process.kill_at is None:
            process.behaviour = replace(behaviour, exit_code=behaviour.on_term)
            process.ends_at = now + behaviour.term_delay
        self._kill(process, timeout)

    def _kill(self, process: MemoryContainer, timeout: float) -> None:
        by = self._clock.monotonic() + timeout
        process.kill_at = by if process.kill_at is None else min(by, process.kill_at)
        process.changed.set()

    def _end(self, process: MemoryContainer, code: int, reason: str, message: str) -> None:
        process.state = ContainerState.EXITED
        process.exit_code, process.reason, process.message = code, reason, message
        process.finished_at = self._now()
        process.ended.set()
        self._tell(process.id, ContainerEventType.STOPPED, process.sandbox)

    def _write_log(self, process: MemoryContainer) -> None:
        process.log_path.parent.mkdir(parents=True, exist_ok=True)
        time = f"{self._clock.now():%Y-%m-%dT%H:%M:%S.%f}000Z"
        lines = process.behaviour.output.splitlines()
        process.log_path.write_text("".join(f"{time} stdout F {line}\n" for line in lines))

    def _tell(self, about: str, kind: ContainerEventType, sandbox: MemorySandbox) -> None:
        event = ContainerEvent(about, kind, sandbox.config.metadata.uid)
        for queue in self._listeners:
            queue.put_nowait(event)

    def _of(self, sandbox: MemorySandbox) -> list[MemoryContainer]:
        return [p for p in self._processes.values() if p.sandbox is sandbox]

    async def _answer(self, call: str) -> None:
        """Return, unless *call* hangs."""
        if call in self.hangs:
            await asyncio.Event().wait()

    def _find(self, container_id: str) -> MemoryContainer:
        process = self._processes.get(container_id)
        if process is None:
            raise NotFound(f'container "{container_id}" not found')
        return process

    def _running(self, container_id: str) -> MemoryContainer:
        process = self._find(container_id)
        if process.state is not ContainerState.RUNNING:
            raise RuntimeFailure("failed to exec in container: container is not running")
        return process

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000) * 1000


def _hex(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def _no_such_command(container_id: str, cmd: Sequence[str]) -> RuntimeFailure:
    return RuntimeFailure(
        f'failed to exec in container: failed to start exec "{container_id}": OCI runtime '
        "exec failed: exec failed: unable to start container process: exec: "
        f'"{cmd[0]}": executable file not found in $PATH: unknown'
    )
