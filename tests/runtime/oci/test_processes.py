"""Process namespaces that containers share: a Pod's own, and that of a target. The real thing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from contracts.runtime import exited
from podium.runtime.oci import namespace_init
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import (
    ContainerConfig,
    LinuxContainerSecurityContext,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxState,
    RuntimeFailure,
)
from support.oci import OciHarness, until

pytestmark = pytest.mark.e2e

SHARED = NamespaceOption(pid=NamespaceMode.POD)


def sharing(harness: OciHarness, name: str = "p") -> PodSandboxConfig:
    sandbox = harness.sandbox(name)
    return replace(sandbox, linux=replace(sandbox.linux, namespace_options=SHARED))


def within(config: ContainerConfig, options: NamespaceOption = SHARED) -> ContainerConfig:
    context = LinuxContainerSecurityContext(namespace_options=options)
    return replace(config, security_context=context)


async def start(
    harness: OciHarness, sandbox_id: str, sandbox: PodSandboxConfig, config: ContainerConfig
) -> str:
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    return container_id


def marked(harness: OciHarness, sandbox_id: str) -> list[int]:
    return namespace_init.find(str(harness.options.sandbox(sandbox_id).run))


async def test_containers_of_a_sharing_pod_see_each_other_below_one_first_process(
    harness: OciHarness,
):
    sandbox = sharing(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    await start(harness, sandbox_id, sandbox, within(harness.command("a", "exec sleep 3601")))
    known = "ps -o args | busybox grep -E '^(/pause|sleep 36)'"
    script = f"until {known} | busybox grep -q sleep; do sleep 0.02; done; {known}; echo own $$"
    b = await start(harness, sandbox_id, sandbox, within(harness.command("b", script)))
    await exited(harness.runtime, b)

    pause, sleep, own = harness.log("p", "b").splitlines()
    assert (pause, sleep) == ("/pause", "sleep 3601")
    assert own != "own 1"


async def test_the_first_process_reaps_what_lost_its_parent(harness: OciHarness):
    sandbox = sharing(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    # A zombie would stay in the list.
    script = "(sleep 0.05 &); while ps -o comm | busybox grep -qx sleep; do :; done; echo reaped"
    container_id = await start(harness, sandbox_id, sandbox, within(harness.command("c", script)))
    await exited(harness.runtime, container_id)
    assert harness.log("p", "c") == "reaped\n"


async def test_the_end_of_one_container_ends_no_other(harness: OciHarness):
    sandbox = sharing(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    first = await start(harness, sandbox_id, sandbox, within(harness.container("a")))
    other = await start(harness, sandbox_id, sandbox, within(harness.container("b")))

    await harness.runtime.stop_container(first, 0)

    # Killed they are by now; those that the shell had started go once /pause has waited for them.
    await until(lambda: harness.processes(first) == [])
    assert harness.processes(other) != []


async def test_stopping_the_sandbox_ends_its_first_process(harness: OciHarness):
    sandbox_id = await harness.runtime.run_pod_sandbox(sharing(harness))
    [pid] = marked(harness, sandbox_id)

    await harness.runtime.stop_pod_sandbox(sandbox_id)

    assert not Path(f"/proc/{pid}").exists()


async def test_a_restart_keeps_a_sharing_sandbox_and_notices_one_without_its_first_process(
    harness: OciHarness,
):
    kept = await harness.runtime.run_pod_sandbox(sharing(harness, "kept"))
    lost = await harness.runtime.run_pod_sandbox(sharing(harness, "lost"))
    await harness.runtime.__aexit__()
    [pid] = marked(harness, lost)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    harness.runtime = OciRuntime(harness.options, harness.images, harness.network)
    await harness.runtime.__aenter__()

    states = {s.id: s.state for s in await harness.runtime.list_pod_sandbox()}
    assert states == {kept: PodSandboxState.READY, lost: PodSandboxState.NOTREADY}
    await harness.runtime.remove_pod_sandbox(kept)
    assert marked(harness, kept) == []
    await harness.runtime.__aexit__()


async def test_a_sandbox_that_loses_its_first_process_is_over(harness: OciHarness):
    sandbox = sharing(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    container_id = await start(harness, sandbox_id, sandbox, within(harness.container("a")))
    events = harness.runtime.get_container_events()
    [pid] = marked(harness, sandbox_id)

    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(60):
        while (await anext(events)).container_id != sandbox_id:
            pass
    [found] = await harness.runtime.list_pod_sandbox()
    assert found.state is PodSandboxState.NOTREADY
    await exited(harness.runtime, container_id)
    await harness.runtime.remove_pod_sandbox(sandbox_id)
    assert not Path(f"/proc/{pid}").exists()


async def test_a_first_process_that_was_started_only_just_is_found_again(harness: OciHarness):
    """As a kill of the runtime leaves it: started, and in no cgroup yet."""
    sandbox_id = await harness.runtime.run_pod_sandbox(sharing(harness))
    mark = str(harness.options.sandbox(sandbox_id).run)
    pid = namespace_init.spawn(mark)

    await harness.runtime.remove_pod_sandbox(sandbox_id)

    os.waitpid(pid, 0)
    assert namespace_init.find(mark) == []


async def test_a_container_sees_the_processes_of_its_target(harness: OciHarness):
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    target = await start(harness, sandbox_id, sandbox, harness.command("a", "exec sleep 3602"))
    options = NamespaceOption(pid=NamespaceMode.TARGET, target_id=target)
    script = "until ps -o pid,args | busybox grep '1 sleep 3602$'; do sleep 0.02; done"
    debug = await start(
        harness, sandbox_id, sandbox, within(harness.command("dbg", script), options)
    )
    await exited(harness.runtime, debug)

    assert harness.log("p", "dbg").split() == ["1", "sleep", "3602"]
    assert harness.processes(target) != []


async def test_a_target_that_does_not_run_is_refused(harness: OciHarness):
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    target = await start(harness, sandbox_id, sandbox, harness.command("a", "true"))
    await exited(harness.runtime, target)
    options = NamespaceOption(pid=NamespaceMode.TARGET, target_id=target)

    with pytest.raises(RuntimeFailure) as failed:
        await start(harness, sandbox_id, sandbox, within(harness.command("dbg", "true"), options))
    text = f'container "{target}" is not running - in state CONTAINER_EXITED'
    found = re.fullmatch(
        r'failed to generate container "[0-9a-f]{64}" spec: invalid target container: (.*)',
        str(failed.value),
    )
    assert found
    assert found[1] == text
