"""The node agent: watches the Pods bound to this node and makes the runtime run them.

Everything is started here and owned by one TaskGroup; cancelling :func:`run` ends the kubelet and
leaves every container running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from podium.api import scheme
from podium.api.quantity import to_int, to_milli
from podium.api.types.core_v1 import Node, Pod, Service
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.domain.pods.dns import Resolver, parse_resolv_conf
from podium.domain.pods.eviction import Observations
from podium.domain.pods.sysctls import SysctlAllowlist
from podium.kit.clock import Clock, SystemClock
from podium.kubelet.admission import HouseRules
from podium.kubelet.auth.guard import Guard
from podium.kubelet.cgroups import CgroupFilesystem, CgroupSettings, PodCgroups
from podium.kubelet.container_gc import ContainerCollector
from podium.kubelet.eviction import EvictionManager
from podium.kubelet.image_gc import ImageCollector
from podium.kubelet.images import ImageManager
from podium.kubelet.log_rotation import LogRotator
from podium.kubelet.mirrors import MirrorPods
from podium.kubelet.node.lease import renew_lease
from podium.kubelet.node.machine import page_sizes, read_machine, read_security_modules
from podium.kubelet.node.registration import NodeReporter
from podium.kubelet.node.shutdown import NodeShutdown
from podium.kubelet.node.signals import Signals
from podium.kubelet.node.system_oom import SystemOomWatcher
from podium.kubelet.objects import ObjectStore
from podium.kubelet.options import KubeletOptions
from podium.kubelet.pods import PodManager
from podium.kubelet.probing.counts import ProbeCounts
from podium.kubelet.pull_records import PullRecords
from podium.kubelet.server import KubeletServer
from podium.kubelet.services import NodeServices
from podium.kubelet.stats.door import StatsDoor
from podium.kubelet.stats.reader import StatsReader
from podium.kubelet.status_manager import StatusManager
from podium.kubelet.user_namespaces import UserNamespaces
from podium.runtime.image_port import ImageService
from podium.runtime.port import RuntimeFailure, RuntimeService

if TYPE_CHECKING:
    from podium.kit.aio import GracefulStop
    from podium.kubelet.static_pods import StaticPods


async def run(
    options: KubeletOptions,
    runtime: RuntimeService,
    images: ImageService,
    clock: Clock | None = None,
    *,
    on_ready: Callable[[], None] | None = None,
    cgroups: CgroupFilesystem | None = None,
    stop: GracefulStop | None = None,
    signals: Callable[[], Observations] | None = None,
) -> None:
    """Run a node until cancelled.

    *on_ready* is called once the Node's ``Ready`` condition is published. A port of
    ``options.port`` that is taken is replaced by a free one, which the Node's daemonEndpoints tell.
    Where the configuration has a grace period for shutdowns, the node listens to *stop*, and
    returns when its Pods have ended. *signals* tells what of the node is left.
    """
    clock = clock or SystemClock()
    _make_directories(options)
    async with Client(options.client_config, clock) as client:
        of_pods = PodCgroups(options.cgroup_root, cgroups, _cgroup_settings(options))
        images_dir = images.image_fs_mountpoint()
        signals = signals or Signals(options.root_dir, images_dir, of_pods.memory_left)
        kubelet = _Kubelet(options, runtime, images, client, of_pods, clock, signals)
        guard = Guard(client, options.config.auth, options.node_name, clock)
        doors = StatsDoor(kubelet.stats, kubelet.probe_counts, runtime)
        async with KubeletServer(options, runtime, kubelet.pods, doors, guard, clock) as server:
            await kubelet.run(server, on_ready, stop)


class _Kubelet:
    """The parts of one node, wired."""

    def __init__(
        self,
        options: KubeletOptions,
        runtime: RuntimeService,
        images: ImageService,
        client: Client,
        cgroups: PodCgroups,
        clock: Clock,
        signals: Callable[[], Observations],
    ) -> None:
        self._options, self._runtime, self._images = options, runtime, images
        self._client, self._cgroups, self._clock = client, cgroups, clock
        self._machine = read_machine(options.root_dir)
        if not cgroups.limits_huge_pages:  # nobody could be kept from taking more than asked for
            none = dict.fromkeys(self._machine.hugepages, 0)
            self._machine = replace(self._machine, hugepages=none)
        self._events = EventRecorder(
            client, "kubelet", options.node_name, clock, pause=options.event_pause
        )
        self._status = StatusManager(client, clock)
        name = options.node_name
        self._informer: Informer[Pod] = Informer(
            client, scheme.PODS, field_selector=f"spec.nodeName={name}", clock=clock
        )
        self._services: Informer[Service] = Informer(client, scheme.SERVICES, clock=clock)
        self._own: Informer[Node] = Informer(
            client, scheme.NODES, field_selector=f"metadata.name={name}", clock=clock
        )
        self.pods = PodManager(self._informer)
        self._objects = ObjectStore(client, clock, self.pods.wake)
        self.probe_counts = ProbeCounts()
        self.stats = StatsReader(
            options,
            self._machine,
            runtime,
            images,
            cgroups,
            self.pods.pods,
            self.pods.volume_paths,
            clock,
        )
        self._eviction = EvictionManager(
            options.config, signals, self.stats, self.pods, self._events, clock
        )

    async def run(
        self,
        server: KubeletServer,
        on_ready: Callable[[], None] | None,
        stop: GracefulStop | None,
    ) -> None:
        options, clock, pods = self._options, self._clock, self.pods
        reporter = NodeReporter(
            options,
            self._machine,
            self._client,
            self._runtime,
            self._images,
            self._events,
            clock,
            server.port,
            lambda: self._eviction.conditions,
        )
        self._eviction.observe()
        self._eviction.on_change = reporter.report_soon
        shutdown = NodeShutdown(pods, self._status, self._events, reporter, clock)
        node, registered = self._node_services(reporter, shutdown), asyncio.Event()
        await node.images.settle()
        if options.config.static_pod_path:
            await reporter.anticipate()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work, name=name)
                for name, work in (
                    ("events", self._events.run()),
                    ("status", self._status.run()),
                    ("objects", self._objects.run()),
                    ("services", self._services.run()),
                    ("pods", self._informer.run()),
                    *self._from_the_start(node, registered),
                )
            ]
            await reporter.register()
            self._own.on_change(lambda _old, new: reporter.take(new) if new else None)
            self._own.on_change(lambda _old, _new: pods.retry_resizes())
            tasks.append(group.create_task(self._own.run(), name="node"))
            # Pods refer to the API by the variables that the Services give.
            await self._services.synced.wait()
            registered.set()
            for name, work in self._work(reporter, node, server):
                tasks.append(group.create_task(work, name=name))
            self._events.event(reporter.node, "Normal", "Starting", "Starting kubelet.")
            self._enforce_allocatable(reporter.node)
            if on_ready is not None:
                on_ready()
            if stop is not None and options.config.shutdown_classes:
                await stop.asked()
                await shutdown.run(options.config.shutdown_classes)
                for task in tasks:
                    task.cancel()

    def _enforce_allocatable(self, node: Node) -> None:
        """Let Pods together have no more than is not reserved, where the configuration wants it."""
        config = self._options.config
        if "pods" not in config.enforce_node_allocatable:
            return
        reserved = config.reserved
        cpu = self._machine.cpus * 1000 - to_milli(reserved.get("cpu", "0"))
        memory = self._machine.memory - to_int(reserved.get("memory", "0"))
        try:
            self._cgroups.enforce(cpu, memory)
        except RuntimeFailure as exc:
            reason, text = "FailedNodeAllocatableEnforcement", "Failed to update Node Allocatable"
            self._events.event(node, "Warning", reason, f"{text} Limits: {exc}")
            return
        text = "Updated Node Allocatable limit across pods"
        self._events.event(node, "Normal", "NodeAllocatableEnforced", text)

    def _node_services(self, reporter: NodeReporter, shutdown: NodeShutdown) -> NodeServices:
        options, clock = self._options, self._clock
        return NodeServices(
            options=options,
            client=self._client,
            runtime=self._runtime,
            images=self._image_manager(),
            objects=self._objects,
            events=self._events,
            status=self._status,
            cgroups=self._cgroups,
            clock=clock,
            node=lambda: reporter.node,
            node_memory=self._machine.memory,
            services=self._services.list,
            pods_on_node=self.pods.active_pods,
            room_freed=self.pods.retry_resizes,
            make_room=self.pods.make_room,
            resolver=lambda: _resolver(options.config.resolv_conf),
            user_namespaces=UserNamespaces(options),
            probe_counts=self.probe_counts,
            rules=_rules(options, shutdown, self._eviction),
        )

    def _image_manager(self) -> ImageManager:
        config = self._options.config
        directory = self._options.root_dir / "image_manager"
        records = PullRecords(
            directory,
            config.image_pull_credentials_verification_policy,
            config.preloaded_images_verification_allowlist,
        )
        at_once = config.image_pulls_at_once
        return ImageManager(self._images, self._events, self._clock, records, at_once)

    def _from_the_start(
        self, node: NodeServices, registered: asyncio.Event
    ) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What does not wait for the API: static Pods run whether it is there or not."""
        manifests = _manifests(self._options, self._clock, self._events, node.node)
        if manifests is not None:
            self.pods.set_static(manifests.read())
            yield "manifests", manifests.follow(self.pods.set_static)
        yield "pod workers", self.pods.run(node, registered)

    def _work(
        self, reporter: NodeReporter, node: NodeServices, server: KubeletServer
    ) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What is to be done all the time once the node is registered."""
        options, client, clock, pods = self._options, self._client, self._clock, self.pods
        mirrors = MirrorPods(
            client, self._informer, pods.static_pods, node.node, self._status, clock
        )
        pods.on_static, mirrors.on_mirror = mirrors.look_at, pods.take_requests
        for pod in pods.static_pods():
            mirrors.look_at(pod)
        duration = options.config.node_lease_duration_seconds
        yield "mirror pods", mirrors.run()
        yield "lease", renew_lease(client, reporter.node, duration, clock)
        yield "node status", reporter.run()
        yield "eviction", self._eviction.run(node.node)
        yield "certificates", server.watch_certificates()
        policy = options.config.dead_containers
        containers = ContainerCollector(
            self._runtime, pods.active_pods, policy, self._events, node.node, clock
        )
        yield "dead containers", containers.run()
        images = ImageCollector(
            self._images, self._runtime, pods.pods, options.config, self._events, node.node, clock
        )
        yield "unused images", images.run()
        self._eviction.reclaim = (partial(containers.collect, keep=0), images.free_unused)
        yield "kernel log", SystemOomWatcher(self._events, node.node).run()
        yield "log rotation", LogRotator(self._runtime, options.config, clock).run()


def _cgroup_settings(options: KubeletOptions) -> CgroupSettings:
    config = options.config
    return CgroupSettings(config.cpu_quota, config.pod_pids_limit, tuple(page_sizes()))


def _make_directories(options: KubeletOptions) -> None:
    for directory in (options.root_dir, options.run_dir, options.log_dir):
        directory.mkdir(parents=True, exist_ok=True)


def _manifests(
    options: KubeletOptions, clock: Clock, events: EventRecorder, node: Callable[[], Node]
) -> StaticPods | None:
    config = options.config
    if not config.static_pod_path:
        return None

    def complain(text: str) -> None:
        events.event(node(), "Warning", "BadManifest", text)

    from podium.kubelet.static_pods import StaticPods  # validation is loaded with it

    path, frequency = Path(config.static_pod_path), config.file_check_frequency
    return StaticPods(path, options.node_name, frequency, clock, complain)


def _rules(
    options: KubeletOptions, shutdown: NodeShutdown, eviction: EvictionManager
) -> HouseRules:
    return HouseRules(
        sysctls=SysctlAllowlist.of(options.config.allowed_unsafe_sysctls),
        modules=read_security_modules(),
        closing=lambda: shutdown.under_way,
        pressures=lambda: eviction.conditions,
    )


def _resolver(path: str) -> Resolver:
    """The node's name servers; a node without a file has none to give."""
    if not path:
        return Resolver()
    try:
        return parse_resolv_conf(Path(path).read_text())
    except FileNotFoundError:
        return Resolver()
