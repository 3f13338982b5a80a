"""Static Pods: what is in the directory runs, and the API shows it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.types.core_v1 import Pod
from podium.kit.clock import VirtualClock
from podium.kubelet.kubelet import run
from podium.kubelet.static_pods import StaticPods
from podium.runtime.port import ContainerState
from support.node import IMAGE, PATIENCE, Node

NAME = "web-node-1"


def manifest(*, gate: str = "", **metadata: str) -> str:
    gates = f", readinessGates: [{{conditionType: {gate}}}]" if gate else ""
    return (
        "apiVersion: v1\nkind: Pod\n"
        f"metadata: {{name: web, annotations: {metadata}}}\n"
        f"spec: {{terminationGracePeriodSeconds: 5, containers: "
        f"[{{name: c, image: '{IMAGE}'}}]{gates}}}\n"
    )


@pytest.fixture
async def manifests(idle_node: Node, tmp_path: Path) -> Path:
    directory = tmp_path / "manifests"
    directory.mkdir()
    idle_node.config = msgspec.structs.replace(idle_node.config, static_pod_path=str(directory))
    return directory


async def running(node: Node) -> list[str]:
    return [c.id for c in await node.runtime.list_containers() if c.state is ContainerState.RUNNING]


async def test_a_manifest_runs_and_is_mirrored(idle_node, manifests):
    node = idle_node
    (manifests / "web.yaml").write_text(manifest())
    await node.start()

    mirror = await node.running(NAME)

    annotations = mirror.metadata.annotations
    assert annotations["kubernetes.io/config.source"] == "file"
    assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]
    [owner] = mirror.metadata.owner_references
    assert (owner.kind, owner.name, owner.controller) == ("Node", "node-1", True)
    assert mirror.spec.node_name == "node-1"
    assert mirror.spec.service_account_name == ""
    assert mirror.status.container_statuses[0].ready
    await node.until(lambda: "Started: Started container c" in node.messages(NAME))
    [event] = [e for e in node.events.list() if e.reason == "Started"]
    assert event.involved_object.uid == annotations["kubernetes.io/config.mirror"]


async def test_a_deleted_mirror_comes_back_and_its_pod_runs_on(idle_node, manifests):
    node = idle_node
    (manifests / "web.yaml").write_text(manifest())
    await node.start()
    before = (await node.running(NAME)).metadata.uid
    containers = await running(node)

    await node.delete(NAME)
    await node.until(
        lambda: node.phase_of(NAME) == "Running" and node.pod(NAME).metadata.uid != before
    )

    assert await running(node) == containers
    assert node.pod(NAME).status.container_statuses[0].ready


async def test_manifests_come_change_and_go_while_the_kubelet_runs(idle_node, manifests):
    node = idle_node
    await node.start()
    file = manifests / "web.yaml"

    (manifests / ".new").write_text(manifest())
    (manifests / ".new").rename(file)
    first = await node.running(NAME)

    file.write_text(manifest(version="2"))
    await node.until(
        lambda: (
            node.phase_of(NAME) == "Running" and node.pod(NAME).metadata.uid != first.metadata.uid
        ),
        step=0.5,
    )
    assert node.pod(NAME).metadata.annotations["version"] == "2"
    assert len(await running(node)) == 1

    file.unlink()
    await node.gone(NAME)
    assert list(await node.runtime.list_containers()) == []
    assert not node.cgroups.pods


async def test_a_manifest_that_went_while_no_kubelet_looked(idle_node, manifests):
    node = idle_node
    file = manifests / "web.yaml"
    file.write_text(manifest())
    await node.start()
    await node.running(NAME)
    containers = await running(node)
    await node.stop()
    await node.start()
    await node.running(NAME)
    assert await running(node) == containers, "adopted"

    await node.stop()
    file.unlink()
    await node.start()
    await node.gone(NAME)
    await node.until(lambda: not node.cgroups.pods, step=0.5)
    assert await running(node) == []


async def test_a_manifest_that_changed_meanwhile_runs_once_what_it_said_before_has_ended(
    idle_node, manifests, monkeypatch
):
    node = idle_node
    file = manifests / "web.yaml"
    file.write_text(manifest())
    await node.start()
    await node.running(NAME)
    await node.stop()
    file.write_text(manifest(version="2"))
    start, beside = node.runtime.start_container, []

    async def watched(container_id: str) -> None:
        beside.append(await running(node))
        await start(container_id)

    monkeypatch.setattr(node.runtime, "start_container", watched)
    await node.start()
    await node.until(lambda: beside, step=0.1)
    assert beside == [[]], "two Pods of one name run at once"


async def test_a_broken_manifest_leaves_alone_what_runs(idle_node, manifests):
    node = idle_node
    file = manifests / "web.yaml"
    file.write_text(manifest())
    await node.start()
    await node.running(NAME)
    containers = await running(node)

    file.write_text("kind: [")

    await node.until(
        lambda: any(
            e.reason == "BadManifest" and str(file) in e.message for e in node.events.list()
        )
    )
    assert await running(node) == containers


async def test_a_mirror_of_nothing_is_removed(idle_node, manifests):
    node = idle_node
    plain = {
        "metadata": {"name": "ghost", "annotations": {"kubernetes.io/config.mirror": "x"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": IMAGE}]},
    }
    await node.client.create(scheme.PODS, from_plain(Pod, plain), namespace="default")
    await node.start()
    await node.gone("ghost", step=0.0)
    assert list(await node.runtime.list_containers()) == []


async def test_a_pod_of_the_api_that_says_it_is_static_is_not(node):
    """Nobody escapes a taint by an annotation."""
    await node.create_annotated({"kubernetes.io/config.source": "file"}, {})
    await node.running()
    await node.delete()
    await node.gone(step=5)
    assert await running(node) == []


async def test_a_kubelet_that_comes_back_tells_what_has_changed(idle_node, manifests):
    """The mirror has the address of the former sandbox, which must not stay beside the new one."""
    node = idle_node
    (manifests / "web.yaml").write_text(manifest())
    await node.start()
    before = (await node.running(NAME)).status.pod_ip
    await node.stop()
    for sandbox in await node.runtime.list_pod_sandbox():
        await node.runtime.stop_pod_sandbox(sandbox.id)
    await node.start()
    await node.until(lambda: node.pod(NAME).status.pod_ip not in ("", before), step=0.5)
    status = node.pod(NAME).status
    assert [address.ip for address in status.pod_ips] == [status.pod_ip]


async def test_a_restart_is_asked_for_by_way_of_the_mirror(idle_node, manifests):
    node = idle_node
    (manifests / "web.yaml").write_text(manifest())
    await node.start()
    await node.running(NAME)
    path = f"/api/v1/namespaces/default/pods/{NAME}/restart"
    async with node.api.session() as session, session.post(path) as answer:
        assert answer.status == 201
    await node.until(lambda: "running r1" in node.states[f"{NAME}/c"], step=0.5)
    await node.stop()
    await node.start()
    await node.pass_time(10)
    assert node.states[f"{NAME}/c"][-1] == "running r1", "once"


async def test_readiness_gates_are_told_by_way_of_the_mirror(idle_node, manifests):
    node = idle_node
    (manifests / "web.yaml").write_text(manifest(gate="a/b"))
    await node.start()
    await node.running(NAME)

    def ready() -> str:
        return {c.type: c.status for c in node.pod(NAME).status.conditions}.get("Ready", "")

    assert ready() == "False"
    patch = {"status": {"conditions": [{"type": "a/b", "status": "True"}]}}
    await node.client.patch(scheme.PODS, NAME, patch, namespace="default", subresource="status")
    await node.until(lambda: ready() == "True", step=0.1)


async def test_static_pods_run_without_the_api(idle_node, manifests):
    """Started, restarted when they crash, and adopted and shown once there is an API."""
    node = idle_node
    (manifests / "web.yaml").write_text(manifest())
    options = node.options()
    nowhere = msgspec.structs.replace(options.client_config, server="https://127.0.0.1:1")
    alone = msgspec.structs.replace(options, client_config=nowhere)
    async with asyncio.TaskGroup() as group:
        kubelet = group.create_task(
            run(alone, node.runtime, node.images, node.clock, cgroups=node.cgroups)
        )

        async def until_it_runs(attempt: int) -> str:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await node.clock.advance(1)
                    for found in await node.runtime.list_containers():
                        if found.state is ContainerState.RUNNING:
                            assert found.metadata.attempt == attempt
                            return found.id

        node.runtime.exit(await until_it_runs(0), 1)
        again = await until_it_runs(1)
        kubelet.cancel()
    await node.start()
    mirror = await node.running(NAME)
    [status] = mirror.status.container_statuses
    assert (status.container_id, status.restart_count) == (f"podium://{again}", 1)


def test_what_is_no_file_is_passed_over(tmp_path):
    """Directories are not descended into, and nobody is waited for to write into a pipe."""
    told: list[str] = []
    (tmp_path / "web.yaml").write_text(manifest())
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.yaml").write_text(manifest())
    os.mkfifo(tmp_path / "pipe")
    pods = StaticPods(tmp_path, "node-1", 20.0, VirtualClock(), told.append)
    before = len(os.listdir("/proc/self/fd"))
    assert [pod.metadata.name for pod in pods.read()] == [NAME]
    assert told == []
    assert len(os.listdir("/proc/self/fd")) <= before


def test_manifests_that_cannot_be_read_go_on_running(tmp_path):
    told: list[str] = []
    directory = tmp_path / "manifests"
    directory.mkdir()
    (directory / "web.yaml").write_text(manifest())
    pods = StaticPods(directory, "node-1", 20.0, VirtualClock(), told.append)
    [pod] = pods.read()

    directory.rename(tmp_path / "elsewhere")
    directory.symlink_to(directory)  # neither there nor gone
    assert pods.read() == [pod]
    assert "cannot be read" in told[-1]

    directory.unlink()
    assert pods.read() == []
