"""Pods made and deleted in a row leave the machine as it was, and the cluster no larger."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import Cluster, cluster, eventually, pod
from support.leaks import snapshot

#: Pods at a time.
BATCH = 20
PODS = "/api/v1/namespaces/default/pods"
#: Bytes of memory that a Pod which has come and gone may cost the cluster for the hour that its
#: events are kept; told from what caches of a fixed size take at first by a long run only.
MEMORY_PER_POD, LONG = 40_000, 500


@pytest.fixture
def own(tmp_path: Path, demo_image: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as running:
        running.podium("image", "load", str(demo_image))
        yield running


def traces(own: Cluster) -> dict[str, Any]:
    """How many there are of each kind of thing that Pods are made of."""
    found: dict[str, Any] = {
        kind: len(names)
        for kind, names in snapshot(own.id, str(own.data_dir), str(own.data_dir.parent)).items()
    }
    table = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True)
    tables = [part for part in table.stdout.split("table ") if own.id in part.split("\n", 1)[0]]
    found["nft rules"] = sum(len(part.splitlines()) for part in tables)
    for name, root in (("data", own.data_dir), ("run", own.data_dir.parent / "run")):
        found[f"directories in {name}"] = sum(len(dirs) for _, dirs, _ in os.walk(root))
        found[f"files in {name}"] = sum(len(files) for _, _, files in os.walk(root))
    for name, pid in own.processes().items():
        found[f"files open in {name}"] = sum("socket:" not in file for file in descriptors(pid))
    return found


def descriptors(pid: int) -> list[str]:
    """What a process has open."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(entry))
    return found


def sockets(own: Cluster) -> int:
    """How many sockets are open; connections between the components come and go."""
    pids = own.processes().values()
    return sum("socket:" in file for pid in pids for file in descriptors(pid))


def memory(own: Cluster) -> int:
    """Bytes of the cluster's own processes, what they share counted once."""
    total = 0
    for pid in own.processes().values():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total


def come_and_go(own: Cluster, batch: int) -> None:
    """Make a batch of Pods, wait until all run, delete them, wait until all are gone."""
    names = [f"soak-{batch}-{number}" for number in range(BATCH)]
    for name in names:
        made = pod(name, "sleep", "1000000", terminationGracePeriodSeconds=1)
        assert own.request("POST", PODS, made)[0] == 201
    eventually(lambda: phases(own) == ["Running"] * BATCH, "all Pods run")
    for name in names:
        assert own.request("DELETE", f"{PODS}/{name}?gracePeriodSeconds=1")[0] == 200
    eventually(lambda: phases(own) == [], "all Pods are gone")
    eventually(lambda: not remains(own), "what is removed behind them is gone")


def remains(own: Cluster) -> list[Path]:
    """What there still is of Pods that the API has forgotten."""
    roots = (own.data_dir, own.data_dir.parent / "run")
    places = ("kubelet/pods", "runtime/containers", "runtime/sandboxes")
    directories = [root / place for root in roots for place in places]
    return [left for one in directories if one.is_dir() for left in one.iterdir()]


def phases(own: Cluster) -> list[str]:
    _, answer = own.request("GET", PODS)
    return [item["status"]["phase"] for item in answer["items"]]


@pytest.mark.timeout(3600)  # what --soak asks for may take long
def test_nothing_is_left_of_pods(own: Cluster, pytestconfig: pytest.Config):
    pods = int(pytestconfig.getoption("--soak"))
    come_and_go(own, 0)
    before, connected, used = traces(own), sockets(own), memory(own)
    for batch in range(1, pods // BATCH + 1):
        come_and_go(own, batch)

    def more() -> dict[str, tuple[int, int]]:
        now = traces(own)
        return {kind: (before[kind], now[kind]) for kind in now if now[kind] > before[kind]}

    eventually(lambda: not more(), f"as much as before; more: {more()}")
    assert sockets(own) < connected + BATCH
    grown = memory(own) - used
    assert pods < LONG or grown / pods < MEMORY_PER_POD, f"{grown / 1e6:.1f} MB more"
