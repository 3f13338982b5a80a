"""Low-level runtimes besides the usual one: here a copy of it by another name."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.runtime import exited
from podium.runtime.oci.conmon import read_pid
from podium.runtime.port import RuntimeFailure
from support.leaks import leaked, snapshot
from support.oci import OciHarness, oci

pytestmark = pytest.mark.e2e


@pytest.fixture
async def harness(tmp_path: Path, cidr: str) -> AsyncIterator[OciHarness]:
    other = tmp_path / "bin" / "other"
    other.parent.mkdir()
    usual = shutil.which("runc")
    assert usual is not None
    shutil.copy(usual, other)
    before = snapshot(str(tmp_path))
    others = {"other": str(other), "missing": str(tmp_path / "missing")}
    async with oci(tmp_path, cidr, others=others) as made:
        yield made
    assert leaked(before, str(tmp_path)) == {}


async def test_a_sandboxs_handler_runs_its_containers_to_the_end(harness: OciHarness):
    sandbox = harness.sandbox("web")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox, "other")
    container_id = await harness.runtime.create_container(
        sandbox_id, harness.container("a"), sandbox
    )
    await harness.runtime.start_container(container_id)
    conmon = read_pid(harness.options.container(container_id).conmon_pid_file)
    words = Path(f"/proc/{conmon}/cmdline").read_text().split("\0")
    assert words[words.index("--runtime") + 1] == harness.options.others["other"]
    said = await harness.runtime.exec_sync(container_id, ["echo", "hi"])
    assert (said.stdout, said.exit_code) == (b"hi\n", 0)
    await harness.end(container_id, 3)
    assert (await exited(harness.runtime, container_id)).exit_code == 3
    await harness.runtime.remove_pod_sandbox(sandbox_id)


@pytest.mark.parametrize("name", ["nosuch", "missing"])
async def test_a_handler_that_is_not_there(harness: OciHarness, name: str):
    with pytest.raises(RuntimeFailure) as caught:
        await harness.runtime.run_pod_sandbox(harness.sandbox("web"), name)
    text = f'failed to get sandbox runtime: no runtime for "{name}" is configured'
    assert str(caught.value) == text
    assert await harness.runtime.list_pod_sandbox() == []
