#!/usr/bin/env python3
"""How long a Pod takes to start, beside the least that anything on runc could take.

    .venv/bin/python bench/pod_start.py [--pods 40] [--idle 30] [--crowds 50,100]

Pod start: the image being present, from the create request to ``status.phase: Running`` seen on a
watch. Floors, taken in turns with the Pods: ``runc create`` and ``runc start`` of a busybox bundle
with the config.json that ``runc spec`` writes; and the same with the ``create`` under a conmon,
without which there would be neither log nor exit code. Also: from `podium up` to the API and to the
node Ready, on an empty and on a used data directory, and what an idle cluster costs. Then many Pods
at once: their start and end, and of the largest crowd what it costs while idle, its restarts and
its probes (``pod_crowd.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

import pod_crowd  # noqa: E402
from podium.api.scheme import PODS  # noqa: E402
from podium.api.types.core_v1 import Container, Pod, PodSpec  # noqa: E402
from podium.api.types.meta_v1 import ObjectMeta  # noqa: E402
from podium.client.client import Client  # noqa: E402
from podium.client.config import ClientConfig  # noqa: E402
from proc import cpu_seconds, memory  # noqa: E402
from support.cluster import Cluster, cluster, run  # noqa: E402

IMAGE = "localhost/kuard:demo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pods", type=int, default=40, help="how many Pods (default: 40)")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds to watch an idle cluster")
    parser.add_argument("--crowds", default="50,100", help="how many Pods at once, in turn")
    arguments = parser.parse_args()
    crowds = [int(each) for each in arguments.crowds.split(",") if each]
    with (
        tempfile.TemporaryDirectory(prefix="podium-bench-") as disk,
        tempfile.TemporaryDirectory(prefix="podium-bench-", dir="/dev/shm") as tmpfs,
    ):
        measure(Path(disk), Path(tmpfs), arguments.pods, arguments.idle, crowds)


def measure(directory: Path, tmpfs: Path, pods: int, idle: float, crowds: Sequence[int]) -> None:
    """*tmpfs* is for what belongs into /run, which is a tmpfs where systemd runs: runc's state,
    and bundles and namespaces of ours."""
    runc = tmpfs / "runc"
    with cluster(directory, "--run-dir", str(tmpfs / "podium"), start=False) as own:
        print("podium up                     API ready    node Ready")
        for state in ("empty", "used"):
            api, node = time_up(own)
            print(f"  on an {state} data directory".ljust(30) + f"{api:7.2f} s    {node:7.2f} s")
            if state == "empty":
                own.stop()
        image = directory / "image.tar"
        run(sys.executable, REPOSITORY / "tools/demo_image.py", str(image))
        own.podium("image", "load", str(image))
        print_idle(own, idle)
        bare, kept, ours = asyncio.run(start_pods(own, directory, runc, pods))
        print_starts(pods, bare, kept, ours)
        if crowds:
            bare = partial(time_runc, directory / "bundle", runc)
            asyncio.run(pod_crowd.measure(own, IMAGE, crowds, idle, bare))


def print_starts(
    pods: int, bare: list[float], kept: list[float], ours: list[dict[str, float]]
) -> None:
    print(f"\n{pods} starts in turns, ms        min   median      p99      max")
    print_row("floor: runc create + start", bare)
    print_row("  the same under conmon", kept)
    running = [stages["Running"] for stages in ours]
    print_row("Pod: create to Running", running)
    for stage in ("stored", "bound"):
        print_row(f"  of which until {stage}", [stages[stage] for stages in ours])
    for name, floor in (("  ratio", bare), ("  ratio to that under conmon", kept)):
        ratios = [f(running) / f(floor) for f in (min, statistics.median, p99, max)]
        print(name.ljust(28) + "".join(f"{ratio:9.2f}" for ratio in ratios))


def time_up(own: Cluster) -> tuple[float, float]:
    started = time.monotonic()
    own.up(ready=False)
    api = time.monotonic() - started
    assert own.process is not None
    assert own.process.stdout is not None
    own.lines.append(own.process.stdout.readline().strip())
    return api, time.monotonic() - started


def print_idle(own: Cluster, seconds: float) -> None:
    """Print memory and CPU of `podium up` and all its descendants while nothing happens."""
    pids = list(own.processes().values())
    time.sleep(2.0)  # the start's last work is done
    before = sum(cpu_seconds(pid) for pid in pids)
    time.sleep(seconds)
    used = sum(cpu_seconds(pid) for pid in pids) - before
    print(f"\nidle for {seconds:.0f} s: {used / seconds * 100:.2f}% of a core")
    for name, pid in own.processes().items():
        rss, pss = memory(pid)
        print(f"  {name:12} RSS {rss / 1e6:6.1f} MB   PSS {pss / 1e6:6.1f} MB")
    totals = [sum(sizes) for sizes in zip(*(memory(pid) for pid in pids), strict=True)]
    print(f"  {'together':12} RSS {totals[0] / 1e6:6.1f} MB   PSS {totals[1] / 1e6:6.1f} MB")


async def start_pods(
    own: Cluster, directory: Path, state: Path, count: int
) -> tuple[list[float], list[float], list[dict[str, float]]]:
    """Return the times (ms) of both floors and of Pods, taken in turns; a first Pod warms up."""
    bare, kept, ours = [], [], []
    bundle = make_bundle(directory / "bundle")
    async with Client(ClientConfig.from_kubeconfig(own.kubeconfig)) as client:
        version = (await client.list(PODS, "default")).resource_version
        watch = client.watch(PODS, "default", resource_version=version)
        async with contextlib.aclosing(watch) as events:
            await time_pod(client, events, "warm-up")  # opens the watch
            for number in range(count):
                bare.append(time_runc(bundle, state, f"floor-{os.getpid()}-{number}"))
                kept.append(time_conmon(bundle, state, f"kept-{os.getpid()}-{number}"))
                ours.append(await time_pod(client, events, f"bench-{number}"))
    return bare, kept, ours


async def time_pod(
    client: Client, events: AsyncIterator[tuple[str, Pod]], name: str
) -> dict[str, float]:
    """Return when (ms from the create request) each stage was seen on the watch."""
    pod = Pod(
        metadata=ObjectMeta(name=name, namespace="default"),
        spec=PodSpec(
            containers=[Container(name="main", image=IMAGE, command=["sleep", "3600"])],
            termination_grace_period_seconds=0,
        ),
    )
    started = time.perf_counter()
    creating = asyncio.ensure_future(client.create(PODS, pod))
    stages: dict[str, float] = {}
    deleting = False
    async for kind, seen in events:
        stage = "Running" if seen.status.phase == "Running" else ""
        stage = stage or ("bound" if seen.spec.node_name else "stored")
        stages.setdefault(stage, (time.perf_counter() - started) * 1000)
        if kind == "DELETED":
            return stages
        if stage == "Running" and not deleting:
            deleting = True
            await creating
            await client.delete(PODS, name, namespace="default", grace_period_seconds=1)
    raise AssertionError("the watch ended early")


def make_bundle(path: Path) -> Path:
    (path / "rootfs/bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", path / "rootfs/bin/busybox")
    (path / "rootfs/bin/sleep").symlink_to("busybox")
    subprocess.run(["runc", "spec"], cwd=path, check=True)
    config = json.loads((path / "config.json").read_text())
    config["process"]["terminal"] = False
    config["process"]["args"] = ["sleep", "3600"]
    (path / "config.json").write_text(json.dumps(config))
    return path


def time_runc(bundle: Path, state: Path, name: str) -> float:
    runc = ["runc", "--root", str(state)]
    nothing = subprocess.DEVNULL
    started = time.perf_counter()
    subprocess.run(
        [*runc, "create", "--bundle", str(bundle), name],
        stdin=nothing, stdout=nothing, stderr=nothing, check=True,
    )  # fmt: skip
    subprocess.run([*runc, "start", name], check=True)
    elapsed = (time.perf_counter() - started) * 1000
    subprocess.run([*runc, "delete", "--force", name], check=True)
    return elapsed


def time_conmon(bundle: Path, state: Path, name: str) -> float:
    runc = ["runc", "--root", str(state)]
    answer, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    nothing = subprocess.DEVNULL
    started = time.perf_counter()
    conmon = subprocess.Popen(
        [
            "conmon", "--api-version", "1", "--cid", name, "--cuuid", name,
            "--runtime", shutil.which("runc") or "runc", f"--runtime-arg=--root={state}",
            "--bundle", str(bundle), "--exit-dir", str(bundle), "--persist-dir", str(bundle),
            "--container-pidfile", str(bundle / "pid"), "--log-path", f"k8s-file:{bundle}/log",
            "--full-attach",
        ],
        env={**os.environ, "_OCI_SYNCPIPE": str(write_end)}, pass_fds=[write_end], cwd=bundle,
        stdin=nothing, stdout=nothing, stderr=nothing,
    )  # fmt: skip
    os.close(write_end)
    with open(answer, "rb") as answers:
        assert json.loads(answers.readline())["data"] > 0
    subprocess.run([*runc, "start", name], check=True)
    elapsed = (time.perf_counter() - started) * 1000
    conmon.wait()  # it has gone on as a daemon
    subprocess.run([*runc, "delete", "--force", name], check=True)
    return elapsed


def p99(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def print_row(name: str, values: Sequence[float]) -> None:
    cells = (min(values), statistics.median(values), p99(values), max(values))
    print(f"  {name}".ljust(28) + "".join(f"{cell:9.1f}" for cell in cells))


if __name__ == "__main__":
    main()
