"""A kubelet against a real API server, on a runtime in memory and a clock of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from msgspec.structs import replace

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.errors import ApiError
from podium.api.types.core_v1 import ConfigMap, Event, Pod, ServiceAccount
from podium.api.types.core_v1 import Node as NodeObject
from podium.client.client import Client
from podium.client.informer import Informer
from podium.domain.pods.eviction import RESOURCES, Observation
from podium.kit.aio import GracefulStop
from podium.kit.clock import SystemClock, VirtualClock
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.kubelet import run
from podium.kubelet.options import KubeletOptions
from podium.runtime.cgroup_details import CgroupDetails
from podium.runtime.cgroup_limits import CgroupLimits
from podium.runtime.memory import MemoryRuntime
from podium.runtime.memory_images import MemoryImages
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage
from support.apiserver import RunningApiServer
from support.under_way import UnderWay

NODE = "node-1"
IMAGE = "docker.io/library/busybox:1.36"
PATIENCE = 60.0


class RecordedCgroups:
    """Cgroups as a table of paths."""

    def __init__(self) -> None:
        self.made: dict[str, CgroupLimits] = {}
        #: What was set, in order, beyond what was there from the beginning.
        self.changes: list[tuple[str, CgroupLimits]] = []
        self.memory_in_use = 0

    def has(self, controller: str) -> bool:
        return True

    @property
    def pods(self) -> list[str]:
        """The paths of Pods' cgroups."""
        return [path for path in self.made if "/pod" in path.removeprefix("/podium-test")]

    def create(self, path: str, limits: CgroupLimits | None = None) -> None:
        self.made[path] = limits or CgroupLimits()

    def limits(self, path: str) -> CgroupLimits:
        if path not in self.made:
            raise RuntimeFailure(f"no cgroup {path}")
        return self.made[path]

    def set_limits(self, path: str, limits: CgroupLimits) -> None:
        changed = {
            name: value
            for name in CgroupLimits.__slots__
            if (value := getattr(limits, name)) and name != "cpu_period"
        }
        self.made[path] = replace(self.limits(path), **changed)
        self.changes.append((path, limits))

    def usage(self, path: str) -> CpuMemoryUsage:
        self.limits(path)
        used = self.memory_in_use
        return CpuMemoryUsage(0, used, used, used)

    def details(self, path: str) -> CgroupDetails:
        return CgroupDetails(oom_kills=3)

    def process_count(self, path: str) -> int:
        return 1

    async def remove(self, path: str) -> None:
        self.made.pop(path, None)


