"""What the verbs share: the records in memory, the low-level runtime, and news of what happened."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from podium.kit.clock import Clock
from podium.kit.files import write_atomic
from podium.kit.process import Completed, run
from podium.runtime.cgroups import Cgroups
from podium.runtime.network.port import Network
from podium.runtime.oci.conmon import Watch
from podium.runtime.oci.layout import ContainerPaths, OciOptions, SandboxPaths
from podium.runtime.oci.records import ContainerRecord, SandboxRecord
from podium.runtime.oci.spare_namespaces import SpareNamespaces
from podium.runtime.oci.spec import NodeAbilities
from podium.runtime.port import (
    ContainerEvent,
    ContainerEventType,
    ExecSyncResponse,
    NotFound,
    RuntimeFailure,
)
from podium.runtime.rootfs import ImageRootfs


def no_answer(call: str, patience: float) -> RuntimeFailure:
    text = f"{call} has not answered within {patience:g} s: context deadline exceeded"
    return RuntimeFailure(text, "DeadlineExceeded")


class Subscription(AsyncIterator[ContainerEvent]):
    """Events from the moment it was made; what nobody holds any longer gets none."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ContainerEvent] = asyncio.Queue()

    async def __anext__(self) -> ContainerEvent:
        return await self.queue.get()


class Closable(Protocol):
    def close(self) -> None: ...


class Helper(Protocol):
    """What executes commands in a container again (``command_helper``)."""

    busy: bool
    closed: bool
    killed: list[int]  #: processes of the last command, where it was killed

    async def run(self, cmd: Sequence[str]) -> ExecSyncResponse | None: ...

    def close(self) -> None: ...


class LiveContainer(msgspec.Struct):
    """A container's record and what this process watches it with."""

    record: ContainerRecord
    exited: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    watch: Watch | None = None
    signalled: bool = False
    #: Start and remove exclude each other.
    busy: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    #: Commands that have been executed, and shells that execute them again.
    commands: set[tuple[str, ...]] = msgspec.field(default_factory=set)
    helpers: list[Helper] = msgspec.field(default_factory=list)
    helpers_failed: int = 0  #: attempts to start one, since one was started
    #: Processes that were killed as their command took too long, each with when it began.
    hung: dict[tuple[str, ...], list[tuple[int, int]]] = msgspec.field(default_factory=dict)

    def close(self) -> None:
        self.close_helpers()
        if self.watch is not None:
            self.watch.close()
            self.watch = None

    def close_helpers(self) -> None:
        for helper in self.helpers:
            helper.close()
        self.helpers.clear()


class LiveSandbox(msgspec.Struct):
    record: SandboxRecord
    #: Stop and remove, one at a time.
    busy: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    watch: Closable | None = None  #: over the first process, where the Pod shares its processes

    def close(self) -> None:
        if self.watch is not None:
            self.watch.close()
            self.watch = None


class Engine:
    """One runtime's state. Records are replaced in memory and on disk together."""

    def __init__(
        self,
        options: OciOptions,
        images: ImageRootfs,
        network: Network,
        cgroups: Cgroups,
        node: NodeAbilities,
        clock: Clock,
    ) -> None:
        self.options, self.images, self.network = options, images, network
        self.cgroups, self.node, self.clock = cgroups, node, clock
        self.sandboxes: dict[str, LiveSandbox] = {}
        self.containers: dict[str, LiveContainer] = {}
        #: First processes of sandboxes, as far as this process started them and has to reap them.
        self.inits: dict[str, int] = {}
        self.spare_namespaces = SpareNamespaces()
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()

    def close(self) -> None:
        """Stop watching; touch no container."""
        for live in self.containers.values():
            live.close()
        for sandbox in self.sandboxes.values():
            sandbox.close()
        self.spare_namespaces.close()

    def now(self) -> int:
        return int(self.clock.now().timestamp() * 1_000_000) * 1000

    def sandbox(self, sandbox_id: str) -> LiveSandbox:
        """Raises NotFound in containerd's words."""
        try:
            return self.sandboxes[sandbox_id]
        except KeyError:
            raise NotFound(
                f'an error occurred when try to find sandbox: sandbox "{sandbox_id}": not found'
            ) from None

    def container(self, container_id: str) -> LiveContainer:
        """Raises NotFound in containerd's words."""
        try:
            return self.containers[container_id]
        except KeyError:
            raise NotFound(
                f'an error occurred when try to find container "{container_id}": not found'
            ) from None

    def init_cgroup(self, record: SandboxRecord) -> str:
        """The cgroup of a sandbox's first process, beside those of its containers."""
        parent = record.config.linux.cgroup_parent or self.options.cgroup_root
        return f"{parent}/{record.id}"

    def sandbox_paths(self, sandbox_id: str) -> SandboxPaths:
        return self.options.sandbox(sandbox_id)

    def container_paths(self, container_id: str) -> ContainerPaths:
        return self.options.container(container_id)

    def containers_of(self, sandbox_id: str) -> list[LiveContainer]:
        return [live for live in self.containers.values() if live.record.sandbox_id == sandbox_id]

    def save_sandbox(self, record: SandboxRecord) -> LiveSandbox:
        """Keep *record*. Not synced: what a power cut makes of it is gone from the kernel too."""
        path = self.sandbox_paths(record.id).record
        write_atomic(path, msgspec.json.encode(record), sync=False)
        live = self.sandboxes.get(record.id)
        if live is None:
            live = self.sandboxes[record.id] = LiveSandbox(record)
        live.record = record
        return live

    def save_container(self, record: ContainerRecord) -> LiveContainer:
        """Keep *record*. Not synced: a directory whose record is lost is removed at start."""
        path = self.container_paths(record.id).record
        write_atomic(path, msgspec.json.encode(record), sync=False)
        live = self.containers.get(record.id)
        if live is None:
            live = self.containers[record.id] = LiveContainer(record)
        live.record = record
        return live

    async def runc(
        self, verb: str, container_id: str, *options: str, check: bool = True
    ) -> Completed:
        """Run the container's low-level runtime. Raises ProcessFailed, and RuntimeFailure where it
        does not answer."""
        live = self.containers.get(container_id)
        program = self.options.program(live.record.handler if live else "")
        root = str(self.options.runc_root)
        command = (program, "--root", root, verb, *options, container_id)
        try:
            return await run(*command, check=check, timeout=self.options.patience)
        except TimeoutError:
            name = os.path.basename(program)
            raise no_answer(f"{name} {verb}", self.options.patience) from None

    def subscribe(self) -> Subscription:
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, kind: ContainerEventType, object_id: str, sandbox_id: str) -> None:
        sandbox = self.sandboxes.get(sandbox_id)
        pod_uid = sandbox.record.config.metadata.uid if sandbox else ""
        event = ContainerEvent(object_id, kind, pod_uid)
        for subscription in self._subscriptions:
            subscription.queue.put_nowait(event)
