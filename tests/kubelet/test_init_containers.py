"""Init containers, sidecars and ephemeral containers: lives of their Pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podium.api import scheme
from podium.runtime.port import ContainerState, NamespaceMode

IMAGE = "docker.io/library/busybox:1.36"


def init(name: str, *words: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "args": list(words), **more}


def sidecar(name: str, *words: str, **more: Any) -> dict[str, Any]:
    return init(name, *words, restartPolicy="Always", **more)


def conditions(pod: Any) -> dict[str, str]:
    return {
        c.type: " ".join(filter(None, (c.status, c.reason, c.message)))
        for c in pod.status.conditions
    }


def restarted() -> set[str]:
    return {f"running r{count}" for count in range(1, 50)}


async def runs(node: Any) -> dict[str, list[ContainerState]]:
    found: dict[str, list[ContainerState]] = {}
    for container in await node.runtime.list_containers():
        found.setdefault(container.metadata.name, []).append(container.state)
    return found


def killed(node: Any) -> list[str]:
    return [text for text in node.messages() if text.startswith("Killing")]


def paths(node: Any, reason: str) -> set[str]:
    """The parts of the Pod that events of *reason* are about."""
    return {e.involved_object.field_path for e in node.events.list() if e.reason == reason}


async def add_ephemeral(node: Any, name: str, *words: str, **more: Any) -> None:
    patch = {"spec": {"ephemeralContainers": [init(name, *words, **more)]}}
    await node.client.patch(
        scheme.PODS, "p", patch, namespace="default", subresource="ephemeralcontainers"
    )


async def test_init_containers_run_one_after_the_other(node):
    inits = [init("i", "sleep", "3"), init("j", "sleep", "3")]
    await node.create({"args": ["sleep", "3"]}, initContainers=inits, restartPolicy="Never")

    await node.until(lambda: "running r0" in node.states.get("p/i", []))
    pod = node.pod()
    assert pod.status.phase == "Pending"
    assert conditions(pod)["Initialized"] == (
        "False ContainersNotInitialized containers with incomplete status: [i j]"
    )
    assert node.states["p/j"] == node.states["p/c"] == ["PodInitializing r0"]
    assert await runs(node) == {"i": [ContainerState.RUNNING]}

    pod = await node.phase("Succeeded")

    assert node.states["p/j"] == ["PodInitializing r0", "running r0", "Completed 0 r0"]
    assert node.states["p/c"] == ["PodInitializing r0", "running r0", "Completed 0 r0"]
    assert [status.ready for status in pod.status.init_container_statuses] == [True, True]
    assert conditions(pod)["Initialized"] == "True PodCompleted"
    await node.until(lambda: len(paths(node, "Started")) == 3)
    started = [text for text in node.messages() if text.startswith("Started")]
    assert started == [f"Started: Started container {name}" for name in ("i", "j", "c")]


async def test_an_init_container_that_fails_for_good_fails_the_pod(node):
    inits = [sidecar("s"), init("i", "exit", "7")]
    await node.create(initContainers=inits, restartPolicy="Never")

    pod = await node.phase("Failed", step=1)

    assert node.states["p/c"] == ["PodInitializing r0"]
    assert conditions(pod)["Initialized"].endswith("containers with incomplete status: [s i]")
    assert ContainerState.RUNNING not in (await runs(node))["s"]


async def test_an_init_container_that_fails_is_tried_again(node):
    await node.create(initContainers=[init("i", "exit", "1")])
    await node.until(lambda: "CrashLoopBackOff r2" in node.states.get("p/i", []), step=0.5)
    assert node.phase_of() == "Pending"
    assert node.states["p/c"] == ["PodInitializing r0"]
    await node.until(lambda: "BackOff: Back-off restarting failed container" in node.messages())


async def test_a_sidecar_runs_beside_and_is_restarted_and_ends_last(node):
    await node.create(
        {"args": ["sleep", "60"]},
        initContainers=[sidecar("s", "trap", "0", "1", "sleep", "20"), init("i", "sleep", "1")],
        restartPolicy="Never",
    )
    await node.phase("Running")
    await node.until(lambda: any(text.endswith("r1") for text in node.states["p/s"]), step=1)
    pod = node.pod()
    assert pod.status.phase == "Running"
    assert pod.status.init_container_statuses[0].started

    pod = await node.phase("Succeeded", step=1)

    await node.until(lambda: killed(node))
    assert killed(node) == ["Killing: Stopping container s"], "the regular one ended by itself"
    assert not any(text.endswith("r1") for text in node.states["p/i"])
    assert pod.status.init_container_statuses[0].state.terminated


async def test_what_still_runs_of_a_deleted_pod_ends_in_order(node):
    names = [sidecar("s", "trap", "0", "1"), sidecar("t", "trap", "0", "1")]
    await node.create({"args": ["trap", "0", "1"]}, initContainers=names)
    await node.running()

    await node.delete()
    await node.gone()

    await node.until(lambda: len(killed(node)) == 3)
    assert killed(node) == [f"Killing: Stopping container {name}" for name in ("c", "t", "s")]


async def test_sidecars_are_stopped_when_the_grace_period_is_over_even_out_of_turn(node):
    await node.create({"args": []}, initContainers=[sidecar("s")], terminationGracePeriodSeconds=5)
    await node.running()
    began = node.clock.monotonic()

    await node.delete()
    await node.gone(step=0.1)

    assert node.clock.monotonic() - began < 9


@pytest.mark.parametrize("code", [0, 3])
async def test_a_container_with_a_policy_of_its_own(node, code):
    own = {"args": ["sleep", "1", "exit", str(code)], "restartPolicy": "OnFailure"}
    await node.create(own, restartPolicy="Never")
    if code:
        # Which of its lives the API gets to see running is not promised: each is a second long.
        await node.until(lambda: restarted() & set(node.states.get("p/c", [])), step=0.5)
        assert node.phase_of() == "Running"
    else:
        await node.phase("Succeeded")
        assert node.states["p/c"][-1] == "Completed 0 r0"


async def test_an_ephemeral_container_is_added_to_a_running_pod(node):
    await node.create(restartPolicy="Never")
    await node.running()

    await add_ephemeral(node, "e", "sleep", "2", "exit", "1", targetContainerName="c")
    await node.until(lambda: "Error 1 r0" in node.states.get("p/e", []), step=0.5)

    pod = node.pod()
    assert pod.status.phase == "Running"
    assert conditions(pod)["Ready"] == "True"
    [target] = [c.id for c in await node.runtime.list_containers() if c.metadata.name == "c"]
    [debug] = [c.id for c in await node.runtime.list_containers() if c.metadata.name == "e"]
    options = node.runtime.config(debug).security_context.namespace_options
    assert (options.pid, options.target_id) == (NamespaceMode.TARGET, target)
    await node.until(lambda: "spec.ephemeralContainers{e}" in paths(node, "Started"))


async def test_an_ephemeral_container_may_mount_what_no_other_does(node):
    await node.create(volumes=[{"name": "v", "emptyDir": {}}])
    await node.running()
    await add_ephemeral(node, "e", volumeMounts=[{"name": "v", "mountPath": "/v"}])
    await node.until(lambda: "running r0" in node.states.get("p/e", []), step=0.1)
    [debug] = [c.id for c in await node.runtime.list_containers() if c.metadata.name == "e"]
    [mount] = [m for m in node.runtime.config(debug).mounts if m.container_path == "/v"]
    assert Path(mount.host_path).is_dir()


async def test_an_ephemeral_container_that_asks_for_too_much_is_not_started(node):
    await node.create()
    await node.running()
    await add_ephemeral(node, "e", securityContext={"windowsOptions": {"hostProcess": False}})
    await node.until(lambda: "CreateContainerConfigError r0" in node.states.get("p/e", []))
    waiting = node.pod().status.ephemeral_container_statuses[0].state.waiting
    path = "spec.ephemeralContainers[0].securityContext.windowsOptions"
    assert waiting.message == f"this node does not support: {path}"


async def test_a_pod_that_shares_its_processes(node):
    await node.create(shareProcessNamespace=True)
    await node.running()
    [sandbox] = await node.runtime.list_pod_sandbox()
    config = node.runtime.sandbox_config(sandbox.id)
    assert config.linux.namespace_options.pid is NamespaceMode.POD


async def test_a_pod_that_loses_its_sandbox_is_initialised_again(node):
    """The API takes no status in which a done init container runs again; the next one it takes."""
    inits = [init("i", "sleep", "2")]
    await node.create(initContainers=inits, restartPolicy="OnFailure")
    await node.phase("Running")
    [sandbox] = await node.runtime.list_pod_sandbox()

    await node.runtime.stop_pod_sandbox(sandbox.id)
    await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)

    [again] = node.pod().status.init_container_statuses
    assert (again.restart_count, again.state.terminated.exit_code) == (1, 0)
    assert node.phase_of() == "Running"


async def test_a_new_kubelet_goes_on_with_the_initialisation_where_it_was(node):
    inits = [init("i", "sleep", "1"), sidecar("s"), init("j", "sleep", "30")]
    await node.create(initContainers=inits)
    await node.until(lambda: "running r0" in node.states.get("p/j", []), step=0.5)

    await node.stop()
    await node.start()
    pod = await node.phase("Running", step=1)

    counts = {s.name: s.restart_count for s in pod.status.init_container_statuses}
    assert counts == {"i": 0, "s": 0, "j": 0}
    assert pod.status.init_container_statuses[1].started


async def test_images_are_pulled_while_init_containers_run(node):
    """All that have to be pulled, at once; what is there is looked at when its turn comes."""
    node.images.publish("docker.io/library/late:1")
    node.images.publish("docker.io/library/later:1")
    await node.create(
        {"name": "late", "image": "docker.io/library/late:1"},
        {"name": "later", "image": "docker.io/library/later:1"},
        {"name": "there"},
        initContainers=[{"name": "i", "image": IMAGE, "args": ["sleep", "60", "exit", "0"]}],
    )
    await node.until(
        lambda: (
            "running r0" in node.states.get("p/i", [])
            and sum("Successfully pulled" in text for text in node.messages()) == 2
        )
    )
    assert sum("already present" in text for text in node.messages()) == 1
    await node.phase("Running", step=1)
    await node.until(lambda: sum(t.startswith("Started") for t in node.messages()) == 4)
    assert sum(text.startswith("Pulled") for text in node.messages()) == 4, "nothing told twice"


async def test_an_image_that_is_removed_before_its_turn_is_pulled_again(node):
    image = "registry.example/late:1"
    node.images.publish(image)
    await node.create({"image": image}, initContainers=[init("i", "sleep", "60")])
    await node.until(lambda: any("Successfully pulled" in text for text in node.messages()))

    await node.images.remove_image(image)
    await node.phase("Running")

    assert "CreateContainerError r0" in node.states["p/c"]
    assert [name for name, _ in node.images.pulls] == [image] * 2
