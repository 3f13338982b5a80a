"""Many Pods at once: started, idle, probed, restarted, deleted; the part of ``pod_start.py`` that
has more than one Pod.

Floors: as many runc containers, two at a time, which is what two cores can do; for memory, the
conmon that stands by each container.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from podium.api.scheme import PODS
from podium.api.types.core_v1 import Container, HTTPGetAction, Pod, PodSpec, Probe
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.config import ClientConfig
from proc import cpu_seconds, memory
from support.cluster import Cluster, eventually

#: Runs and removes a bare container called as given.
Bare = Callable[[str], Any]

_AT_ONCE = 2
_RESTARTS = 10


class Crowd:
    """Pods of one cluster, made and watched through one client."""

    def __init__(self, own: Cluster, client: Client, image: str) -> None:
        self._own, self._client, self._image = own, client, image

    async def start(self, count: int, **container: Any) -> float:
        """Make *count* Pods; return the seconds until the last one runs."""
        async with self._watching() as events:
            started = time.perf_counter()
            making = [self.make(f"crowd-{number}", container) for number in range(count)]
            creating = asyncio.gather(*making)
            running: set[str] = set()
            async for _, seen in events:
                if seen.status.phase == "Running":
                    running.add(seen.metadata.name)
                if len(running) == count:
                    await creating
                    return time.perf_counter() - started
        raise AssertionError("the watch ended early")

    async def delete(self) -> float:
        """Delete all Pods with a second of grace; return the seconds until the last one is gone."""
        names = [pod.metadata.name for pod in (await self._client.list(PODS, "default")).items]
        async with self._watching() as events:
            started = time.perf_counter()
            deleting = asyncio.gather(
                *(
                    self._client.delete(PODS, name, namespace="default", grace_period_seconds=1)
                    for name in names
                )
            )
            left = set(names)
            async for kind, seen in events:
                if kind == "DELETED":
                    left.discard(seen.metadata.name)
                if not left:
                    await deleting
                    return time.perf_counter() - started
        raise AssertionError("the watch ended early")

    async def restart(self, name: str) -> float:
        """Kill a container's process; return the ms until its next run is seen."""
        pod = await self._client.get(PODS, name, namespace="default")
        [status] = pod.status.container_statuses
        async with self._watching() as events:
            started = time.perf_counter()
            os.kill(process_of(status.container_id.rpartition("/")[2]), signal.SIGKILL)
            async for _, seen in events:
                if seen.metadata.name != name:
                    continue
                [now] = seen.status.container_statuses
                if now.restart_count > status.restart_count and now.state.running is not None:
                    return (time.perf_counter() - started) * 1000
        raise AssertionError("the watch ended early")

    @contextlib.asynccontextmanager
    async def _watching(self) -> AsyncIterator[AsyncIterator[tuple[str, Pod]]]:
        version = (await self._client.list(PODS, "default")).resource_version
        watch = self._client.watch(PODS, "default", resource_version=version)
        async with contextlib.aclosing(watch) as events:
            yield events

    async def make(self, name: str, container: dict[str, Any]) -> None:
        """Make a Pod whose container sleeps, and is what else *container* says."""
        command = ["sleep", "3600"]
        main = Container(name="main", image=self._image, command=command, **container)
        metadata = ObjectMeta(name=name, namespace="default")
        await self._client.create(PODS, Pod(metadata=metadata, spec=PodSpec(containers=[main])))


def process_of(container_id: str) -> int:
    """The first process of a running container."""
    for path in Path("/sys/fs/cgroup").glob(f"**/{container_id}/cgroup.procs"):
        if pids := path.read_text().split():
            return int(pids[0])
    raise AssertionError(f"{container_id} does not run")


class ProbeTarget:
    """Answers the probes of many Pods, each by its path, and notes when they came."""

    def __init__(self) -> None:
        self.arrivals: defaultdict[str, list[float]] = defaultdict(list)

    @contextlib.asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._answer, address, 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if line:  # none when the node ends with a probe under way
            self.arrivals[line.split()[1].decode()].append(time.perf_counter())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    def lateness(self, period: float) -> list[float]:
        """Ms by which each probe came later than *period* seconds after the one before."""
        return [
            (later - earlier - period) * 1000
            for times in self.arrivals.values()
            for earlier, later in itertools.pairwise(times)
        ]


