"""kit.process: programs run to their end, killed when nobody waits any longer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.kit.process import ProcessFailed, run, spawned
from support.dead_fs import AVAILABLE, dead_filesystem


async def test_output_and_input_pass_through():
    completed = await run("sh", "-c", "cat; echo oops >&2", input=b"hello\n")
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, b"hello\n", b"oops\n")


async def test_a_failure_carries_what_the_program_said():
    with pytest.raises(ProcessFailed, match="exit status 3: broken"):
        await run("sh", "-c", "echo broken >&2; exit 3")


async def test_an_unchecked_failure_is_an_answer():
    assert (await run("sh", "-c", "exit 3", check=False)).returncode == 3


async def test_no_such_program():
    with pytest.raises(FileNotFoundError):
        await run("/no/such/program")


async def test_time_out_kills_the_program(tmp_path: Path):
    program = tmp_path / "sleeps"
    program.symlink_to("/bin/sleep")
    with pytest.raises(TimeoutError):
        await run(str(program), "100", timeout=0.3)
    await reaped(lambda: not states("sleeps"))


async def test_cancelling_kills_the_program(tmp_path: Path):
    pid_file = tmp_path / "pid"
    task = asyncio.ensure_future(
        run("sh", "-c", f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 100")
    )
    while not pid_file.exists():
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    process = f"/proc/{pid_file.read_text().strip()}"
    await reaped(lambda: not os.path.exists(process))


@pytest.mark.parametrize("children", [True, False])
async def test_leaving_kills_the_children_where_that_is_wanted(tmp_path: Path, children: bool):
    pid_file = tmp_path / "pid"
    script = f"sleep 100 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"
    async with asyncio.timeout(60), spawned("sh", "-c", script, children=children):
        while not pid_file.exists():
            await asyncio.sleep(0.005)
        child = os.pidfd_open(int(pid_file.read_text()))
    readable, _, _ = select.select([child], [], [], 60 if children else 0)
    if not children:
        signal.pidfd_send_signal(child, signal.SIGKILL)
    os.close(child)
    assert bool(readable) is children


async def test_a_daemon_does_not_keep_the_caller_waiting():
    completed = await run("sh", "-c", "sleep 1000 & echo $!", timeout=60)
    daemon = int(completed.stdout)
    assert os.path.exists(f"/proc/{daemon}")
    os.kill(daemon, 9)


async def test_nothing_stays_open():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        await run("true")
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.e2e
@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
@pytest.mark.parametrize("children", [True, False])
async def test_a_program_that_does_not_end_on_sigkill_is_not_waited_for(
    tmp_path: Path, children: bool
):
    mounted = tmp_path / "dead"
    mounted.mkdir()
    with dead_filesystem(mounted) as dead:
        async with spawned("cat", str(mounted / "f"), children=children):
            assert await asyncio.to_thread(dead.asked.wait, 60)
        async with asyncio.timeout(60):
            while states("cat") != ["D"]:  # once it has met the signal
                await asyncio.sleep(0.005)
    await reaped(lambda: not states("cat"))


async def reaped(over: Callable[[], bool]) -> None:
    """Return once *over* holds: what was killed may take longer to end than anybody waits for it,
    and is reaped when another program is started."""
    async with asyncio.timeout(60):
        while not over():
            assert (await run("true")).returncode == 0


def states(name: str) -> list[str]:
    """The states of the children of this process that are called *name*."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # gone meanwhile
            found.append(Path(f"/proc/{pid}/stat").read_text().split())
    return [words[2] for words in found if words[1] == f"({name})" and words[3] == str(os.getpid())]
