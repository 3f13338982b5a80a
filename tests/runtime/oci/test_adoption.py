"""A runtime process that dies at any point: the next one adopts what is whole, cleans the rest."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.runtime import exited
from podium.runtime.cgroups import Cgroups
from podium.runtime.mounts import unmount_below
from podium.runtime.oci import helpers
from podium.runtime.oci.cleanup import cleanup
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import (
    ContainerState,
    NotFound,
    PodSandboxState,
    RuntimeFailure,
)
from support.leaks import leaked, snapshot
from support.oci import OciHarness, oci, until

pytestmark = pytest.mark.e2e

#: Runs as another process: a cluster with one Pod for each name, then says so and waits.
_CHILD = """
import asyncio, sys
from pathlib import Path
from podium.runtime.network.bridge import BridgeNetwork
from podium.runtime.oci.layout import OciOptions
from support.oci import OciHarness, OneImage
from podium.runtime.oci.runtime import OciRuntime

async def main(directory, cluster, cidr, names):
    images = OneImage(next(Path(directory, "layers").iterdir()))
    network = BridgeNetwork(cluster, cidr, directory / "network")
    options = OciOptions(directory / "root", directory / "run", f"/{cluster}")
    async with OciRuntime(options, images, network) as runtime:
        h = OciHarness(directory, cluster, images, network, options, runtime)
        for name in names:
            sandbox = h.sandbox(name)
            sandbox_id = await runtime.run_pod_sandbox(sandbox)
            container_id = await runtime.create_container(sandbox_id, h.container("a"), sandbox)
            await runtime.start_container(container_id)
            print(container_id, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
"""


@pytest.fixture
async def machine(tmp_path: Path, cidr: str) -> AsyncIterator[OciHarness]:
    """A cluster whose runtime is *not* running; its fields say where it would be."""
    marks = [str(tmp_path)]
    before = snapshot(*marks)
    async with oci(tmp_path, cidr) as harness:
        marks.append(harness.id)
        await harness.runtime.__aexit__(None, None, None)
        yield harness
        async with OciRuntime(harness.options, harness.images, harness.network):
            pass  # the fixture's runtime is left by `oci` once more
    assert leaked(before, *marks) == {}


def start_child(machine: OciHarness, *names: str) -> subprocess.Popen[str]:
    tests = Path(__file__).parents[2]
    argv = (sys.executable, "-c", _CHILD, str(machine.directory), machine.id)
    return subprocess.Popen(
        [*argv, machine.network.pod_cidr, *names],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )


def started_and_killed(machine: OciHarness, *names: str) -> list[str]:
    """Start a container for each name in another process, kill that, return the IDs."""
    with start_child(machine, *names) as child:
        assert child.stdout is not None
        ids = [child.stdout.readline().strip() for _ in names]
        child.kill()
    return ids


def again(machine: OciHarness) -> OciRuntime:
    return OciRuntime(machine.options, machine.images, machine.network)


async def test_running_containers_are_adopted_and_not_disturbed(machine: OciHarness):
    one, two = started_and_killed(machine, "one", "two")
    async with again(machine) as runtime:
        before = {c.id: c.state for c in await runtime.list_containers()}
        assert before == {one: ContainerState.RUNNING, two: ContainerState.RUNNING}
        status = await runtime.container_status(one)
        os.kill(status.pid, 0)
        sandbox = await runtime.pod_sandbox_status(status.pod_sandbox_id)
        assert sandbox.state is PodSandboxState.READY
        assert len(sandbox.ips) == 1
        events = runtime.get_container_events()
        await machine.end(one, 7)
        event = await anext(events)
        assert event.container_id == one
        assert (await exited(runtime, one)).exit_code == 7
        await machine.listens(two)
        await runtime.stop_container(two, 60)
        assert (await runtime.container_status(two)).exit_code == 143


async def test_what_ended_meanwhile_has_its_exit_code(machine: OciHarness):
    (container,) = started_and_killed(machine, "one")
    await machine.end(container, 5)
    exit_file = machine.options.container(container).exit_file
    await until(exit_file.exists)
    async with again(machine) as runtime:
        status = await exited(runtime, container)
        assert (status.exit_code, status.reason) == (5, "Error")
        assert status.finished_at == os.stat(exit_file).st_mtime_ns


async def test_an_adopted_address_is_not_given_to_another_pod(machine: OciHarness):
    started_and_killed(machine, "one")
    async with again(machine) as runtime:
        other = await runtime.run_pod_sandbox(machine.sandbox("other"))
        addresses = [
            ip
            for sandbox in await runtime.list_pod_sandbox()
            for ip in (await runtime.pod_sandbox_status(sandbox.id)).ips
        ]
        assert len(addresses) == len(set(addresses)) == 2
        await runtime.remove_pod_sandbox(other)


@pytest.mark.parametrize("milliseconds", [1, 4, 8, 12, 16, 20, 25, 30, 40, 60])
async def test_killed_at_any_moment_nothing_half_made_stays(machine: OciHarness, milliseconds: int):
    with start_child(machine, *(f"pod{number}" for number in range(5))) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the first is up: it is in the midst of the second
        await asyncio.sleep(milliseconds / 1000)
        child.send_signal(signal.SIGKILL)
    async with again(machine) as runtime:
        for container in await runtime.list_containers():
            assert container.state in (ContainerState.RUNNING, ContainerState.CREATED)
            if container.state is ContainerState.CREATED:
                await runtime.start_container(container.id)
            await machine.end(container.id, 9)
            assert (await exited(runtime, container.id)).exit_code == 9
        for sandbox in await runtime.list_pod_sandbox():
            assert sandbox.state is PodSandboxState.READY
            await runtime.remove_pod_sandbox(sandbox.id)
        run_dir = machine.options.run_dir
        assert os.listdir(run_dir / "sandboxes") == os.listdir(run_dir / "containers") == []
        assert os.listdir(machine.options.runc_root) == []
        assert os.listdir(machine.options.containers) == []


async def test_after_a_reboot_sandboxes_are_not_ready_and_containers_of_unknown_outcome(
    machine: OciHarness,
):
    (container,) = started_and_killed(machine, "one")
    reboot(machine)
    async with again(machine) as runtime:
        (sandbox,) = await runtime.list_pod_sandbox()
        assert sandbox.state is PodSandboxState.NOTREADY
        status = await runtime.container_status(container)
        assert status.state is ContainerState.EXITED
        assert (status.exit_code, status.reason) == (255, "Unknown")
        await runtime.remove_pod_sandbox(sandbox.id)
        with pytest.raises(NotFound):
            await runtime.container_status(container)


async def test_an_unreadable_record_is_garbage(machine: OciHarness):
    async with again(machine) as runtime:
        sandbox_id = await runtime.run_pod_sandbox(machine.sandbox("one"))
    machine.options.sandbox(sandbox_id).record.write_text("{")
    async with again(machine) as runtime:
        assert await runtime.list_pod_sandbox() == []


async def test_what_cannot_be_removed_keeps_nobody_from_beginning(machine: OciHarness):
    half_made = machine.options.sandboxes / "half-made"
    half_made.mkdir(parents=True)
    stays = machine.options.idmaps("half-made") / "0" / "data"  # somebody's, for all we know
    stays.mkdir(parents=True)
    async with again(machine) as runtime:
        assert await runtime.list_pod_sandbox() == []
    assert stays.exists()
    stays.rmdir()
    async with again(machine):
        assert not half_made.exists()


async def test_two_runtimes_on_one_root_are_refused(harness: OciHarness):
    with pytest.raises(RuntimeFailure, match="another process uses the runtime"):
        async with again(harness):
            pass
    with pytest.raises(RuntimeFailure, match="another process uses the runtime"):
        await cleanup(harness.options, harness.network)


async def test_cleanup_removes_everything_of_a_crashed_cluster_and_of_no_other(
    machine: OciHarness, tmp_path: Path, cidr: str
):
    other_cidr = replace_octet(cidr)
    directory = tmp_path / "other"
    directory.mkdir()
    async with oci(directory, other_cidr) as other:
        sandbox = other.sandbox("x")
        sandbox_id = await other.runtime.run_pod_sandbox(sandbox)
        kept = await other.runtime.create_container(sandbox_id, other.container("a"), sandbox)
        await other.runtime.start_container(kept)
        (gone,) = started_and_killed(machine, "one")
        released: list[str] = []
        for _ in range(2):
            await cleanup(machine.options, machine.network, released.append)
        assert released == [gone]
        status = await other.runtime.container_status(kept)
        assert status.state is ContainerState.RUNNING
        assert leaked({kind: frozenset() for kind in snapshot()}, machine.id) == {}


def reboot(machine: OciHarness) -> None:
    """Make of the machine what a reboot would: nothing runs, nothing is mounted."""
    for pid in helpers.find(machine.options):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
    while Cgroups.detect().kill(machine.cgroup_root):
        pass
    unmount_below(machine.options.run_dir)
    for exit_file in machine.options.containers.glob("*/exit/*"):
        exit_file.unlink()


def replace_octet(cidr: str) -> str:
    first, second, third, rest = cidr.split(".")
    return f"{first}.{second}.{(int(third) + 1) % 256}.{rest}"
