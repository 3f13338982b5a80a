"""Letting a created container go, without a process of the low-level runtime's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from podium.kit.process import run
from podium.runtime.oci import exec_fifo
from support.oci import OciHarness

#: What libcontainer's first process does: it opens the FIFO, writes, and closes it.
WAITS = 'printf 0 > "$0"; exec sleep 1000'
#: It is killed between opening it and writing.
DIES = 'exec 3> "$0"; kill -9 $$'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / exec_fifo.NAME)
    return tmp_path


@pytest.fixture
def container(state: Path) -> Iterator[Callable[[str], int]]:
    """Starts a first process → its pid."""
    started = []

    def start(script: str) -> int:
        command = ["sh", "-c", script, str(state / exec_fifo.NAME)]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_a_container_that_waits_is_let_go(state, container):
    assert await exec_fifo.let_go(state, container(WAITS))
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("script", [DIES, "exit 1"], ids=["half-way", "before"])
async def test_a_container_that_has_died_is_not(state, container, script):
    assert not await exec_fifo.let_go(state, container(script))
    assert (state / exec_fifo.NAME).exists()


async def test_where_there_is_no_fifo_nothing_is_touched(state, container):
    path = state / exec_fifo.NAME
    path.unlink()
    assert not await exec_fifo.let_go(state, container("exec sleep 1000"))
    path.write_text("0")
    assert not await exec_fifo.let_go(state, container("exec sleep 1000"))
    assert path.read_text() == "0"


@pytest.mark.e2e
async def test_runc_sees_the_container_run(harness: OciHarness):
    async def status() -> str:
        said = await run("runc", "--root", str(harness.options.runc_root), "state", container_id)
        return str(msgspec.json.decode(said.stdout)["status"])

    sandbox = harness.sandbox("web")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    container_id = await harness.runtime.create_container(
        sandbox_id, harness.container("main"), sandbox
    )
    await harness.runtime.start_container(container_id)
    assert await status() == "running"
    assert not (harness.options.runc_root / container_id / exec_fifo.NAME).exists()
