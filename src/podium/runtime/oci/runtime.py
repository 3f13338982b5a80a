"""The embedded container runtime: CRI on runc and conmon. One verb, one module."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec

import podium
from podium.kit.clock import SystemClock
from podium.runtime.cgroups import Cgroups
from podium.runtime.image_port import FilesystemUsage
from podium.runtime.network.port import Network
from podium.runtime.oci import (
    adopt,
    apparmor,
    attach,
    container_create,
    container_log,
    container_remove,
    container_start,
    container_stop,
    container_update,
    exec_stream,
    exec_sync,
    port_forward,
    records,
    sandbox_run,
    sandbox_stop,
    stats,
    user_namespace,
)
from podium.runtime.oci.capabilities import bounding_set
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.layout import OciOptions
from podium.runtime.oci.lock import lock
from podium.runtime.oci.spec import NodeAbilities
from podium.runtime.port import (
    Container,
    ContainerConfig,
    ContainerEvent,
    ContainerStatus,
    ExecSyncResponse,
    LinuxContainerResources,
    PodSandbox,
    PodSandboxConfig,
    PodSandboxStatus,
    RuntimeCondition,
    RuntimeFailure,
    RuntimeHandler,
    VersionResponse,
)
from podium.runtime.rootfs import ImageRootfs
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage
from podium.runtime.stream_port import AttachedProcess, StreamOptions


class OciRuntime:
    """``RuntimeService`` on runc and conmon.

    Used as a context manager: entering takes the runtime's lock and adopts what the last process
    left; leaving stops watching and touches no container. Two at a time on one root are refused.
    """

    def __init__(
        self,
        options: OciOptions,
        images: ImageRootfs,
        network: Network,
    ) -> None:
        cgroups = Cgroups.detect()
        options = msgspec.structs.replace(
            options,
            runc=_program(options.runc),
            conmon=_program(options.conmon),
            others=_installed(options.others),
        )
        self._engine = Engine(
            options, images, network, cgroups, node_abilities(cgroups), SystemClock()
        )
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> OciRuntime:
        options = self._engine.options
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(lock(options.root, self._engine.clock))
            options.run_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
            stack.callback(self._engine.close)
            await adopt.adopt(self._engine)
            self._engine.spare_namespaces.make_later()
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def version(self) -> VersionResponse:
        return VersionResponse("podium", podium.__version__)

    async def status(self) -> Sequence[RuntimeCondition]:
        problem = self._engine.network.ready()
        return (
            RuntimeCondition("RuntimeReady", True),
            RuntimeCondition(
                "NetworkReady", not problem, "NetworkPluginNotReady" if problem else "", problem
            ),
        )

    async def runtime_handlers(self) -> Sequence[RuntimeHandler]:
        users = user_namespace.available()
        return [RuntimeHandler(name, users, True) for name in self._engine.options.handlers]

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str:
        return await sandbox_run.run_pod_sandbox(self._engine, config, runtime_handler)

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        await sandbox_stop.stop_pod_sandbox(self._engine, pod_sandbox_id)

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        await sandbox_stop.remove_pod_sandbox(self._engine, pod_sandbox_id)

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus:
        return records.sandbox_status(self._engine.sandbox(pod_sandbox_id).record)

    async def list_pod_sandbox(self, *, pod_uid: str = "") -> Sequence[PodSandbox]:
        return [
            records.sandbox(live.record)
            for live in self._engine.sandboxes.values()
            if pod_uid in ("", live.record.config.metadata.uid)
        ]

    async def create_container(
        self, pod_sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
    ) -> str:
        return await container_create.create_container(
            self._engine, pod_sandbox_id, config, sandbox_config
        )

    async def start_container(self, container_id: str) -> None:
        await container_start.start_container(self._engine, container_id)

    async def stop_container(self, container_id: str, timeout: float) -> None:
        await container_stop.stop_container(self._engine, container_id, timeout)

    async def remove_container(self, container_id: str) -> None:
        await container_remove.remove_container(self._engine, container_id)

    async def reopen_container_log(self, container_id: str) -> None:
        await container_log.reopen(self._engine, container_id)

    async def list_containers(
        self, *, pod_sandbox_id: str = "", pod_uid: str = ""
    ) -> Sequence[Container]:
        return [
            records.container(live.record)
            for live in self._engine.containers.values()
            if pod_sandbox_id in ("", live.record.sandbox_id)
            and pod_uid in ("", self._pod_uid(live.record.sandbox_id))
        ]

    async def container_status(self, container_id: str) -> ContainerStatus:
        return records.container_status(self._engine.container(container_id).record)

    async def update_container_resources(
        self, container_id: str, resources: LinuxContainerResources
    ) -> None:
        container_update.update_container_resources(self._engine, container_id, resources)

    async def exec_sync(
        self, container_id: str, cmd: Sequence[str], timeout: float = 0.0
    ) -> ExecSyncResponse:
        return await exec_sync.exec_sync(self._engine, container_id, cmd, timeout)

    def exec(
        self, container_id: str, cmd: Sequence[str], options: StreamOptions
    ) -> AbstractAsyncContextManager[AttachedProcess]:
        return exec_stream.exec_stream(self._engine, container_id, cmd, options)

    def attach(
        self, container_id: str, options: StreamOptions
    ) -> AbstractAsyncContextManager[AttachedProcess]:
        return attach.attach(self._engine, container_id, options)

    async def port_forward(self, pod_sandbox_id: str, port: int) -> socket.socket:
        return await port_forward.port_forward(self._engine, pod_sandbox_id, port)

    async def container_stats(self, container_id: str) -> CpuMemoryUsage:
        return self._engine.cgroups.usage(self._engine.container(container_id).record.cgroup_path)

    async def writable_layers(self, container_ids: Sequence[str]) -> Mapping[str, FilesystemUsage]:
        return await stats.writable_layers(self._engine, container_ids)

    async def pod_sandbox_networks(self) -> Mapping[str, Sequence[NetworkInterfaceUsage]]:
        return stats.pod_sandbox_networks(self._engine)

    def get_container_events(self) -> AsyncIterator[ContainerEvent]:
        return self._engine.subscribe()

    def _pod_uid(self, sandbox_id: str) -> str:
        sandbox = self._engine.sandboxes.get(sandbox_id)
        return sandbox.record.config.metadata.uid if sandbox else ""


def node_abilities(cgroups: Cgroups) -> NodeAbilities:
    """Find out what this process may give containers on this machine."""
    bounding = bounding_set()
    lowest = -1000
    if "CAP_SYS_RESOURCE" not in bounding:
        lowest = int(Path("/proc/self/oom_score_adj").read_text())
    return NodeAbilities(
        bounding_set=bounding,
        lowest_oom_score_adj=lowest,
        architecture=platform.machine(),
        unified_cgroups=cgroups.unified,
        apparmor=apparmor.enabled(),
        swap_accounting=_swap_accounting(cgroups),
    )


def _swap_accounting(cgroups: Cgroups) -> bool:
    """Whether swap is limited. In version 2 the root has no such file, but what lies below it."""
    if cgroups.unified:
        root = cgroups.hierarchies[""]
        return any((root / entry / "memory.swap.max").exists() for entry in os.listdir(root))
    memory = cgroups.hierarchies.get("memory")
    return memory is not None and (memory / "memory.memsw.limit_in_bytes").exists()


def _installed(handlers: Mapping[str, str]) -> Mapping[str, str]:
    """Those of *handlers* whose program is there, with its whole path."""
    found = {name: shutil.which(program) for name, program in handlers.items()}
    return {name: path for name, path in found.items() if path}


def _program(name: str) -> str:
    """Return the whole path of a program. Raises RuntimeFailure when it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise RuntimeFailure(f"{name} is not installed: no such program on PATH")
    return path
