"""Containers that do not end as they should, and a low-level runtime that hangs: the real thing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podium.kit.bounded import THREAD
from podium.kit.process import run
from podium.runtime.cgroups import Cgroups
from podium.runtime.mounts import mount_points
from podium.runtime.oci import lending
from podium.runtime.oci.conmon import read_pid
from podium.runtime.oci.exec_stream import _Child
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import ContainerState, Mount, RuntimeFailure
from support.dead_fs import AVAILABLE, dead_filesystem
from support.leaks import leaked, snapshot
from support.oci import OciHarness, oci, until

pytestmark = pytest.mark.e2e

#: A low-level runtime that hangs at the verb that a file names, or stops what it has created. What
#: it is waits, dies alone.
WRAPPER = """#!/bin/sh
hang=$(cat {directory}/hang 2>/dev/null)
for word; do
    [ "$word" = "$hang" ] && exec sleep 1000
    [ "$before" = --pid-file ] && [ "$hang" = created ] && stop=$word
    before=$word
done
[ "$stop" ] || exec {runc} "$@"
{runc} "$@" && kill -STOP "$(cat "$stop")"
"""


@pytest.fixture
async def stuck(tmp_path: Path, cidr: str) -> AsyncIterator[OciHarness]:
    """A runtime without patience, whose low-level runtime hangs when told to."""
    wrapper = tmp_path / "runc"
    runc = shutil.which("runc")
    wrapper.write_text(WRAPPER.format(directory=tmp_path, runc=runc))
    wrapper.chmod(0o755)
    before = snapshot(str(tmp_path))
    # A create that does not hang has to be done in its time, on a busy machine too.
    patience = {"patience": 0.5, "start_patience": 3.0, "kill_patience": 0.5}
    others = {"other": str(wrapper)}
    async with oci(tmp_path, cidr, runc=str(wrapper), others=others, **patience) as made:
        yield made
        (tmp_path / "hang").unlink(missing_ok=True)
    assert leaked(before, str(tmp_path), made.id) == {}


async def created(
    harness: OciHarness, script: str, *mounts: Mount, handler: str = ""
) -> tuple[str, str]:
    """→ sandbox and container."""
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox, handler)
    config = harness.command("c", script, *mounts)
    return sandbox_id, await harness.runtime.create_container(sandbox_id, config, sandbox)


async def state(harness: OciHarness, container_id: str) -> ContainerState:
    return (await harness.runtime.container_status(container_id)).state


def freezer(cgroup: str) -> Path:
    return Cgroups.detect().hierarchies["freezer"] / cgroup.lstrip("/") / "freezer.state"


@pytest.mark.parametrize("whole", [False, True], ids=["container", "pod"])
async def test_what_is_frozen_is_thawed_to_be_killed(stuck: OciHarness, whole: bool):
    if Cgroups.detect().unified:
        pytest.skip("version 2 kills what is frozen")
    sandbox_id, container_id = await created(stuck, "exec sleep 1000")
    await stuck.runtime.start_container(container_id)
    pod = f"{stuck.cgroup_root}/pod-p"
    freezer(pod if whole else f"{pod}/{container_id}").write_text("FROZEN")
    await stuck.runtime.stop_container(container_id, 0)
    assert await state(stuck, container_id) is ContainerState.EXITED
    await stuck.runtime.remove_pod_sandbox(sandbox_id)


async def test_a_conmon_that_does_not_tell_is_killed(stuck: OciHarness):
    _, container_id = await created(stuck, "exec sleep 1000")
    await stuck.runtime.start_container(container_id)
    conmon = read_pid(stuck.options.container(container_id).conmon_pid_file)
    os.kill(conmon, signal.SIGSTOP)
    await stuck.runtime.stop_container(container_id, 0)
    status = await stuck.runtime.container_status(container_id)
    assert (status.state, status.reason) == (ContainerState.EXITED, "Unknown")
    await until(lambda: stuck.processes(container_id) == [])
    await stuck.runtime.remove_container(container_id)


async def test_a_container_is_removed_without_a_runtime_that_hangs(stuck: OciHarness):
    sandbox_id, container_id = await created(stuck, "exec sleep 1000")
    await stuck.runtime.start_container(container_id)
    (stuck.directory / "hang").write_text("delete")
    await stuck.runtime.remove_container(container_id)
    assert await stuck.runtime.list_containers() == []
    assert not (stuck.options.runc_root / container_id).exists()
    assert not [mount for mount in mount_points() if container_id in mount.path]
    await stuck.runtime.remove_pod_sandbox(sandbox_id)


@pytest.mark.parametrize(
    ("hang", "handler", "verb"),
    [
        pytest.param("create", "", "create", id="create"),
        pytest.param("created", "", "start", id="container"),
        pytest.param("start", "other", "start", id="start"),
    ],
)
async def test_a_start_that_hangs_fails_and_leaves_nothing(
    stuck: OciHarness, hang: str, handler: str, verb: str
):
    _, container_id = await created(stuck, "exec sleep 1000", handler=handler)
    (stuck.directory / "hang").write_text(hang)
    with pytest.raises(RuntimeFailure, match=f"runc {verb} has not answered within") as failed:
        await stuck.runtime.start_container(container_id)
    assert failed.value.code == "DeadlineExceeded"
    assert await state(stuck, container_id) is ContainerState.EXITED
    await until(lambda: stuck.processes(container_id) == [])
    assert not (stuck.options.runc_root / container_id).exists()


async def test_what_hangs_does_not_keep_the_next_process_from_its_start(stuck: OciHarness):
    sandbox_id, container_id = await created(stuck, "exec sleep 1000")
    await stuck.runtime.start_container(container_id)
    await stuck.runtime.__aexit__(None, None, None)
    record = stuck.options.container(container_id).record
    starting = {**json.loads(record.read_bytes()), "starting": True, "started_at": 0}
    record.write_text(json.dumps(starting))  # as a process leaves it that dies now
    (stuck.directory / "hang").write_text("state")
    async with OciRuntime(stuck.options, stuck.images, stuck.network) as following:
        assert await following.list_containers() == []
        [sandbox] = await following.list_pod_sandbox()
        assert sandbox.id == sandbox_id
    await until(lambda: stuck.processes(container_id) == [])


@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
async def test_a_process_that_does_not_end_on_sigkill_is_told_by_name(stuck: OciHarness):
    mounted = stuck.directory / "dead"
    mounted.mkdir()
    with dead_filesystem(mounted) as dead:
        mount = Mount("/dead", str(mounted))
        sandbox_id, container_id = await created(stuck, "exec cat /dead/f", mount)
        await stuck.runtime.start_container(container_id)
        assert await asyncio.to_thread(dead.asked.wait, 60)
        told = r"to be killed: .*: still there: process \d+ \(cat\), in an uninterruptible call"
        with pytest.raises(RuntimeFailure, match=told):
            await stuck.runtime.stop_container(container_id, 0)
        assert await state(stuck, container_id) is ContainerState.RUNNING
        with pytest.raises(RuntimeFailure, match="cat"):
            await stuck.runtime.stop_pod_sandbox(sandbox_id)
    await until(lambda: stuck.processes(container_id) == [])
    await stuck.runtime.stop_container(container_id, 0)
    assert await state(stuck, container_id) is ContainerState.EXITED


@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
@pytest.mark.parametrize("known", [False, True])
async def test_a_command_that_does_not_end_on_sigkill_is_there_once(stuck: OciHarness, known: bool):
    mounted = stuck.directory / "dead"
    mounted.mkdir()
    cmd = ["sh", "-c", "[ -e /first ] || exec touch /first; exec cat /dead/f"]
    with dead_filesystem(mounted) as dead:
        mount = Mount("/dead", str(mounted))
        _, container_id = await created(stuck, "exec sleep 1000", mount)
        await stuck.runtime.start_container(container_id)
        if known:  # from its second time on it is executed by a shell
            assert (await stuck.runtime.exec_sync(container_id, cmd)).exit_code == 0
        else:
            await stuck.runtime.exec_sync(container_id, ["touch", "/first"])
        timeout = 1.0
        while not dead.asked.is_set():  # on a slow machine it may not have come to that
            with pytest.raises(RuntimeFailure, match=r"timeout .* exceeded"):
                await stuck.runtime.exec_sync(container_id, cmd, timeout)
            timeout *= 2
        for _ in range(3):
            with pytest.raises(RuntimeFailure, match=r"timeout .* exceeded"):
                await stuck.runtime.exec_sync(container_id, cmd, 60)
        assert len(readers(stuck, container_id)) == 1
    await until(lambda: not readers(stuck, container_id))
    assert (await stuck.runtime.exec_sync(container_id, ["true"])).exit_code == 0


def readers(stuck: OciHarness, container_id: str) -> list[int]:
    """Who reads a file that does not answer."""
    pids = stuck.processes(container_id)
    return [pid for pid in pids if b"cat\0" in command_line(pid)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
async def test_a_program_that_is_looked_for_where_nothing_answers_takes_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def threads() -> int:
        return sum(thread.name == THREAD for thread in threading.enumerate())

    path, pid, before = str(tmp_path), os.getpid(), threads()
    with dead_filesystem(tmp_path):
        monkeypatch.setattr(lending, "_PATIENCE", 0.02)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await lending.located(path, pid, "silent")
        assert threads() <= before + 1
        monkeypatch.setattr(lending, "_PATIENCE", 60)
    program = tmp_path / "silent"
    program.touch(0o755)
    async with asyncio.timeout(60):
        while await lending.located(path, pid, "silent") != str(program):
            await asyncio.sleep(0.01)
    await until(lambda: threads() <= before)


@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
async def test_who_leaves_a_command_waits_for_no_runtime_that_hangs(tmp_path: Path):
    with dead_filesystem(tmp_path) as dead:
        child = _Child(["/bin/cat", str(tmp_path / "f")], [])
        assert await asyncio.to_thread(dead.asked.wait, 60)
        busy = asyncio.ensure_future(child.end())
        await asyncio.sleep(0)
        assert not busy.done(), "others have their turn meanwhile"
        await busy
        assert not child.over()
    while Path(f"/proc/{child.pid}").exists():
        await run("true")  # reaps it, once it has ended
