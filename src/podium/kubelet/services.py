"""What every PodWorker of a node shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from podium.api.types.core_v1 import Node, Pod, Service
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.domain.pods.dns import ClusterDns, Resolver
from podium.kit.clock import Clock
from podium.kubelet.admission import HouseRules
from podium.kubelet.cgroups import PodCgroups
from podium.kubelet.images import ImageManager
from podium.kubelet.objects import ObjectStore
from podium.kubelet.options import KubeletOptions
from podium.kubelet.probing.counts import ProbeCounts
from podium.kubelet.status_manager import StatusManager
from podium.kubelet.user_namespaces import UserNamespaces
from podium.runtime.port import RuntimeService


class NodeServices(msgspec.Struct, frozen=True, kw_only=True):
    """``node`` is the Node object as the API has it, ``pods_on_node`` the Pods that were admitted;
    ``room_freed`` is to be called when they take less of it, ``make_room`` for a critical Pod that
    there is none for. ``resolver`` reads the node's resolv.conf."""

    options: KubeletOptions
    client: Client
    runtime: RuntimeService
    images: ImageManager
    objects: ObjectStore
    events: EventRecorder
    status: StatusManager
    cgroups: PodCgroups
    clock: Clock
    node: Callable[[], Node]
    node_memory: int
    services: Callable[[], Iterable[Service]]
    pods_on_node: Callable[[], Iterable[Pod]]
    room_freed: Callable[[], None]
    make_room: Callable[[Pod], bool]
    resolver: Callable[[], Resolver]
    rules: HouseRules
    user_namespaces: UserNamespaces
    probe_counts: ProbeCounts

    @property
    def cluster_dns(self) -> ClusterDns:
        config = self.options.config
        return ClusterDns(config.cluster_dns, config.cluster_domain)
