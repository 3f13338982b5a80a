"""What survives: any Podium process killed, a stop and a start, a crash and a down."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from support.cluster import KUBECTL, PODIUM, Cluster, cluster, eventually, pod
from support.leaks import leaked

TEN = [f"web-{number}" for number in range(10)]
#: How long the containers sleep: told apart by it from those of tests in other processes.
FOREVER = str(1_000_000 + os.getpid())


@pytest.fixture
def own(tmp_path: Path, demo_image: Path) -> Iterator[Cluster]:
    """A cluster of the test's own, with ten Pods running; the machine is as before afterwards."""
    with cluster(tmp_path) as running:
        running.podium("image", "load", str(demo_image))
        running.apply(*(pod(name, "sleep", FOREVER) for name in TEN))
        running.wait_ready(*TEN)
        eventually(lambda: len(container_pids()) == len(TEN), "ten commands")
        yield running


def snapshot(own: Cluster) -> dict[str, tuple[Any, ...]]:
    """What must not change: each Pod's address, container, start time and restarts."""
    seen = {}
    for item in own.get("pods")["items"]:
        (status,) = item["status"]["containerStatuses"]
        seen[item["metadata"]["name"]] = (
            item["status"]["podIP"],
            status["containerID"],
            status["state"]["running"]["startedAt"],
            status["restartCount"],
        )
    return seen


