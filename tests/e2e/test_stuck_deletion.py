"""Deletions that something really holds up: they end within their bound, or say what keeps them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.cluster.config import load
from podium.runtime.cgroups import Cgroups
from podium.runtime.oci.conmon import read_pid
from support.cluster import Cluster, eventually, pod
from support.dead_fs import AVAILABLE, dead_filesystem

_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10  # linux/fs.h


def events(cluster: Cluster, namespace: str, name: str, reason: str) -> list[str]:
    code, found = cluster.request("GET", f"/api/v1/namespaces/{namespace}/events")
    assert code == 200
    about = [event for event in found["items"] if event["involvedObject"]["name"] == name]
    return [event["message"] for event in about if event["reason"] == reason]


def get(cluster: Cluster, namespace: str, name: str) -> Any:
    code, found = cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
    return found if code == 200 else None


@contextlib.contextmanager
def immutable(directory: Path) -> Iterator[None]:
    """A file in *directory* that nobody can remove meanwhile."""
    file = os.open(directory / "kept", os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC)
    try:
        before = fcntl.ioctl(file, _GET_FLAGS, bytes(8))
        flags = struct.unpack("i4x", before)[0] | _IMMUTABLE
        try:
            fcntl.ioctl(file, _SET_FLAGS, struct.pack("i4x", flags))
        except OSError:
            pytest.skip("no immutable files here")
        try:
            yield
        finally:
            fcntl.ioctl(file, _SET_FLAGS, before)
    finally:
        os.close(file)


def hold_up(cluster: Cluster, status: Any) -> None:
    """Freeze a Pod's container where the freezer can hold up a kill, and stop its conmon."""
    config = load(cluster.data_dir)
    assert config is not None
    [container] = status["containerStatuses"]
    container_id = container["containerID"].partition("://")[2]
    cgroups = Cgroups.detect()
    if not cgroups.unified:
        freezer = cgroups.hierarchies["freezer"]
        [found] = freezer.glob(f"*/**/{container_id}")
        (found / "freezer.state").write_text("FROZEN")
    [pid_file] = config.run_dir.glob(f"**/containers/{container_id}/conmon.pid")
    os.kill(read_pid(pid_file), signal.SIGSTOP)


@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
def test_what_is_stuck_goes_within_a_bound_or_says_why_it_stays(
    shared: Cluster, namespace: str, tmp_path: Path
):
    dead_path = tmp_path / "dead"
    dead_path.mkdir()
    with dead_filesystem(dead_path) as dead, contextlib.ExitStack() as until_gone:
        mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
        host = [{"name": "v", "hostPath": {"path": str(dead_path)}}]
        own: list[Any] = [{"name": "v", "emptyDir": {}}]
        reader = pod("reader", "cat", "/v/f", container=mount, volumes=host)
        frozen = pod("frozen", "sleep", "1000000", container=mount, volumes=own)
        silent = [{"name": "v", "hostPath": {"path": f"{dead_path}/silent", "type": "Directory"}}]
        unanswered = pod("unanswered", "sleep", "1000000", container=mount, volumes=silent)
        path = f"/api/v1/namespaces/{namespace}/pods"
        for made in (reader, frozen):
            made["spec"]["terminationGracePeriodSeconds"] = 1
            assert shared.request("POST", path, made)[0] == 201
        shared.wait_ready("reader", "frozen", namespace=namespace)
        assert dead.asked.wait(60)
        assert shared.request("POST", path, unanswered)[0] == 201
        found = get(shared, namespace, "frozen")
        [volume] = shared.data_dir.glob(f"**/{found['metadata']['uid']}/volumes/*/v")
        until_gone.enter_context(immutable(volume))
        hold_up(shared, found["status"])

        def no_answer() -> list[str]:
            told = events(shared, namespace, "unanswered", "FailedMount")
            return [text for text in told if "/silent: the file system has not answered" in text]

        eventually(no_answer, "a mount that does not answer is told of, and holds up nobody else")
        for name in ("unanswered", "reader", "frozen"):
            path = f"/api/v1/namespaces/{namespace}/pods/{name}"
            assert shared.request("DELETE", path)[0] == 200
        eventually(lambda: get(shared, namespace, "unanswered") is None, "unanswered is gone")
        eventually(lambda: get(shared, namespace, "frozen") is None, "frozen is gone")
        [told] = eventually(
            lambda: events(shared, namespace, "frozen", "DeletionIncomplete"), "the event"
        )
        assert told.startswith("Deletion no longer waits for its volumes to go, after 10 s: ")
        assert "Operation not permitted" in told

        def delayed() -> list[str]:
            told = events(shared, namespace, "reader", "DeletionDelayed")
            return [text for text in told if "(cat), in an uninterruptible call" in text]

        eventually(delayed, "the process that keeps the Pod is told of")
        assert get(shared, namespace, "reader")["metadata"]["deletionTimestamp"]
    eventually(lambda: get(shared, namespace, "reader") is None, "reader is gone")
