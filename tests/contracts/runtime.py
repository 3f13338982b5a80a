"""What every ``RuntimeService`` does: one suite for the embedded runtime and for the fake.

A test module derives from :class:`RuntimeContract` and gives a fixture ``harness``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import pytest
from msgspec.structs import replace

from podium.runtime.port import (
    ContainerConfig,
    ContainerEvent,
    ContainerEventType,
    ContainerState,
    ContainerStatus,
    ExecSyncResponse,
    LinuxContainerResources,
    NotFound,
    PodSandboxConfig,
    PodSandboxMetadata,
    PodSandboxState,
    RuntimeFailure,
    RuntimeService,
)
from podium.runtime.stream_port import AttachedProcess, StreamOptions

_PATIENCE = 60.0


class Harness(Protocol):
    """A runtime, and the world's side of it."""

    runtime: RuntimeService

    def sandbox(self, name: str) -> PodSandboxConfig:
        """Return the configuration of a sandbox; its uid is ``uid-NAME``."""
        ...

    def container(self, name: str) -> ContainerConfig:
        """Return the configuration of a container that runs until told to end, or SIGTERM."""
        ...

    def unstartable(self, name: str) -> ContainerConfig:
        """Return the configuration of a container whose command does not exist."""
        ...

    async def end(self, container_id: str, code: int) -> None:
        """Have a running container's process exit with *code*."""
        ...

    async def listens(self, container_id: str) -> None:
        """Return once the process of a :meth:`container` that was started would hear SIGTERM.

        Before it executes its command, what the low-level runtime has there may end by the signal
        in its own way.
        """
        ...

    async def executing(self, container_id: str, cmd: Sequence[str]) -> None:
        """Return once *cmd* is executed in the container."""
        ...


async def exited(runtime: RuntimeService, container_id: str) -> ContainerStatus:
    """Wait for a container's end, by its status."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            status = await runtime.container_status(container_id)
            if status.state is ContainerState.EXITED:
                return status
            await asyncio.sleep(0.002)


async def ended(process: AttachedProcess) -> tuple[bytes, bytes, int]:
    """Read a process's streams to their end: stdout, stderr, exit code."""

    async def whole(read: Callable[[], Awaitable[bytes]]) -> bytes:
        pieces = []
        while piece := await read():
            pieces.append(piece)
        return b"".join(pieces)

    async with asyncio.timeout(_PATIENCE):
        return tuple(
            await asyncio.gather(
                whole(process.read_stdout), whole(process.read_stderr), process.wait()
            )
        )  # type: ignore[return-value]