class Node:
    """One node; ``start`` and ``stop`` are those of its kubelet, the runtime lives on."""

    def __init__(self, api: RunningApiServer, directory: Path) -> None:
        self.api, self.directory = api, directory
        self.clock = VirtualClock()
        self.images = MemoryImages(self.clock, present=[IMAGE])
        self.runtime = MemoryRuntime(self.clock, self.images)
        self.cgroups = RecordedCgroups()
        #: What is left of the node, by signal: plenty.
        self.left = {signal: Observation(1 << 40, 1 << 41) for signal in RESOURCES}
        self.config = KubeletConfiguration(resolv_conf="", cluster_dns=("10.96.0.10",))
        self.client = Client(api.client_config())
        self.pods: Informer[Pod] = self._informer(scheme.PODS)
        self.events: Informer[Event] = self._informer(scheme.EVENTS)
        self.nodes: Informer[NodeObject] = self._informer(scheme.NODES)
        self.states: dict[str, list[str]] = {}
        self._news = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._kubelet: asyncio.Task[None] | None = None

    def _informer(self, resource: scheme.Resource) -> Informer[Any]:
        return Informer(self.client, resource, clock=SystemClock())

    async def __aenter__(self) -> Node:
        self._stack = AsyncExitStack()
        self._work = self._stack.enter_context(UnderWay())
        await self._stack.enter_async_context(self.client)
        await self._group.__aenter__()
        await self._stack.enter_async_context(self.runtime)
        self._watchers = [
            self._group.create_task(self.pods.run()),
            self._group.create_task(self.events.run()),
            self._group.create_task(self.nodes.run()),
        ]
        await self.pods.synced.wait()
        await self.events.synced.wait()
        self.pods.on_change(self._seen)
        self.nodes.on_change(lambda _old, _new: self._news.set())
        self.events.on_change(lambda _old, _new: self._news.set())
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.stop()
        for watcher in self._watchers:
            watcher.cancel()
        stopping = self._group.create_task(self._stack.aclose())
        while not stopping.done():
            await self.clock.advance(1)
        await self._group.__aexit__(None, None, None)

    def options(self) -> KubeletOptions:
        authority = self.api.authority
        pair = authority.server("kubelet")
        return KubeletOptions(
            client_config=self.api.client_config(f"system:node:{NODE}", ["system:nodes"]),
            node_name=NODE,
            node_ip="192.0.2.10",
            root_dir=self.directory / "kubelet",
            run_dir=self.directory / "run",
            log_dir=self.directory / "logs",
            port=0,
            bind_address="127.0.0.1",
            tls_cert_file=str(pair.cert),
            tls_key_file=str(pair.key),
            client_ca_file=str(authority.cert_file),
            cgroup_root="/podium-test",
            config=self.config,
        )

    async def start(self) -> None:
        ready, self.graceful = asyncio.Event(), GracefulStop()
        self._kubelet = self._group.create_task(
            run(
                self.options(),
                self.runtime,
                self.images,
                self.clock,
                on_ready=ready.set,
                cgroups=self.cgroups,
                signals=lambda: dict(self.left),
                stop=self.graceful,
            )
        )
        async with asyncio.timeout(PATIENCE):
            await ready.wait()

    async def stop(self) -> None:
        """End the kubelet as a kill does: at once, and without a word to the runtime."""
        if self._kubelet is not None:
            self._kubelet.cancel()
            await asyncio.wait([self._kubelet])
            if not self._kubelet.cancelled():
                await self._kubelet
            self._kubelet = None

    async def shut_down(self) -> None:
        """End the kubelet as SIGTERM does, and let time go by until it has ended."""
        assert self._kubelet is not None
        assert self.graceful.ask(), "it does not listen"
        await self.until(self._kubelet.done, step=0.5)
        await self._kubelet
        self._kubelet = None

    # -- objects

    async def create(self, *containers: dict[str, Any], name: str = "p", **spec: Any) -> Pod:
        listed = [{"name": "c", "image": IMAGE, **container} for container in containers or ({},)]
        body = {"nodeName": NODE, "containers": listed, **spec}
        plain = {"metadata": {"name": name, "namespace": "default"}, "spec": body}
        pod: Pod = await self.client.create(scheme.PODS, from_plain(Pod, plain))
        return pod

    async def create_annotated(self, annotations: dict[str, str], *containers: Any) -> Pod:
        listed = [{"name": "c", "image": IMAGE, **container} for container in containers]
        metadata = {"name": "p", "namespace": "default", "annotations": annotations}
        plain = {"metadata": metadata, "spec": {"nodeName": NODE, "containers": listed}}
        pod: Pod = await self.client.create(scheme.PODS, from_plain(Pod, plain))
        return pod

    async def delete(self, name: str = "p", grace: int | None = None) -> None:
        await self.client.delete(scheme.PODS, name, namespace="default", grace_period_seconds=grace)

    def pod(self, name: str = "p") -> Pod:
        pod = self.pods.get("default", name)
        assert pod is not None, f"no pod {name}"
        return pod

    def phase_of(self, name: str = "p") -> str:
        pod = self.pods.get("default", name)
        return pod.status.phase if pod else ""

    def messages(self, name: str = "p") -> list[str]:
        """``Reason: message`` of the events about a Pod, in order."""
        found = [e for e in self.events.list() if e.involved_object.name == name]
        found.sort(key=lambda event: int(event.metadata.name.rpartition(".")[2], 16))
        return [f"{event.reason}: {event.message}" for event in found]

    # -- waiting

    async def until(self, condition: Callable[[], Any], *, step: float = 0.0) -> None:
        """Wait for *condition*; with *step* the node's clock goes on by that whenever nothing is
        under way."""
        async with asyncio.timeout(2 * PATIENCE if step else PATIENCE):
            while not condition():
                self._news.clear()
                if not step:
                    await self._news.wait()
                    continue
                await self._work.done()
                if not condition():
                    await self.clock.advance(step)

    async def settle(self) -> None:
        """Wait until nothing is under way any more."""
        await self._work.done()

    async def pass_time(self, seconds: float) -> None:
        """Let time go by, from one sleeper to the next; what they set off is waited for."""
        end = self.clock.monotonic() + seconds
        while True:
            await self._work.done()
            left, pause = end - self.clock.monotonic(), self.clock.next_deadline
            if pause is None or pause > left:
                break
            await self.clock.advance(pause)
        await self.clock.advance(left)
        await self._work.done()

    async def running(self, name: str = "p") -> Pod:
        return await self.phase("Running", name, step=0.0)

    async def phase(self, phase: str, name: str = "p", step: float = 0.5) -> Pod:
        await self.until(lambda: self.phase_of(name) == phase, step=step)
        return self.pod(name)

    async def gone(self, name: str = "p", step: float = 0.5) -> None:
        await self.until(lambda: self.pods.get("default", name) is None, step=step)

    def _seen(self, _old: Pod | None, new: Pod | None) -> None:
        self._news.set()
        if new is None:
            return
        listed = new.status
        for status in (
            *listed.init_container_statuses,
            *listed.container_statuses,
            *listed.ephemeral_container_statuses,
        ):
            seen = self.states.setdefault(f"{new.metadata.name}/{status.name}", [])
            state = status.state
            if state.running:
                text = "running"
            elif state.terminated:
                text = f"{state.terminated.reason} {state.terminated.exit_code}"
            else:
                text = state.waiting.reason if state.waiting else "?"
            text += f" r{status.restart_count}"
            if not seen or seen[-1] != text:
                seen.append(text)

    # -- the door

    async def fetch(self, path: str, **who: Any) -> Any:
        """GET from the kubelet: (status, text); *who* is as for :meth:`opened`."""
        async with self.opened(path, **who) as answer:
            return answer.status, await answer.text()

    @contextlib.asynccontextmanager
    async def opened(
        self,
        path: str,
        *,
        user: str = "kube-apiserver-kubelet-client",
        groups: Sequence[str] = (),
        token: str = "",
        **more: str,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET of the kubelet, as it begins.

        As *user*, "" for none, or with a token; *more* are headers.
        """
        await self.api.settled.wait()
        node = await self.client.get(scheme.NODES, NODE)
        port = node.status.daemon_endpoints.kubelet_endpoint.port
        context = ssl.create_default_context(cafile=str(self.api.authority.cert_file))
        if user and not token:
            pair = self.api.pair(user, groups)
            context.load_cert_chain(pair.cert, pair.key)
        headers = {"Authorization": f"Bearer {token}", **more} if token else more
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"https://127.0.0.1:{port}{path}", headers=headers) as answer,
        ):
            yield answer


async def furnish(client: Client) -> None:
    """What controllers make in every namespace."""
    account = from_plain(ServiceAccount, {"metadata": {"name": "default"}})
    bundle = from_plain(
        ConfigMap, {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "CA"}}
    )
    for resource, obj in ((scheme.SERVICEACCOUNTS, account), (scheme.CONFIGMAPS, bundle)):
        try:
            await client.create(resource, obj, namespace="default")
        except ApiError as exc:
            if exc.code != 409:
                raise
