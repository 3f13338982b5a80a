"""Volumes when Podium's processes are killed, and when a cluster is taken down under them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.cluster.config import load
from podium.runtime.mounts import mount_points
from support.cluster import Cluster, cluster, eventually, pod

MOUNTS = [
    {"name": "memory", "mountPath": "/memory"},
    {"name": "memory", "mountPath": "/part", "subPath": "a/b"},
    {"name": "host", "mountPath": "/host", "subPath": "inner"},
    {"name": "claim", "mountPath": "/claim", "subPathExpr": "$(HOSTNAME)"},
]


@pytest.fixture
def own(tmp_path: Path, demo_image: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as running:
        running.podium("image", "load", str(demo_image))
        yield running


def user(host: Path) -> list[dict[str, Any]]:
    """A claim, and a Pod that has volumes of every kind that is mounted on the node."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    made = pod("user", "sleep", "1000000", restartPolicy="Always")
    [container] = made["spec"]["containers"]
    container["volumeMounts"] = MOUNTS
    container["env"] = [
        {"name": "HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    ]
    made["spec"]["volumes"] = [
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}},
        {"name": "host", "hostPath": {"path": str(host)}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    return [claim, made]


def mounted(uid: str) -> list[str]:
    return sorted(mount.path for mount in mount_points() if uid in mount.path)


def within(uid: str, kind: str) -> Path:
    [path] = [Path(path) for path in mounted(uid) if path.endswith(kind)]
    return path


def test_volumes_outlive_the_kubelet_and_go_with_their_pod(own: Cluster, tmp_path: Path):
    host = tmp_path / "host"
    (host / "inner").mkdir(parents=True)
    (host / "inner/mine").write_text("x")
    own.apply(*user(host))
    own.wait_ready("user")
    found = own.get("pod", "user")
    uid = found["metadata"]["uid"]
    before = mounted(uid)
    assert len(before) == 4
    (within(uid, "kubernetes.io~empty-dir/memory") / "kept").write_text("x")
    (within(uid, "/3") / "kept").write_text("x")

    victim = own.processes()["kubelet"]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: own.processes().get("kubelet", victim) != victim, "a new kubelet")
    os.kill(pid_of(own), signal.SIGKILL)

    def restarted() -> bool:
        [status] = own.get("pod", "user")["status"]["containerStatuses"]
        return bool(status["restartCount"] == 1 and status["ready"])

    eventually(restarted, "a second run of the container")
    assert mounted(uid) == before
    assert (within(uid, "kubernetes.io~empty-dir/memory") / "kept").exists()

    os.kill(own.processes()["kubelet"], signal.SIGKILL)
    own.kubectl("delete", "pod", "user", "--grace-period=0", "--force", "--wait=false")
    eventually(lambda: not mounted(uid), "an end of the mounts")
    config = load(own.data_dir)
    assert config is not None
    for root in (config.kubelet_dir, config.run_dir / "kubelet"):
        eventually(lambda root=root: not (root / "pods" / uid).exists(), f"an end of {root}'s part")
    assert (host / "inner/mine").read_text() == "x"
    [directory] = config.storage_dir.iterdir()
    assert (directory / "user/kept").exists()


def pid_of(own: Cluster) -> int:
    """The process of the only container, which runs a moment before its command does."""
    config = load(own.data_dir)
    assert config is not None
    # As a file system knows it that begins at /tmp, or above.
    storage = bytes(config.storage_dir.relative_to(config.storage_dir.parents[-2]))

    def sleeping() -> int:
        for entry in Path("/proc").iterdir():
            try:
                mounts = (entry / "mountinfo").read_bytes()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if command == b"sleep\x001000000\0" and b"/" + storage in mounts:
                return int(entry.name)
        return 0

    return int(eventually(sleeping, "a process of the container's"))


@pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGKILL])
def test_down_takes_mounts_off_and_empties_nothing(own: Cluster, tmp_path: Path, last: int):
    host = tmp_path / "host"
    (host / "inner").mkdir(parents=True)
    (host / "inner/mine").write_text("x")
    own.apply(*user(host))
    own.wait_ready("user")
    uid = own.get("pod", "user")["metadata"]["uid"]
    config = load(own.data_dir)
    assert config is not None
    own.stop(last)
    own.podium("down")
    assert mounted(uid) == []
    assert (host / "inner/mine").read_text() == "x"
    [directory] = config.storage_dir.iterdir()
    assert (directory / "user").is_dir(), "what a claim holds outlives a stop"
    own.podium("down", "--purge")
    assert not config.storage_dir.exists()