class RuntimeContract:
    async def test_a_sandbox_is_ready_has_an_address_and_is_listed(self, harness: Harness):
        runtime = harness.runtime
        sandbox_id = await runtime.run_pod_sandbox(harness.sandbox("web"))
        assert re.fullmatch("[0-9a-f]{64}", sandbox_id)
        status = await runtime.pod_sandbox_status(sandbox_id)
        assert status.state is PodSandboxState.READY
        assert len(status.ips) == 1
        assert status.metadata == PodSandboxMetadata("web", "uid-web", "default", 0)
        assert status.created_at > 1_600_000_000 * 10**9
        assert [s.id for s in await runtime.list_pod_sandbox()] == [sandbox_id]
        assert [s.id for s in await runtime.list_pod_sandbox(pod_uid="uid-web")] == [sandbox_id]
        assert await runtime.list_pod_sandbox(pod_uid="uid-other") == []

    async def test_two_sandboxes_never_share_an_address(self, harness: Harness):
        runtime = harness.runtime
        addresses = set()
        for name in ("one", "two", "three"):
            sandbox_id = await runtime.run_pod_sandbox(harness.sandbox(name))
            addresses.update((await runtime.pod_sandbox_status(sandbox_id)).ips)
        assert len(addresses) == 3

    async def test_a_stopped_sandbox_stays_until_it_is_removed(self, harness: Harness):
        runtime = harness.runtime
        sandbox_id = await runtime.run_pod_sandbox(harness.sandbox("web"))
        for _ in range(2):
            await runtime.stop_pod_sandbox(sandbox_id)
        status = await runtime.pod_sandbox_status(sandbox_id)
        assert status.state is PodSandboxState.NOTREADY
        for _ in range(2):
            await runtime.remove_pod_sandbox(sandbox_id)
        with pytest.raises(NotFound):
            await runtime.pod_sandbox_status(sandbox_id)
        assert await runtime.list_pod_sandbox() == []

    async def test_labels_annotations_and_attempts_come_back(self, harness: Harness):
        runtime = harness.runtime
        config = replace(harness.sandbox("web"), labels={"app": "web"}, annotations={"note": "yes"})
        sandbox_id = await runtime.run_pod_sandbox(config)
        sandbox = await runtime.pod_sandbox_status(sandbox_id)
        assert (dict(sandbox.labels), dict(sandbox.annotations)) == (
            {"app": "web"},
            {"note": "yes"},
        )
        base = harness.container("main")
        container = replace(
            base,
            metadata=replace(base.metadata, attempt=4),
            labels={"a": "b"},
            annotations={"c": "d"},
        )
        container_id = await runtime.create_container(sandbox_id, container, config)
        status = await runtime.container_status(container_id)
        assert (status.metadata.name, status.metadata.attempt) == ("main", 4)
        assert (dict(status.labels), dict(status.annotations)) == ({"a": "b"}, {"c": "d"})

    async def test_a_container_is_created_then_runs_then_has_exited(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.created(harness)
        assert re.fullmatch("[0-9a-f]{64}", container_id)
        status = await runtime.container_status(container_id)
        assert status.state is ContainerState.CREATED
        assert (status.started_at, status.finished_at) == (0, 0)
        await runtime.start_container(container_id)
        status = await runtime.container_status(container_id)
        assert status.state is ContainerState.RUNNING
        assert status.started_at >= status.created_at > 0
        assert status.finished_at == 0
        assert status.pod_sandbox_id == sandbox_id
        await harness.end(container_id, 3)
        status = await exited(runtime, container_id)
        assert (status.exit_code, status.reason) == (3, "Error")
        assert status.finished_at >= status.started_at

    async def test_exit_code_0_is_completed(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        await harness.end(container_id, 0)
        status = await exited(runtime, container_id)
        assert (status.exit_code, status.reason) == (0, "Completed")

    async def test_events_tell_a_containers_life_in_order(self, harness: Harness):
        sandbox_id = await harness.runtime.run_pod_sandbox(harness.sandbox("web"))
        events = harness.runtime.get_container_events()
        config = harness.sandbox("web")
        container_id = await harness.runtime.create_container(
            sandbox_id, harness.container("main"), config
        )
        await harness.runtime.start_container(container_id)
        await harness.end(container_id, 1)
        seen = [await self.event_of(events, container_id) for _ in range(3)]
        await harness.runtime.remove_container(container_id)
        seen.append(await self.event_of(events, container_id))
        assert seen == [
            ContainerEvent(container_id, ContainerEventType.CREATED, "uid-web"),
            ContainerEvent(container_id, ContainerEventType.STARTED, "uid-web"),
            ContainerEvent(container_id, ContainerEventType.STOPPED, "uid-web"),
            ContainerEvent(container_id, ContainerEventType.DELETED, "uid-web"),
        ]

    async def test_when_stopped_is_told_the_status_says_so_already(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        events = runtime.get_container_events()
        await harness.end(container_id, 0)
        event = await self.event_of(events, container_id)
        assert event.type is ContainerEventType.STOPPED
        assert (await runtime.container_status(container_id)).state is ContainerState.EXITED

    async def test_a_command_that_does_not_exist_is_a_start_error(self, harness: Harness):
        runtime = harness.runtime
        sandbox = harness.sandbox("web")
        sandbox_id = await runtime.run_pod_sandbox(sandbox)
        container_id = await runtime.create_container(
            sandbox_id, harness.unstartable("main"), sandbox
        )
        with pytest.raises(RuntimeFailure, match="failed to create containerd task") as failure:
            await runtime.start_container(container_id)
        status = await runtime.container_status(container_id)
        assert status.state is ContainerState.EXITED
        assert (status.exit_code, status.reason) == (128, "StartError")
        assert status.message == str(failure.value)
        assert status.started_at == 0
        assert status.finished_at > 0

    async def test_texts_that_are_no_utf_8_are_refused(self, harness: Harness):
        """As variables that a Secret of other bytes gives."""
        runtime, sandbox = harness.runtime, harness.sandbox("web")
        sandbox_id = await runtime.run_pod_sandbox(sandbox)
        config = replace(harness.container("main"), envs=(("A", "\udcff"),))
        with pytest.raises(RuntimeFailure) as failure:
            await runtime.create_container(sandbox_id, config, sandbox)
        text = "grpc: error while marshaling: string field contains invalid UTF-8"
        assert (str(failure.value), failure.value.code) == (text, "Internal")
        assert await runtime.list_containers() == []

    async def test_a_container_starts_only_once(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        with pytest.raises(RuntimeFailure):
            await runtime.start_container(container_id)
        assert (await runtime.container_status(container_id)).state is ContainerState.RUNNING

    async def test_stopping_ends_a_container_and_may_be_repeated(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        await harness.listens(container_id)
        for _ in range(2):
            await runtime.stop_container(container_id, 60)
            assert (await runtime.container_status(container_id)).state is ContainerState.EXITED
        assert (await runtime.container_status(container_id)).exit_code == 143

    async def test_removing_a_running_container_kills_it(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        for _ in range(2):
            await runtime.remove_container(container_id)
        with pytest.raises(NotFound):
            await runtime.container_status(container_id)
        assert await runtime.list_containers() == []

    async def test_stopping_a_sandbox_ends_its_containers(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.started(harness)
        await runtime.stop_pod_sandbox(sandbox_id)
        assert (await runtime.container_status(container_id)).state is ContainerState.EXITED

    async def test_removing_a_sandbox_removes_its_containers(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.started(harness)
        await runtime.remove_pod_sandbox(sandbox_id)
        with pytest.raises(NotFound):
            await runtime.container_status(container_id)

    async def test_a_stopped_sandbox_takes_no_container(self, harness: Harness):
        sandbox = harness.sandbox("web")
        sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
        await harness.runtime.stop_pod_sandbox(sandbox_id)
        with pytest.raises(RuntimeFailure):
            await harness.runtime.create_container(sandbox_id, harness.container("main"), sandbox)
        assert await harness.runtime.list_containers() == []

    async def test_containers_are_listed_by_sandbox_and_by_pod(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.created(harness)
        other = harness.sandbox("other")
        other_id = await runtime.run_pod_sandbox(other)
        other_container = await runtime.create_container(other_id, harness.container("main"), other)
        assert {c.id for c in await runtime.list_containers()} == {container_id, other_container}
        by_sandbox = await runtime.list_containers(pod_sandbox_id=sandbox_id)
        assert [c.id for c in by_sandbox] == [container_id]
        assert [c.id for c in await runtime.list_containers(pod_uid="uid-other")] == [
            other_container
        ]

    async def test_a_running_container_gets_other_resources(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.started(harness)
        before = (await runtime.container_status(container_id)).resources
        assert before is not None
        memory = LinuxContainerResources(memory_limit_in_bytes=48 << 20)
        await runtime.update_container_resources(container_id, memory)
        cpu = LinuxContainerResources(cpu_shares=512, cpu_quota=50_000, cpu_period=100_000)
        await runtime.update_container_resources(container_id, cpu)
        status = await runtime.container_status(container_id)
        assert status.resources == replace(
            before,
            memory_limit_in_bytes=48 << 20,
            cpu_shares=512,
            cpu_quota=50_000,
            cpu_period=100_000,
        )
        config = harness.sandbox("web")
        created = await runtime.create_container(sandbox_id, harness.container("two"), config)
        with pytest.raises(RuntimeFailure):
            await runtime.update_container_resources(created, cpu)
        with pytest.raises(NotFound):
            await runtime.update_container_resources("0" * 64, cpu)

    async def test_what_is_used_is_told(self, harness: Harness):
        runtime, sandbox_id, container_id = await self.started(harness)
        usage = await runtime.container_stats(container_id)
        assert usage.cpu_usage_nanoseconds > 0
        assert usage.memory_usage_bytes >= usage.memory_working_set_bytes > 0
        layers = await runtime.writable_layers([container_id, "0" * 64])
        assert layers.keys() == {container_id}
        assert layers[container_id].inodes_used > 0
        [link] = (await runtime.pod_sandbox_networks())[sandbox_id]
        assert link.name == "eth0"
        with pytest.raises(NotFound):
            await runtime.container_stats("0" * 64)

    async def test_a_command_in_a_container_is_heard_and_has_an_exit_code(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        said = await runtime.exec_sync(container_id, ["echo", "hello", "you"])
        assert said == ExecSyncResponse(b"hello you\n", b"", 0)
        assert (await runtime.exec_sync(container_id, ["false"], 10.0)).exit_code == 1
        assert (await runtime.container_status(container_id)).state is ContainerState.RUNNING

    async def test_a_command_that_takes_too_long_is_killed(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        with pytest.raises(RuntimeFailure) as failure:
            await runtime.exec_sync(container_id, ["sleep", "60"], 0.3)
        assert failure.value.code == "DeadlineExceeded"
        assert (await runtime.container_status(container_id)).state is ContainerState.RUNNING

    async def test_a_command_that_is_not_there_cannot_be_executed(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        with pytest.raises(RuntimeFailure) as failure:
            await runtime.exec_sync(container_id, ["nosuchcommand"])
        assert re.fullmatch(
            'failed to exec in container: failed to start exec "[0-9a-f]{64}": OCI runtime exec '
            'failed: exec failed: unable to start container process: exec: "nosuchcommand": '
            r"executable file not found in \$PATH: unknown",
            str(failure.value),
        )

    async def test_nothing_is_executed_in_a_container_that_does_not_run(self, harness: Harness):
        runtime, _, container_id = await self.created(harness)
        with pytest.raises(RuntimeFailure):
            await runtime.exec_sync(container_id, ["true"])
        with pytest.raises(NotFound):
            await runtime.exec_sync("0" * 64, ["true"])

    async def test_the_end_of_a_container_ends_the_commands_in_it(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        async with asyncio.TaskGroup() as group:
            cmd = ["sleep", "60"]
            command = group.create_task(runtime.exec_sync(container_id, cmd))
            await harness.executing(container_id, cmd)
            await runtime.stop_container(container_id, 0)
        assert command.result().exit_code == 137

    async def test_what_is_not_there_cannot_be_asked_about(self, harness: Harness):
        runtime = harness.runtime
        with pytest.raises(NotFound):
            await runtime.pod_sandbox_status("0" * 64)
        with pytest.raises(NotFound):
            await runtime.container_status("0" * 64)
        with pytest.raises(NotFound):
            await runtime.container_stats("0" * 64)
        with pytest.raises(NotFound):
            await runtime.start_container("0" * 64)
        with pytest.raises(NotFound):
            await runtime.create_container(
                "0" * 64, harness.container("main"), harness.sandbox("web")
            )

    async def test_what_is_not_there_is_stopped_and_removed_already(self, harness: Harness):
        await harness.runtime.stop_container("0" * 64, 1)
        await harness.runtime.remove_container("0" * 64)
        await harness.runtime.stop_pod_sandbox("0" * 64)
        await harness.runtime.remove_pod_sandbox("0" * 64)
        assert await harness.runtime.list_pod_sandbox() == []
        assert await harness.runtime.list_containers() == []

    async def test_what_was_not_started_is_not_stopped_but_removed(self, harness: Harness):
        runtime, _, container_id = await self.created(harness)
        await runtime.stop_container(container_id, 1)
        assert (await runtime.container_status(container_id)).state is ContainerState.CREATED
        await runtime.remove_container(container_id)
        assert await runtime.list_containers() == []

    async def created(self, harness: Harness) -> tuple[RuntimeService, str, str]:
        sandbox = harness.sandbox("web")
        sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
        container_id = await harness.runtime.create_container(
            sandbox_id, harness.container("main"), sandbox
        )
        return harness.runtime, sandbox_id, container_id

    async def started(self, harness: Harness) -> tuple[RuntimeService, str, str]:
        runtime, sandbox_id, container_id = await self.created(harness)
        await runtime.start_container(container_id)
        return runtime, sandbox_id, container_id

    async def event_of(
        self, events: AsyncIterator[ContainerEvent], container_id: str
    ) -> ContainerEvent:
        async with asyncio.timeout(_PATIENCE):
            while True:
                event = await anext(events)
                if event.container_id == container_id:
                    return event

    async def test_a_command_has_its_streams(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        wanted = StreamOptions(stdin=True, stdout=True, stderr=True)
        async with runtime.exec(container_id, ["cat"], wanted) as process:
            await process.write_stdin(b"there and ")
            await process.write_stdin(b"back")
            process.close_stdin()
            said, complained, code = await ended(process)
        assert (said, complained, code) == (b"there and back", b"", 0)

    async def test_a_command_ends_with_its_code(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        async with runtime.exec(container_id, ["false"], StreamOptions(stdout=True)) as process:
            assert await ended(process) == (b"", b"", 1)
            with pytest.raises(BrokenPipeError):
                await process.write_stdin(b"not asked for")

    async def test_a_streamed_command_that_does_not_exist_fails(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        wanted = StreamOptions(stdout=True, stderr=True)
        async with runtime.exec(container_id, ["nosuchcommand"], wanted) as process:
            assert await process.read_stderr() == b""
            assert await process.read_stdout() == b""
            with pytest.raises(RuntimeFailure, match="executable file not found"):
                await process.wait()

    async def test_streams_are_those_of_a_running_container(self, harness: Harness):
        runtime, _, container_id = await self.created(harness)
        for streams in (
            runtime.exec(container_id, ["true"], StreamOptions()),
            runtime.attach(container_id, StreamOptions()),
        ):
            with pytest.raises(RuntimeFailure):
                async with streams:
                    pass
        with pytest.raises(NotFound):
            async with runtime.attach("0" * 64, StreamOptions()):
                pass

    async def test_attaching_lasts_until_the_container_ends(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        async with runtime.attach(container_id, StreamOptions(stdout=True)) as process:
            async with asyncio.TaskGroup() as group:
                ending = group.create_task(ended(process))
                await harness.end(container_id, 3)
            assert ending.result() == (b"", b"", 3)

    async def test_leaving_an_attached_container_does_it_nothing(self, harness: Harness):
        runtime, _, container_id = await self.started(harness)
        async with runtime.attach(container_id, StreamOptions(stdin=True, stdout=True)):
            pass
        assert (await runtime.container_status(container_id)).state is ContainerState.RUNNING

    async def test_a_port_that_nobody_listens_on_refuses(self, harness: Harness):
        runtime, sandbox_id, _ = await self.started(harness)
        with pytest.raises(RuntimeFailure, match="failed to connect to localhost:81"):
            await runtime.port_forward(sandbox_id, 81)
        with pytest.raises(NotFound):
            await runtime.port_forward("0" * 64, 81)
