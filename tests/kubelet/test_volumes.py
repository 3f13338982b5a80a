"""Volumes as containers find them, and what happens while they cannot be filled."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.types.core_v1 import (
    ConfigMap,
    PersistentVolume,
    PersistentVolumeClaim,
    Secret,
)
from podium.domain.pods.volume_files import VolumeFile
from podium.kubelet.volumes import atomic_writer, manager
from support.dead_fs import AVAILABLE, dead_filesystem
from support.pods import NOW


def files_of(volume: Path) -> dict[str, str]:
    return {
        entry.name: entry.read_text()
        for entry in volume.iterdir()
        if not entry.name.startswith("..")
    }


async def host_path(node, path: str) -> Path:
    [container] = await node.runtime.list_containers()
    config = node.runtime.config(container.id)
    return Path(next(m.host_path for m in config.mounts if m.container_path == path))


async def make(node, resource, kind, name, **fields):
    obj = from_plain(kind, {"metadata": {"name": name}, **fields})
    await node.client.create(resource, obj, namespace="default")


def mounting(**volume):
    return {
        "volumes": [{"name": "v", **volume}],
    }


MOUNTED = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


async def test_every_pod_gets_its_token_ca_and_namespace(node):
    await node.create()
    await node.running()
    path = await host_path(node, "/var/run/secrets/kubernetes.io/serviceaccount")
    found = files_of(path)
    assert set(found) == {"ca.crt", "namespace", "token"}
    assert (found["ca.crt"], found["namespace"]) == ("CA", "default")
    assert found["token"].count(".") == 2
    assert os.readlink(path / "token") == "..data/token"
    assert (path / "token").stat().st_mode & 0o777 == 0o644
    assert str(path).startswith(str(node.directory / "run")), "tokens do not reach a disk"


async def test_a_token_is_renewed_before_it_expires(node):
    await node.create()
    await node.running()
    path = await host_path(node, "/var/run/secrets/kubernetes.io/serviceaccount")
    before = (path / "token").read_text()
    await node.clock.advance(3607 * 0.8 - 1)
    assert (path / "token").read_text() == before
    await node.until(lambda: (path / "token").read_text() != before, step=1)


async def test_a_config_map_reaches_a_running_pod_when_it_changes(node):
    await make(node, scheme.CONFIGMAPS, ConfigMap, "cm", data={"a": "1", "b": "2"})
    await node.create(MOUNTED, **mounting(configMap={"name": "cm"}))
    await node.running()
    path = await host_path(node, "/v")
    assert files_of(path) == {"a": "1", "b": "2"}

    patch = {"data": {"a": "changed", "b": None}}
    await node.client.patch(scheme.CONFIGMAPS, "cm", patch, namespace="default")

    await node.until(lambda: files_of(path) == {"a": "changed"}, step=0.01)


async def test_secret_items_with_modes(node):
    data = {"k": b64encode(b"secret").decode(), "other": ""}
    await make(node, scheme.SECRETS, Secret, "sec", data=data)
    source = {
        "secretName": "sec",
        "defaultMode": 0o400,
        "items": [{"key": "k", "path": "deep/k"}, {"key": "other", "path": "o", "mode": 0o640}],
    }
    await node.create(MOUNTED, **mounting(secret=source))
    await node.running()
    path = await host_path(node, "/v")
    assert (path / "deep/k").read_text() == "secret"
    assert (path / "deep/k").stat().st_mode & 0o777 == 0o400
    assert (path / "o").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"configMap": {"name": "nosuch"}}, 'configmap "nosuch" not found'),
        ({"secret": {"secretName": "nosuch"}}, 'secret "nosuch" not found'),
        (
            {"projected": {"sources": [{"configMap": {"name": "nosuch"}},
                                       {"secret": {"name": "nosuch2"}}]}},
            '[configmap "nosuch" not found, secret "nosuch2" not found]',
        ),
        (
            {"configMap": {"name": "kube-root-ca.crt",
                           "items": [{"key": "nokey", "path": "p"}]}},
            "configmap references non-existent config key: nokey",
        ),
    ],
)  # fmt: skip
async def test_a_volume_that_cannot_be_filled(node, volume, text):
    await node.create(MOUNTED, **mounting(**volume))
    event = f'FailedMount: MountVolume.SetUp failed for volume "v" : {text}'
    await node.until(lambda: event in node.messages(), step=0.1)
    await node.until(lambda: node.states.get("p/c") == ["ContainerCreating r0"], step=0.1)
    await node.delete()
    await node.gone()


async def test_a_pod_starts_as_soon_as_its_config_map_is_there(node):
    await node.create(MOUNTED, **mounting(configMap={"name": "later"}))
    await node.until(lambda: any("FailedMount" in m for m in node.messages()), step=0.1)
    await make(node, scheme.CONFIGMAPS, ConfigMap, "later", data={"a": "1"})
    await node.running()


async def test_a_variable_from_a_config_map_that_comes_later(node):
    reference = {"configMapKeyRef": {"name": "later", "key": "a"}}
    await node.create({"env": [{"name": "A", "valueFrom": reference}]})
    state = "CreateContainerConfigError r0"
    await node.until(lambda: state in node.states.get("p/c", []), step=0.05)
    waiting = node.pod().status.container_statuses[0].state.waiting
    assert waiting.message == 'configmap "later" not found'
    await node.until(lambda: 'Failed: Error: configmap "later" not found' in node.messages())

    await make(node, scheme.CONFIGMAPS, ConfigMap, "later", data={"a": "1"})
    await node.running()

    [container] = await node.runtime.list_containers()
    assert ("A", "1") in node.runtime.config(container.id).envs


async def test_a_volume_that_nobody_mounts_is_not_waited_for(node):
    await node.create(**mounting(configMap={"name": "nosuch"}))
    await node.running()


async def test_empty_dir_is_shared_and_goes_with_the_pod(node):
    await node.create(
        MOUNTED, {"name": "d", **MOUNTED}, **mounting(emptyDir={}), terminationGracePeriodSeconds=1
    )
    await node.running()
    paths = {
        next(m.host_path for m in node.runtime.config(c.id).mounts if m.container_path == "/v")
        for c in await node.runtime.list_containers()
    }
    [path] = map(Path, paths)
    assert path.stat().st_mode & 0o777 == 0o777
    (path / "file").write_text("x")
    await node.delete()
    await node.gone()
    assert not path.exists()


async def test_a_volume_that_grows_too_large_ends_its_pod(node):
    volume = mounting(emptyDir={"sizeLimit": "64Ki"})
    await node.create(MOUNTED, **volume, terminationGracePeriodSeconds=600)
    await node.running()
    path = await host_path(node, "/v")
    (path / "file").write_bytes(b"x" * (128 << 10))
    pod = await node.phase("Failed", step=1)
    text = 'Usage of EmptyDir volume "v" exceeds the limit "64Ki". '
    assert (pod.status.reason, pod.status.message) == ("Evicted", text)
    await node.until(lambda: f"Evicted: {text}" in node.messages(), step=1)
    await node.until(
        lambda: node.pod().status.container_statuses[0].state.terminated is not None, step=1
    )


async def test_a_volume_within_its_limit_is_left_alone(node):
    await node.create(MOUNTED, **mounting(emptyDir={"sizeLimit": "64Ki"}))
    await node.running()
    path = await host_path(node, "/v")
    (path / "file").write_bytes(b"x" * (16 << 10))
    await node.pass_time(60)
    assert node.phase_of() == "Running"


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        (
            {"nfs": {"server": "s", "path": "/p"}},
            'failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched',
        ),
        (
            {"csi": {"driver": "d.example"}},
            'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed '
            "to get CSI client: driver name d.example not found in the list of registered CSI "
            "drivers",
        ),
        (
            {"hostPath": {"path": "/nosuch", "type": "Socket"}},
            'MountVolume.SetUp failed for volume "v" : hostPath type check failed: /nosuch is not '
            "a socket file",
        ),
        (
            {"persistentVolumeClaim": {"claimName": "nosuch"}},
            "error processing PVC default/nosuch: failed to fetch PVC from API server: "
            'persistentvolumeclaims "nosuch" not found',
        ),
    ],
)
async def test_a_volume_that_cannot_be_mounted(node, volume, text):
    await node.create(MOUNTED, **mounting(**volume))
    await node.until(lambda: any(message.endswith(text) for message in node.messages()), step=0.1)
    assert await node.runtime.list_pod_sandbox() == []
    await node.delete()
    await node.gone()


async def test_a_claim_is_looked_for_until_it_is_bound(node, tmp_path):
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Mi"}},
        "storageClassName": "",
        "volumeName": "pv",
    }
    await make(node, scheme.PERSISTENTVOLUMECLAIMS, PersistentVolumeClaim, "data", spec=spec)
    await node.create(MOUNTED, **mounting(persistentVolumeClaim={"claimName": "data"}))
    unbound = "error processing PVC default/data: PVC is not bound"
    await node.until(lambda: any(m.endswith(unbound) for m in node.messages()), step=0.1)

    claim = await node.client.get(scheme.PERSISTENTVOLUMECLAIMS, "data", "default")
    reference = {"namespace": "default", "name": "data", "uid": claim.metadata.uid}
    volume = {
        "metadata": {"name": "pv"},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": str(tmp_path)},
            "claimRef": reference,
        },
    }
    await node.client.create(scheme.PERSISTENTVOLUMES, from_plain(PersistentVolume, volume))
    patch = {"status": {"phase": "Bound"}}
    await node.client.patch(
        scheme.PERSISTENTVOLUMECLAIMS, "data", patch, namespace="default", subresource="status"
    )
    await node.until(lambda: node.phase_of() == "Running", step=0.1)
    assert await host_path(node, "/v") == tmp_path


# -- the writer


@pytest.mark.e2e
@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
async def test_a_volume_that_has_died_since_holds_up_its_pod_alone(node, tmp_path, monkeypatch):
    monkeypatch.setattr(manager, "PATIENCE", 0.05)
    (tmp_path / "v" / "silent").mkdir(parents=True)
    mount = {"name": "v", "mountPath": "/v", "subPath": "silent"}
    spec = mounting(hostPath={"path": str(tmp_path / "v")})
    await node.create({"args": ["exit", "1"], "volumeMounts": [mount]}, **spec)
    await node.until(lambda: "CrashLoopBackOff r1" in node.states.get("p/c", []), step=0.5)
    with dead_filesystem(tmp_path / "v"):
        async with asyncio.timeout(60):
            text = f"{tmp_path}/v/silent: the file system has not answered"
            # Not until(): the thread that hangs is work under way.
            while not any(text in message for message in node.messages()):
                await node.clock.advance(1.0)
            await node.create(name="other")
            while node.phase_of("other") != "Running":
                await node.clock.advance(1.0)
    await node.delete(grace=0)
    await node.gone()


def test_files_are_replaced_all_at_once(tmp_path):
    one = {"a": VolumeFile(b"1"), "deep/b": VolumeFile(b"2", 0o600)}
    assert atomic_writer.write(tmp_path, one, NOW)
    assert not atomic_writer.write(tmp_path, one, NOW + timedelta(seconds=1)), "nothing to do"
    first = os.readlink(tmp_path / "..data")
    assert first == "..2025_01_13_07_30_00.000000000"

    assert atomic_writer.write(tmp_path, {"a": VolumeFile(b"3")}, NOW + timedelta(seconds=2))

    assert (tmp_path / "a").read_text() == "3"
    assert not os.path.lexists(tmp_path / "deep")
    assert not (tmp_path / first).exists(), "the old files are gone"


def test_two_writes_in_the_same_instant_do_not_collide(tmp_path):
    atomic_writer.write(tmp_path, {"a": VolumeFile(b"1")}, NOW)
    atomic_writer.write(tmp_path, {"a": VolumeFile(b"2")}, NOW)
    assert (tmp_path / "a").read_text() == "2"


def test_a_changed_mode_is_a_change(tmp_path):
    atomic_writer.write(tmp_path, {"a": VolumeFile(b"1", 0o644)}, NOW)
    assert atomic_writer.write(tmp_path, {"a": VolumeFile(b"1", 0o400)}, NOW)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o400


async def test_volumes_that_take_too_long_are_told(node):
    await node.create(MOUNTED, **mounting(configMap={"name": "nosuch"}))

    def told():
        return [m for m in node.messages() if "Unable to attach or mount volumes" in m]

    await node.until(told, step=2)
    [text] = told()
    assert text.startswith(
        "FailedMount: Unable to attach or mount volumes: unmounted volumes=[v], "
        "unattached volumes=[kube-api-access-"
    )
    assert text.endswith(" v]: timed out waiting for the condition")