def start_bare(bare: Bare, count: int) -> float:
    """Return the seconds that *count* bare containers take, one for each core at a time."""
    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(bare, [f"crowd-{os.getpid()}-{number}" for number in range(count)]))
    return time.perf_counter() - started


def conmons(own: Cluster) -> list[int]:
    """Process IDs of the cluster's conmons."""
    found, mark = [], os.fsencode(own.data_dir)
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if command.split(b"\0")[0].endswith(b"conmon") and mark in command:
                found.append(int(entry.name))
    return found


async def measure(
    own: Cluster,
    image: str,
    counts: Sequence[int],
    idle: float,
    bare: Bare,
) -> None:
    """Print everything about *counts* Pods at once; the last number is the one to stay a while.

    *bare* starts a container without Podium.
    """
    print(f"\n{'at once':22}" + "start  Pods/s   floor   ratio   delete to gone".rjust(50))
    async with Client(ClientConfig.from_kubeconfig(own.kubeconfig)) as client:
        crowd = Crowd(own, client, image)
        for count in counts:
            empty, floor = _pss(own), start_bare(bare, count)
            seconds = await crowd.start(count)
            if count == counts[-1]:
                await _look_at_idle(own, count, idle, empty)
                times = [await crowd.restart(f"crowd-{number}") for number in range(_RESTARTS)]
                print(f"  exit to restarted, ms: median {statistics.median(times):.0f}, ", end="")
                one = start_bare(bare, 1) * 1000
                print(f"max {max(times):.0f}; floor, a bare start: {one:.0f}")
            gone = await crowd.delete()
            print(f"{count:>8} Pods".ljust(34), end="")
            print(f"{seconds:8.1f} s {count / seconds:6.1f} {floor:7.1f} s", end="")
            print(f" {seconds / floor:6.2f} {gone:10.1f} s")
        await _look_at_probes(own, crowd, counts[-1])


def _pss(own: Cluster) -> int:
    return sum(memory(pid)[1] for pid in own.processes().values())


async def _look_at_idle(own: Cluster, count: int, seconds: float, empty: int) -> None:
    await asyncio.sleep(3.0)  # the start's last work is done
    pids = own.processes()
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    await asyncio.sleep(seconds)
    used = {name: (cpu_seconds(pid) - before[name]) / seconds for name, pid in pids.items()}
    ours = _pss(own) - empty
    beside = sum(memory(pid)[1] for pid in conmons(own))
    print(f"  {count} Pods, idle for {seconds:.0f} s: ", end="")
    print(", ".join(f"{name} {share:.2%}" for name, share in used.items()), "of a core")
    print(f"  memory per Pod: {ours / count / 1e6:.2f} MB in Podium's processes, ", end="")
    print(f"{beside / count / 1e6:.2f} MB in its conmon (the floor)")


async def _look_at_probes(own: Cluster, crowd: Crowd, count: int) -> None:
    node = own.get("nodes")["items"][0]
    [address] = [
        each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"
    ]
    target = ProbeTarget()
    async with target.listening(address) as port:
        for number in range(count):
            action = HTTPGetAction(host=address, port=port, path=f"/{number}")
            await crowd.make(
                f"probed-{number}", {"liveness_probe": Probe(http_get=action, period_seconds=1)}
            )
        await asyncio.to_thread(
            eventually, lambda: len(target.arrivals) == count, "every Pod is probed"
        )
        target.arrivals.clear()
        kubelet = own.processes()["kubelet"]
        begin = cpu_seconds(kubelet)
        await asyncio.sleep(10.0)
        late = sorted(target.lateness(1.0))
        print(f"  {count} Pods probed every second: late by ms: ", end="")
        print(
            f"median {statistics.median(late):.1f}, p99 {late[int(len(late) * 0.99)]:.1f}, ", end=""
        )
        print(f"max {late[-1]:.1f}; kubelet {(cpu_seconds(kubelet) - begin) / 10:.1%} of a core")
        await crowd.delete()
