"""Commands executed in real containers."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from podium.runtime.oci import lending
from podium.runtime.oci.exec_sync import KEPT
from podium.runtime.port import LinuxContainerSecurityContext, RuntimeFailure
from podium.runtime.stream_port import StreamOptions
from support.oci import OciHarness, open_files, until

pytestmark = pytest.mark.e2e


async def started(harness: OciHarness, **changes: object) -> str:
    sandbox = harness.sandbox("web")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = replace(harness.container("main"), **changes)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    return container_id


def processes(harness: OciHarness, container_id: str, word: str) -> list[int]:
    """The processes of a container whose command line holds *word*."""
    found = []
    for pid in harness.processes(container_id):
        with contextlib.suppress(OSError):  # one that has just ended
            if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


async def test_both_streams_and_the_exit_code_come_back(harness: OciHarness):
    container_id = await started(harness)
    script = "echo out; echo err >&2; exit 7"
    answer = await harness.runtime.exec_sync(container_id, ["sh", "-c", script])
    assert (answer.stdout, answer.stderr, answer.exit_code) == (b"out\n", b"err\n", 7)


async def test_a_command_has_the_containers_user_environment_and_directory(harness: OciHarness):
    container_id = await started(
        harness,
        envs=[("COLOUR", "green")],
        working_dir="/tmp",
        security_context=LinuxContainerSecurityContext(run_as_user=100, run_as_group=101),
    )
    script = 'id -u; id -g; echo "$COLOUR"; echo "$PWD"'
    answer = await harness.runtime.exec_sync(container_id, ["sh", "-c", script])
    assert answer.stdout.split() == [b"100", b"101", b"green", b"/tmp"]


async def test_a_command_in_a_container_with_a_terminal_has_none_itself(harness: OciHarness):
    container_id = await started(harness, tty=True)
    answer = await harness.runtime.exec_sync(container_id, ["echo", "hello"])
    assert answer.stdout == b"hello\n"


@pytest.mark.parametrize(
    ("word", "why"),
    [("a\0b", "invalid argument"), ("a" * 200_000, "argument list too long")],
    ids=["NUL byte", "too long"],
)
async def test_a_command_that_the_kernel_does_not_take_fails(
    harness: OciHarness, word: str, why: str
):
    container_id = await started(harness)
    for _ in range(3):  # also where it would be the helper's turn
        with pytest.raises(RuntimeFailure, match=why):
            await harness.runtime.exec_sync(container_id, ["echo", word], 60.0)
    with pytest.raises(RuntimeFailure, match=why):
        async with harness.runtime.exec(container_id, ["echo", word], StreamOptions()):
            pass


@pytest.mark.parametrize("tty", [False, True])
async def test_a_command_that_cannot_be_started_leaves_no_descriptor(
    harness: OciHarness, *, tty: bool
):
    container_id = await started(harness)
    options = StreamOptions(stdin=True, stdout=True, stderr=not tty, tty=tty)
    before = len(open_files())
    with pytest.raises(RuntimeFailure, match="argument list too long"):
        async with harness.runtime.exec(container_id, ["echo", "a" * 200_000], options):
            pass
    await until(lambda: len(open_files()) <= before)


async def test_who_leaves_before_a_command_has_begun_leaves_no_files(
    harness: OciHarness, monkeypatch: pytest.MonkeyPatch
):
    container_id = await started(harness)
    looking = asyncio.Event()

    async def search_path(*_about: object) -> str:
        looking.set()
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(lending, "search_path", search_path)
    process = harness.runtime.exec(container_id, ["tar"], StreamOptions())
    begun = asyncio.ensure_future(process.__aenter__())
    await looking.wait()
    begun.cancel()
    await asyncio.wait({begun})
    assert not list(harness.options.container(container_id).bundle.glob("exec-*"))


async def test_endless_output_is_cut_and_does_not_hold_the_command_up(harness: OciHarness):
    container_id = await started(harness)
    script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done"
    answer = await harness.runtime.exec_sync(container_id, ["sh", "-c", script])
    assert len(answer.stdout) == KEPT
    assert answer.exit_code == 0


async def test_a_command_that_timed_out_is_gone_and_left_no_files(harness: OciHarness):
    container_id = await started(harness)
    with pytest.raises(RuntimeFailure):
        await harness.runtime.exec_sync(container_id, ["sleep", "4242"], 0.3)
    bundle = harness.options.container(container_id).bundle
    assert not [entry.name for entry in bundle.iterdir() if entry.name.startswith("exec-")]
    async with asyncio.timeout(60):
        while processes(harness, container_id, "4242"):
            await asyncio.sleep(0.01)


async def test_a_cancelled_call_ends_the_command(harness: OciHarness):
    container_id = await started(harness)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        call = group.create_task(harness.runtime.exec_sync(container_id, ["sleep", "4243"]))
        while not processes(harness, container_id, "4243"):
            await asyncio.sleep(0.01)
        call.cancel()
        while processes(harness, container_id, "4243"):
            await asyncio.sleep(0.01)
    assert call.cancelled()
