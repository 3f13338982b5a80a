"""The node agent: watches the Pods bound to this node and makes the runtime run them.

Everything is started here and owned by one TaskGroup; cancelling :func:`run` ends the kubelet and
leaves every container running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from podium.api import scheme
from podium.api.types.core_v1 import Node, Pod, Service
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.domain.pods.dns import Resolver, parse_resolv_conf
from podium.domain.pods.sysctls import SysctlAllowlist
from podium.kit.clock import Clock, SystemClock
from podium.kubelet.admission import HouseRules
from podium.kubelet.cgroups import CgroupFilesystem, PodCgroups
from podium.kubelet.images import ImageManager
from podium.kubelet.log_rotation import LogRotator
from podium.kubelet.mirrors import MirrorPods
from podium.kubelet.node.lease import renew_lease
from podium.kubelet.node.machine import read_machine, read_security_modules
from podium.kubelet.node.registration import NodeReporter
from podium.kubelet.objects import ObjectStore
from podium.kubelet.options import KubeletOptions
from podium.kubelet.pods import PodManager
from podium.kubelet.server import KubeletServer
from podium.kubelet.services import NodeServices
from podium.kubelet.status_manager import StatusManager
from podium.kubelet.user_namespaces import UserNamespaces
from podium.kubelet.volumes.limits import EmptyDirLimits
from podium.runtime.image_port import ImageService
from podium.runtime.port import RuntimeService

if TYPE_CHECKING:
    from podium.kubelet.static_pods import StaticPods


async def run(
    options: KubeletOptions,
    runtime: RuntimeService,
    images: ImageService,
    clock: Clock | None = None,
    *,
    on_ready: Callable[[], None] | None = None,
    cgroups: CgroupFilesystem | None = None,
) -> None:
    """Run a node until cancelled.

    *on_ready* is called once the Node's ``Ready`` condition is published. A port of
    ``options.port`` that is taken is replaced by a free one, which the Node's daemonEndpoints tell.
    """
    clock = clock or SystemClock()
    _make_directories(options)
    machine = read_machine(options.root_dir)
    async with Client(options.client_config, clock) as client:
        events = EventRecorder(client, "kubelet", options.node_name, clock)
        status = StatusManager(client, clock)
        informer: Informer[Pod] = Informer(
            client, scheme.PODS, field_selector=f"spec.nodeName={options.node_name}", clock=clock
        )
        services: Informer[Service] = Informer(client, scheme.SERVICES, clock=clock)
        own: Informer[Node] = Informer(
            client, scheme.NODES, field_selector=f"metadata.name={options.node_name}", clock=clock
        )
        pods = PodManager(informer)
        objects = ObjectStore(client, clock, pods.wake)
        async with KubeletServer(options, runtime, pods, clock) as server:
            reporter = NodeReporter(
                options, machine, client, runtime, images, events, clock, server.port
            )
            node = NodeServices(
                options=options,
                client=client,
                runtime=runtime,
                images=ImageManager(images, events, clock),
                objects=objects,
                events=events,
                status=status,
                cgroups=PodCgroups(options.cgroup_root, cgroups),
                clock=clock,
                node=lambda: reporter.node,
                node_memory=machine.memory,
                services=services.list,
                pods_on_node=pods.active_pods,
                room_freed=pods.retry_resizes,
                resolver=lambda: _resolver(options.config.resolv_conf),
                user_namespaces=UserNamespaces(options),
                rules=_rules(options),
            )
            mirrors = MirrorPods(
                client, informer, pods.static_pods, lambda: reporter.node, status, clock
            )
            pods.on_static = mirrors.look_at
            manifests = _manifests(options, clock, events, lambda: reporter.node)
            async with asyncio.TaskGroup() as group:
                for name, work in (
                    ("events", events.run()),
                    ("status", status.run()),
                    ("objects", objects.run()),
                    ("services", services.run()),
                    ("pods", informer.run()),
                ):
                    group.create_task(work, name=name)
                await reporter.register()
                own.on_change(lambda _old, new: reporter.take(new) if new else None)
                own.on_change(lambda _old, _new: pods.retry_resizes())
                group.create_task(own.run(), name="node")
                # Pods refer to the API by the variables that the Services give.
                await services.synced.wait()
                if manifests is not None:
                    pods.set_static(manifests.read())
                    group.create_task(manifests.follow(pods.set_static), name="manifests")
                limits = EmptyDirLimits(options, pods.active_pods, pods.evict, clock)
                duration = options.config.node_lease_duration_seconds
                for name, work in (
                    ("pod workers", pods.run(node)),
                    ("mirror pods", mirrors.run()),
                    ("lease", renew_lease(client, reporter.node, duration, clock)),
                    ("node status", reporter.run()),
                    ("volume limits", limits.run()),
                    ("certificates", server.watch_certificates()),
                    ("log rotation", LogRotator(runtime, options.config, clock).run()),
                ):
                    group.create_task(work, name=name)
                events.event(reporter.node, "Normal", "Starting", "Starting kubelet.")
                if on_ready is not None:
                    on_ready()


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


def _rules(options: KubeletOptions) -> HouseRules:
    allowed = SysctlAllowlist.of(options.config.allowed_unsafe_sysctls)
    return HouseRules(allowed, read_security_modules())


def _resolver(path: str) -> Resolver:
    """The node's name servers; a node without a file has none to give."""
    if not path:
        return Resolver()
    try:
        return parse_resolv_conf(Path(path).read_text())
    except FileNotFoundError:
        return Resolver()
