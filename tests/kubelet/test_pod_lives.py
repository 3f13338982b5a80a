"""Lives of Pods: what the API shows of them, and what is left on the node."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.api import scheme
from podium.domain.pods.deletion import LIMITS, Step
from podium.kubelet import orphans, pod_ending
from podium.kubelet.pods import RELIST
from podium.kubelet.volumes.removal import remove
from podium.runtime.port import RuntimeFailure


async def test_a_pod_runs(node):
    await node.create()

    pod = await node.running()

    assert pod.status.pod_ip.startswith("10.42.0.")
    assert pod.status.host_ip == "192.0.2.10"
    [status] = pod.status.container_statuses
    assert status.container_id.startswith("podium://")
    assert (status.ready, status.started, status.restart_count) == (True, True, 0)
    await node.until(lambda: len(node.messages()) == 3)
    assert node.messages() == [
        'Pulled: Container image "docker.io/library/busybox:1.36" already present on machine',
        "Created: Created container c",
        "Started: Started container c",
    ]


async def test_a_pod_that_starts_quickly_goes_to_running_in_one_patch(node):
    await node.create()
    await node.running()
    assert node.states["p/c"] == ["running r0"]


async def test_a_crash_loop(node):
    await node.create({"args": ["exit", "1"]}, restartPolicy="Always")

    await node.until(lambda: "CrashLoopBackOff r3" in node.states.get("p/c", []), step=0.5)

    stops = [state for state in node.states["p/c"] if not state.startswith("running")]
    assert stops[-4:] == ["Error 1 r2", "CrashLoopBackOff r2", "Error 1 r3", "CrashLoopBackOff r3"]
    pod = node.pod()
    uid = pod.metadata.uid
    waiting = pod.status.container_statuses[0].state.waiting
    assert waiting.message == (f"back-off 40s restarting failed container=c pod=p_default({uid})")
    assert pod.status.phase == "Running"
    text = "BackOff: Back-off restarting failed container"
    await node.until(lambda: text in node.messages())


async def test_a_pod_that_ends_well(node):
    await node.create({"args": ["sleep", "3"]}, restartPolicy="Never")
    await node.running()

    pod = await node.phase("Succeeded")

    assert pod.status.container_statuses[0].state.terminated.reason == "Completed"
    assert {c.type: c.reason for c in pod.status.conditions}["Ready"] == "PodCompleted"
    assert not any(s.state.value.endswith("_READY") and "NOT" not in s.state.value
                   for s in await node.runtime.list_pod_sandbox())  # fmt: skip
    await node.until(lambda: not node.cgroups.pods, step=0.1)


async def test_deletion_gives_the_container_its_grace_and_leaves_nothing(node):
    await node.create({"args": ["trap", "0", "2"]}, restartPolicy="Never")
    pod = await node.running()
    uid = pod.metadata.uid

    await node.delete()
    await node.gone()

    assert node.states["p/c"] == ["running r0", "Completed 0 r0"]
    await node.until(lambda: "Killing: Stopping container c" in node.messages())
    assert list(await node.runtime.list_pod_sandbox()) == []
    assert list(await node.runtime.list_containers()) == []
    assert not (node.directory / "kubelet/pods" / uid).exists()
    assert not (node.directory / "run/pods" / uid).exists()
    assert list((node.directory / "logs").iterdir()) == []
    assert node.cgroups.pods == []


async def test_a_container_that_ignores_sigterm_is_killed_when_its_grace_is_over(node):
    await node.create(terminationGracePeriodSeconds=4)
    await node.running()
    began = node.clock.monotonic()

    await node.delete()
    await node.gone(step=0.1)

    assert 4 <= node.clock.monotonic() - began < 8
    assert node.states["p/c"] == ["running r0", "Error 137 r0"]


async def test_a_second_deletion_shortens_the_grace(node):
    await node.create(terminationGracePeriodSeconds=300)
    await node.running()
    await node.delete()
    await node.until(lambda: any(m.startswith("Killing") for m in node.messages()), step=0.1)
    began = node.clock.monotonic()

    await node.delete(grace=2)
    await node.gone()

    assert node.clock.monotonic() - began < 10


async def test_a_grace_period_longer_than_any_calendar(node):
    longest = 2**63 - 1
    await node.create({"args": ["trap", "0", "2"]}, terminationGracePeriodSeconds=longest)
    await node.running()
    await node.delete()
    await node.until(lambda: not node.phase_of(), step=1)


async def test_a_pod_deleted_by_force_is_ended_all_the_same(node):
    await node.create()
    await node.running()

    await node.delete(grace=0)
    await node.gone(step=0.0)

    await node.until(lambda: not list((node.directory / "logs").iterdir()), step=0.5)
    assert not node.cgroups.pods
    assert list(await node.runtime.list_pod_sandbox()) == []


async def test_a_missing_image_is_asked_for_again_with_back_off(node):
    await node.create({"image": "registry.test/nosuch:1"})
    await node.until(lambda: "ImagePullBackOff r0" in node.states.get("p/c", []), step=0.2)
    assert node.states["p/c"][-2:] == ["ErrImagePull r0", "ImagePullBackOff r0"]
    await node.until(lambda: len(node.messages()) >= 5, step=0.0)
    pull = "rpc error: code = NotFound desc = failed to pull and unpack image"
    assert [m.split('"')[0] for m in node.messages()[:5]] == [
        "Pulling: Pulling image ",
        "Failed: Failed to pull image ",
        "Failed: Error: ErrImagePull",
        "BackOff: Back-off pulling image ",
        "Failed: Error: ImagePullBackOff",
    ]
    assert pull in node.messages()[1]
    node.images.publish("registry.test/nosuch:1")

    await node.phase("Running", step=1.0)

    text = (
        'Pulled: Successfully pulled image "registry.test/nosuch:1" in 0s '
        "(0s including waiting). Image size: 12272126 bytes."
    )
    await node.until(lambda: text in node.messages())
    assert len(node.images.pulls) == 2


async def test_an_invalid_image_name(node):
    await node.create({"image": "Not_A/Valid::Name"})
    await node.until(lambda: "InvalidImageName r0" in node.states.get("p/c", []), step=0.1)
    waiting = node.pod().status.container_statuses[0].state.waiting
    assert waiting.message == (
        'Failed to apply default image tag "Not_A/Valid::Name": couldn\'t parse image reference '
        '"Not_A/Valid::Name": invalid reference format: repository name must be lowercase'
    )


async def test_a_command_that_does_not_exist(node):
    await node.create({"args": ["fail", "exec: not found"]}, restartPolicy="Never")
    pod = await node.phase("Failed")
    ended = pod.status.container_statuses[0].state.terminated
    assert (ended.reason, ended.exit_code, ended.message) == ("StartError", 128, "exec: not found")
    await node.until(lambda: "Failed: Error: exec: not found" in node.messages())


@pytest.mark.parametrize("policy", ["Always", "Never"])
async def test_a_changed_image_replaces_the_container(node, policy):
    node.images.publish("registry.test/new:1")
    await node.create({"args": ["trap", "0", "1"]}, restartPolicy=policy)
    await node.running()

    patch = {"spec": {"containers": [{"name": "c", "image": "registry.test/new:1"}]}}
    await node.client.patch(scheme.PODS, "p", patch, namespace="default")

    def replaced():
        [status] = node.pod().status.container_statuses
        return status.state.running and status.restart_count == 1

    await node.until(replaced, step=0.5)
    assert node.states["p/c"] == ["running r0", "running r1"]
    text = "Killing: Container c definition changed, will be restarted"
    await node.until(lambda: text in node.messages(), step=0.5)


async def test_what_the_node_does_not_do_is_refused_by_name(node):
    probe = {"grpc": {"port": 1, "mode": "TLS"}}
    claims = [{"name": "c", "resourceClaimName": "c"}]
    await node.create({"readinessProbe": probe}, resourceClaims=claims)

    pod = await node.phase("Failed", step=0.0)

    assert pod.status.reason == "UnsupportedField"
    assert pod.status.message == (
        "Pod this node does not support: spec.resourceClaims, "
        "spec.containers[0].readinessProbe.grpc.mode"
    )
    await node.until(lambda: any(m.startswith("UnsupportedField") for m in node.messages()))
    assert list(await node.runtime.list_pod_sandbox()) == []
    await node.delete()
    await node.gone()


async def test_a_pod_that_asks_for_too_much_is_rejected(node):
    await node.create({"resources": {"requests": {"cpu": "1000"}}})
    pod = await node.phase("Failed", step=0.0)
    assert pod.status.reason == "OutOfcpu"
    assert pod.status.message.startswith(
        "Pod Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: "
    )


async def test_the_deadline_ends_a_pod(node):
    await node.create({"args": ["trap", "0"]}, activeDeadlineSeconds=5)
    await node.running()
    pod = await node.phase("Failed")
    assert pod.status.reason == "DeadlineExceeded"
    await node.until(lambda: "Killing: Stopping container c" in node.messages(), step=0.1)


async def test_a_new_pod_of_the_same_name_waits_for_the_old_one(node):
    await node.create({"args": ["trap", "0", "1"]})
    old = await node.running()
    await node.delete(grace=0)
    await node.gone(step=0.0)
    await node.create()
    await node.phase("Running", step=0.5)
    assert node.pod().metadata.uid != old.metadata.uid
    uids = {s.metadata.uid for s in await node.runtime.list_pod_sandbox()}
    assert uids == {node.pod().metadata.uid}


async def test_a_pull_secret_that_is_not_there_is_told_of_and_holds_nothing_up(node):
    await node.create(imagePullSecrets=[{"name": "nope"}, {}, {"name": "neither"}])
    await node.running()
    told = (
        "FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets "
        "(nope, neither); attempting to pull the image may not succeed."
    )
    await node.until(lambda: told in node.messages())
    assert node.phase_of() == "Running"


async def test_a_deletion_that_does_not_get_on_goes_on_without_and_the_node_is_cleared_later(
    node, monkeypatch
):
    await node.create(terminationGracePeriodSeconds=1)
    await node.running()
    stop = node.runtime.stop_pod_sandbox

    async def fail(_sandbox_id: str) -> None:
        raise RuntimeFailure("the network is stuck")

    monkeypatch.setattr(node.runtime, "stop_pod_sandbox", fail)
    await node.delete()
    await node.gone(step=1)
    why = "its sandbox to stop, after 10 s: the network is stuck; the node tries again"
    told = f"DeletionIncomplete: Deletion no longer waits for {why}"
    await node.until(lambda: told in node.messages())
    assert len(await node.runtime.list_pod_sandbox()) == 1
    monkeypatch.setattr(node.runtime, "stop_pod_sandbox", stop)
    await node.pass_time(RELIST)
    assert await node.runtime.list_pod_sandbox() == []


async def test_what_is_left_of_a_pod_is_removed_in_the_time_of_one_step(node, monkeypatch):
    limits, taken = [], 10
    in_thread, remove_sandbox = pod_ending.in_daemon_thread, node.runtime.remove_pod_sandbox

    async def noted(seconds: float, work: Callable[[], None]) -> None:
        limits.append(seconds)
        await in_thread(seconds, work)

    async def slow(sandbox_id: str) -> None:
        await node.clock.sleep(taken)
        await remove_sandbox(sandbox_id)

    monkeypatch.setattr(pod_ending, "in_daemon_thread", noted)
    monkeypatch.setattr(node.runtime, "remove_pod_sandbox", slow)
    await node.create(terminationGracePeriodSeconds=1)
    await node.running()
    await node.delete()
    await node.gone(step=1)
    [_, of_files] = limits
    assert of_files <= LIMITS[Step.REMAINS] - taken


async def test_what_cannot_be_removed_takes_one_thread_until_it_can(idle_node, monkeypatch):
    node, asked, dead = idle_node, [], threading.Event()
    left = node.directory / "logs" / "default_web_1234"
    left.mkdir(parents=True)

    def hang(directory: Path) -> None:
        asked.append(directory)
        dead.wait(60)
        remove(directory)

    monkeypatch.setattr(orphans, "remove", hang)
    await node.start()
    await node.until(lambda: asked == [left])
    for _ in range(int(3 * (RELIST + orphans.PATIENCE))):
        await node.clock.advance(1)
    assert asked == [left]
    dead.set()
    await node.until(lambda: not left.exists(), step=1)


async def test_what_others_write_of_what_the_node_knows_better_is_put_right(node):
    """A node that was silent for a while has its Pods declared unready."""
    await node.create()
    await node.running()

    def ready() -> str:
        return {c.type: c.status for c in node.pod().status.conditions}.get("Ready", "")

    await node.until(lambda: ready() == "True", step=0.1)
    seen: list[str] = []
    node.pods.on_change(lambda _old, _new: seen.append(ready()))
    patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    await node.client.patch(scheme.PODS, "p", patch, namespace="default", subresource="status")
    await node.until(lambda: "False" in seen and seen[-1] == "True", step=0.5)
    assert seen[seen.index("False") :] == ["False", "True"]
