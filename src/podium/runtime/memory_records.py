"""What the fake runtime knows of sandboxes and containers, and how it tells it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from podium.runtime.image_port import Image
from podium.runtime.memory_script import Behaviour
from podium.runtime.port import (
    Container,
    ContainerConfig,
    ContainerState,
    ContainerStatus,
    NamespaceMode,
    PodSandbox,
    PodSandboxConfig,
    PodSandboxState,
    PodSandboxStatus,
)


class MemorySandbox(msgspec.Struct, eq=False):
    id: str
    config: PodSandboxConfig
    created_at: int
    ip: str
    ready: bool = True

    @property
    def on_host(self) -> bool:
        return self.config.linux.namespace_options.network is NamespaceMode.NODE

    @property
    def state(self) -> PodSandboxState:
        return PodSandboxState.READY if self.ready else PodSandboxState.NOTREADY

    def listed(self) -> PodSandbox:
        return PodSandbox(
            self.id,
            self.config.metadata,
            self.state,
            self.created_at,
            self.config.labels,
            self.config.annotations,
        )

    def status(self) -> PodSandboxStatus:
        return PodSandboxStatus(
            self.id,
            self.config.metadata,
            self.state,
            self.created_at,
            () if self.on_host or not self.ready else (self.ip,),
            self.config.linux.namespace_options,
            self.config.labels,
            self.config.annotations,
        )


class MemoryContainer(msgspec.Struct, eq=False):
    """A container and its "process". ``ends_at`` and ``kill_at`` are on the monotonic clock."""

    id: str
    sandbox: MemorySandbox
    config: ContainerConfig
    behaviour: Behaviour
    created_at: int
    log_path: Path
    state: ContainerState = ContainerState.CREATED
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    ends_at: float | None = None
    kill_at: float | None = None
    changed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    ended: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def listed(self) -> Container:
        return Container(
            self.id,
            self.sandbox.id,
            self.config.metadata,
            self.config.user_specified_image,
            self.config.image,
            self.state,
            self.created_at,
            self.config.labels,
            self.config.annotations,
        )

    def status(self, image: Image | None) -> ContainerStatus:
        """*image* is the one that it was made from, if that is still there."""
        return ContainerStatus(
            id=self.id,
            pod_sandbox_id=self.sandbox.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            exit_code=self.exit_code,
            image=image.repo_tags[0] if image and image.repo_tags else self.config.image,
            image_ref=self.config.image,
            reason=self.reason,
            message=self.message,
            labels=self.config.labels,
            annotations=self.config.annotations,
            mounts=self.config.mounts,
            log_path=str(self.log_path),
            pid=1 if self.state is ContainerState.RUNNING else 0,
            resources=self.config.resources,
        )
