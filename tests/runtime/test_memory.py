"""The fake runtime keeps the contract too, on the real clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from contracts.runtime import RuntimeContract
from podium.kit.clock import SystemClock
from podium.runtime.memory import MemoryRuntime
from podium.runtime.memory_images import MemoryImages
from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from support.http_peer import until

_NOT_FOUND = "failed to create containerd task: no such file or directory"


class MemoryHarness:
    def __init__(self, runtime: MemoryRuntime, logs: Path) -> None:
        self.runtime, self._logs = runtime, logs

    def sandbox(self, name: str) -> PodSandboxConfig:
        metadata = PodSandboxMetadata(name, f"uid-{name}", "default")
        return PodSandboxConfig(metadata, log_directory=str(self._logs / name))

    def container(self, name: str) -> ContainerConfig:
        return self._container(name, "trap", "143")

    def unstartable(self, name: str) -> ContainerConfig:
        return self._container(name, "fail", _NOT_FOUND)

    async def end(self, container_id: str, code: int) -> None:
        self.runtime.exit(container_id, code)

    async def listens(self, container_id: str) -> None:
        """From its start on."""

    async def executing(self, container_id: str, cmd: Sequence[str]) -> None:
        await until(lambda: tuple(cmd) in [executed for _, executed in self.runtime.executed])

    def _container(self, name: str, *words: str) -> ContainerConfig:
        return ContainerConfig(ContainerMetadata(name), "i", command=words, log_path=f"{name}.log")


class TestMemoryRuntime(RuntimeContract):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[MemoryHarness]:
        clock = SystemClock()
        async with MemoryRuntime(clock, MemoryImages(clock, ["i"])) as runtime:
            yield MemoryHarness(runtime, tmp_path)
