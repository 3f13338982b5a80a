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
#: How often the log is opened again.
TIMES = 30


async def test_no_line_is_lost_however_often_the_log_is_opened_again(harness: OciHarness):
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    count = "i=0; until [ -s /end ]; do echo $i; i=$((i+1)); done; echo $i > /count"
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
        if len(files) == TIMES:
            await harness.end(container_id, 0)
        await asyncio.sleep(0)
        status = await harness.runtime.container_status(container_id)
    await exited(harness.runtime, container_id)
    files += [path] if path.exists() else []
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    told = b"".join(LogRenderer(LogFilter()).render(lines)).decode().split()
    written = int((harness.options.container(container_id).upper / "count").read_text())
    assert told == [str(number) for number in range(written)]
    assert written > 0

    await harness.runtime.remove_container(container_id)
    assert not list(path.parent.glob("*.log*"))
