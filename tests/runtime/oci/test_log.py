"""Logs of real containers, opened again while they are written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contracts.runtime import exited
from podium.kubelet.log_lines import LogFilter, LogRenderer
from podium.runtime.port import ContainerState, RuntimeFailure
from support.oci import OciHarness

pytestmark = pytest.mark.e2e
LINES = 60_000


async def test_no_line_is_lost_however_often_the_log_is_opened_again(harness: OciHarness):
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    count = f"i=0; while [ $i -lt {LINES} ]; do echo $i; i=$((i+1)); done"
    container_id = await harness.runtime.create_container(
        sandbox_id, harness.command("c", count), sandbox
    )
    await harness.runtime.start_container(container_id)
    status = await harness.runtime.container_status(container_id)
    path, files = Path(status.log_path), list[Path]()
    while status.state is ContainerState.RUNNING:
        files.append(path.rename(path.with_name(f"{path.name}.{len(files):08}")))
        try:
            await harness.runtime.reopen_container_log(container_id)
        except RuntimeFailure:
            break  # it has ended
        await asyncio.sleep(0)
        status = await harness.runtime.container_status(container_id)
    await exited(harness.runtime, container_id)
    files += [path] if path.exists() else []
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    told = b"".join(LogRenderer(LogFilter()).render(lines)).decode().split()
    assert told == [str(number) for number in range(LINES)]
    assert len(files) > 3

    await harness.runtime.remove_container(container_id)
    assert not list(path.parent.glob("*.log*"))