def container_pids() -> set[int]:
    """Pids of the test's sleeping processes."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if (entry / "cmdline").read_text() == f"sleep\0{FOREVER}\0":
                found.add(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def works(own: Cluster) -> bool:
    """Whether the whole chain works: a new Pod comes to run."""
    try:
        own.apply(pod("probe", "sleep", "1000"))
        own.wait_ready("probe")
        own.kubectl("delete", "pod", "probe", "--now")
    except AssertionError:
        return False
    return True


@contextlib.contextmanager
def executing(own: Cluster, seconds: str) -> Iterator[subprocess.Popen[bytes]]:
    """A kubectl whose command sleeps in a container."""
    script = f"echo here; exec sleep {seconds}"
    command = [KUBECTL["1.37"], "exec", "web-0", "--", "sh", "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | own.environment
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"here\n"
        yield client


@contextlib.contextmanager
def following(own: Cluster) -> Iterator[IO[bytes]]:
    """The log of ``web-0`` as our own kubectl shows it, over connections that are lost."""
    command = [PODIUM, "kubectl", "logs", "-f", "web-0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | own.environment
    ) as client:
        assert client.stdout is not None
        yield client.stdout
        client.kill()


def say(own: Cluster, line: str) -> None:
    """Have a line in the log of ``web-0``."""
    own.kubectl("exec", "web-0", "--", "sh", "-c", f"echo {line} > /proc/1/fd/1")


@pytest.mark.parametrize("component", ["apiserver", "kubelet"])
def test_a_killed_component_is_noticed_by_no_container(own: Cluster, component: str):
    before, pids = snapshot(own), container_pids()
    victim = own.processes()[component]
    say(own, "first")
    with following(own) as log, executing(own, "12345" + FOREVER) as client:
        assert log.readline() == b"first\n"
        os.kill(victim, signal.SIGKILL)
        _, said = client.communicate(timeout=60)
        assert client.returncode == 1
        assert b"error: " in said
        eventually(lambda: own.processes().get(component, victim) != victim, f"a new {component}")
        eventually(lambda: works(own), "a working cluster")
        say(own, "second")
        assert log.readline() == b"second\n"
    assert snapshot(own) == before
    assert container_pids() == pids
    eventually(lambda: "12345" + FOREVER not in own.kubectl("exec", "web-0", "--", "ps").stdout,
               "the end of the command")  # fmt: skip


def test_a_killed_supervisor_takes_no_container_with_it(own: Cluster):
    before, pids = snapshot(own), container_pids()
    own.stop(signal.SIGKILL)
    own.up()
    assert works(own)
    assert snapshot(own) == before
    assert container_pids() == pids


def test_a_stopped_cluster_is_started_again_and_adopts_its_containers(own: Cluster):
    before, pids = snapshot(own), container_pids()
    assert own.stop() == 0
    assert container_pids() == pids
    own.up()
    eventually(lambda: snapshot(own) == before, "the same Pods")
    assert container_pids() == pids


def test_a_container_that_died_while_the_cluster_was_down_is_restarted_with_its_count(
    own: Cluster,
):
    own.stop()
    victim = container_pids().pop()
    os.kill(victim, signal.SIGKILL)
    own.up()

    def restarts() -> list[int]:
        items = own.get("pods")["items"]
        return sorted(item["status"]["containerStatuses"][0]["restartCount"] for item in items)

    eventually(lambda: restarts() == [0] * 9 + [1], "one restart")
    eventually(lambda: len(container_pids()) == 10, "ten containers")
    assert victim not in container_pids()
    assert restarts() == [0] * 9 + [1], "none but the one that died"


def test_stop_pods_stops_them(tmp_path: Path, demo_image: Path):
    with cluster(tmp_path, "--stop-pods") as own:
        own.podium("image", "load", str(demo_image))
        own.apply(pod("web", "sleep", FOREVER, terminationGracePeriodSeconds=1))
        own.wait_ready("web")
        assert own.stop() == 0
        assert container_pids() == set()


@pytest.mark.parametrize("crash", [False, True], ids=["running", "crashed"])
def test_down_leaves_nothing_behind_but_objects_and_images(
    tmp_path: Path, demo_image: Path, crash: bool
):
    with cluster(tmp_path) as own:
        own.podium("image", "load", str(demo_image))
        own.apply(pod("web", "sleep", FOREVER))
        own.wait_ready("web")
        if crash:
            for pid in own.processes().values():
                with contextlib.suppress(ProcessLookupError):  # it went with its parent
                    os.kill(pid, signal.SIGKILL)
            assert own.process is not None
            own.process.wait()
        own.podium("down")
        assert leaked({}, own.id, f"{tmp_path}/run") == {}
        assert container_pids() == set()
        assert "kuard" in own.podium("image", "ls").stdout
        own.up()
        own.wait_ready("web")


def test_two_clusters_side_by_side_do_not_touch_each_other(tmp_path: Path, demo_image: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with cluster(tmp_path / "a") as a, cluster(tmp_path / "b") as b:
        for own in (a, b):
            own.podium("image", "load", str(demo_image))
            own.apply(pod("web"))
            own.wait_ready("web")
        before = snapshot(b)
        a.podium("down")
        assert snapshot(b) == before
        address = b.get("pod", "web")["status"]["podIP"]
        eventually(lambda: listens(address), "a Pod that is served")


def listens(address: str) -> bool:
    try:
        socket.create_connection((address, 8080), timeout=60).close()
    except ConnectionRefusedError:  # its program is not that far yet
        return False
    return True


def test_a_second_up_on_the_same_directory_is_refused(shared: Cluster):
    refused = shared.podium("up", check=False)
    assert refused.returncode == 1
    assert "already running" in refused.stderr


def test_overlapping_addresses_are_refused(shared: Cluster, tmp_path: Path):
    pods = shared.flags[shared.flags.index("--pod-cidr") + 1]
    with cluster(tmp_path, "--pod-cidr", pods, start=False) as other:
        refused = other.podium("up", *other.flags, check=False)
        assert refused.returncode == 1
        assert "--pod-cidr" in refused.stderr
        assert "overlaps" in refused.stderr
        assert not other.data_dir.exists()
        assert not (tmp_path / "run").exists()


def test_a_service_range_is_nobody_elses(shared: Cluster, tmp_path: Path):
    services = shared.flags[shared.flags.index("--service-cidr") + 1]
    with cluster(tmp_path, "--service-cidr", services, start=False) as other:
        refused = other.podium("up", *other.flags, check=False)
        assert refused.returncode == 1
        assert f"--service-cidr {services} overlaps" in refused.stderr
        assert str(shared.data_dir) in refused.stderr
