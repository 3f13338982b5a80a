"""The kubelet goes and comes back: containers do not notice, and nothing is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    ContainerState,
    PodSandboxConfig,
    RuntimeFailure,
)


async def test_containers_are_adopted_with_their_restart_counts(node):
    await node.create({"args": ["exit", "1"]}, {"name": "d"}, restartPolicy="Always")
    await node.until(lambda: "CrashLoopBackOff r2" in node.states.get("p/c", []), step=0.5)
    before = {c.id for c in await node.runtime.list_containers() if c.metadata.name == "d"}

    await node.stop()
    await node.start()
    await node.until(lambda: "CrashLoopBackOff r3" in node.states["p/c"], step=0.5)

    after = {c.id for c in await node.runtime.list_containers() if c.metadata.name == "d"}
    assert after == before
    counts = [int(text.rpartition("r")[2]) for text in node.states["p/c"]]
    assert counts == sorted(counts)


async def test_a_back_off_goes_on_where_it_was(node):
    await node.create({"args": ["exit", "1"]}, restartPolicy="Always")

    def last_run():
        return node.pod().status.container_statuses[0].last_state.terminated

    await node.until(lambda: "CrashLoopBackOff r4" in node.states.get("p/c", []), step=1)
    before = last_run()
    await node.stop()
    await node.pass_time(30)
    await node.start()
    await node.until(lambda: "CrashLoopBackOff r5" in node.states["p/c"], step=0.5)
    waited = (last_run().started_at - before.finished_at).total_seconds()
    assert 80 <= waited < 110, "80 seconds from the end on, not from the restart"


async def test_a_container_that_ended_meanwhile_is_told(node):
    await node.create(restartPolicy="Never")
    await node.running()
    await node.stop()
    [container] = await node.runtime.list_containers()
    node.runtime.exit(container.id, 3)
    await node.pass_time(1)

    await node.start()

    pod = await node.phase("Failed")
    assert pod.status.container_statuses[0].state.terminated.exit_code == 3


async def test_a_pod_that_went_meanwhile_is_cleaned_up(node):
    await node.create()
    pod = await node.running()
    await node.stop()
    await node.delete(grace=0)
    await node.gone(step=0.0)
    assert [c.state for c in await node.runtime.list_containers()] == [ContainerState.RUNNING]

    await node.start()
    await node.until(lambda: not list((node.directory / "logs").iterdir()), step=0.5)
    assert not node.cgroups.pods

    assert list(await node.runtime.list_containers()) == []
    assert not (node.directory / "kubelet/pods" / pod.metadata.uid).exists()
    await node.until(lambda: node.messages().count("Killing: Stopping container c") == 1)


async def test_a_pod_that_was_replaced_meanwhile_ends_before_the_new_one_begins(node):
    await node.create({"args": ["trap", "0", "0.5"]})
    await node.running()
    await node.stop()
    [before] = await node.runtime.list_containers()
    await node.delete(grace=0)
    await node.gone(step=0.0)
    new = await node.create()

    await node.start()
    seen: set[str] = set()
    while not seen - {before.id}:
        await node.clock.advance(0.1)
        listed = await node.runtime.list_containers()
        now = {c.id for c in listed if c.state is ContainerState.RUNNING}
        assert len(now) <= 1, "two Pods of one name run at once"
        seen |= now
    await node.phase("Running")
    [container] = await node.runtime.list_containers(pod_uid=new.metadata.uid)
    assert seen == {before.id, container.id}


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_deletion_does_not_wait_for_an_earlier_pod_that_does_not_end(
    node, monkeypatch, *, restarted
):
    await node.create()
    await node.running()
    [first] = await node.runtime.list_containers()
    stop, stuck = node.runtime.stop_container, asyncio.Event()

    async def stop_container(container_id: str, timeout: float) -> None:
        if container_id == first.id and not stuck.is_set():
            raise RuntimeFailure("it hangs in the kernel")
        await stop(container_id, timeout)

    async def running() -> list[str]:
        listed = await node.runtime.list_containers()
        return [c.id for c in listed if c.state is ContainerState.RUNNING]

    monkeypatch.setattr(node.runtime, "stop_container", stop_container)
    if restarted:
        await node.stop()
    await node.delete(grace=0)
    await node.gone(step=0.0)
    await node.create()
    if restarted:
        await node.start()
    await node.pass_time(10)
    assert node.phase_of() == "Pending"
    await node.delete()
    await node.gone(step=1.0)

    await node.create()
    await node.pass_time(10)
    assert await running() == [first.id], "two Pods of one name run at once"
    stuck.set()
    await node.phase("Running", step=1.0)
    assert first.id not in await running()


async def test_what_may_be_in_use_stays_where_the_runtime_cannot_tell(node, monkeypatch):
    await node.create()
    pod = await node.running()
    await node.stop()
    await node.delete(grace=0)
    await node.gone(step=0.0)
    listing, asked = node.runtime.list_pod_sandbox, []

    async def ill(**given: Any) -> Any:
        asked.append(given)
        raise RuntimeFailure("it is ill")

    monkeypatch.setattr(node.runtime, "list_pod_sandbox", ill)
    directory = node.directory / "kubelet/pods" / pod.metadata.uid
    await node.start()
    await node.until(lambda: len(asked) >= 3, step=1.0)
    assert directory.exists()
    monkeypatch.setattr(node.runtime, "list_pod_sandbox", listing)
    await node.until(lambda: not directory.exists(), step=1.0)
    assert list(await node.runtime.list_containers()) == []


async def test_a_deletion_that_was_under_way_is_finished(node):
    await node.create(terminationGracePeriodSeconds=60)
    await node.running()
    await node.delete()
    await node.until(lambda: any(m.startswith("Killing") for m in node.messages()), step=0.1)
    await node.stop()
    await node.start()
    await node.gone(step=5)
    assert list(await node.runtime.list_containers()) == []


async def test_a_container_that_was_never_started_does_not_hold_up_the_end(node):
    """A runtime may keep it over a restart of the kubelet, and does nothing to stop it."""
    await node.create()
    await node.running()
    await node.stop()
    [container] = await node.runtime.list_containers()
    [sandbox] = await node.runtime.list_pod_sandbox()
    config = ContainerConfig(ContainerMetadata("unstarted"), container.image_ref)
    await node.runtime.create_container(sandbox.id, config, PodSandboxConfig(sandbox.metadata))
    await node.delete()
    await node.start()

    await node.gone()

    assert list(await node.runtime.list_containers()) == []


@pytest.mark.parametrize("step", ["stop_container", "create_container", "start_container"])
async def test_a_restart_is_done_once_also_if_the_kubelet_dies_over_it(node, monkeypatch, step):
    """The call is made, and its answer never heard."""
    await node.create({"args": ["trap", "0"]}, restartPolicy="Never")
    await node.running()
    work, died = getattr(node.runtime, step), asyncio.Event()

    async def last_call(*given: Any) -> None:
        await work(*given)
        died.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(node.runtime, step, last_call)
    path = "/api/v1/namespaces/default/pods/p/restart"
    async with node.api.session() as session, session.post(path) as answer:
        assert answer.status == 201
    await node.until(died.is_set, step=0.5)
    await node.stop()
    monkeypatch.setattr(node.runtime, step, work)
    await node.start()

    await node.until(lambda: any(text > "running r0" for text in node.states["p/c"]), step=0.5)
    await node.pass_time(30)
    containers = await node.runtime.list_containers()
    [running] = [c for c in containers if c.state is ContainerState.RUNNING]
    assert running.metadata.attempt in (1, 2)
    assert sum(text.startswith("Killing") for text in node.messages()) <= 1
