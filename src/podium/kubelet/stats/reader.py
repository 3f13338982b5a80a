"""Reads what is used, of the node and of everything that runs on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from podium.api.types.core_v1 import Pod
from podium.domain.pods import identity
from podium.kit.answering import silent
from podium.kit.clock import Clock
from podium.kit.disk_usage import DiskUsage, disk_usage
from podium.kubelet.cgroups import PodCgroups
from podium.kubelet.node import machine
from podium.kubelet.node.machine import Machine
from podium.kubelet.observe import moment
from podium.kubelet.options import KubeletOptions
from podium.kubelet.stats.disks import PodPlaces, file_system, places, volume_readings
from podium.kubelet.stats.rates import CpuRates
from podium.kubelet.stats.readings import (
    ContainerReading,
    NodeReading,
    PodReading,
    Reading,
)
from podium.runtime.image_port import FilesystemUsage, ImageService
from podium.runtime.network.conflicts import default_link
from podium.runtime.network.interfaces import interfaces
from podium.runtime.port import Container, ContainerState, RuntimeFailure, RuntimeService
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage

#: Seconds for which what was counted on disks is told again, and that counting may take.
DISKS_AGE, PATIENCE = 10.0, 60.0


class StatsReader:
    """*pods* are those to tell of."""

    def __init__(
        self,
        options: KubeletOptions,
        facts: Machine,
        runtime: RuntimeService,
        images: ImageService,
        cgroups: PodCgroups,
        pods: Callable[[], Iterable[Pod]],
        volume_paths: Callable[[str], Mapping[str, str]],
        clock: Clock,
    ) -> None:
        self._volume_paths = volume_paths
        self._options, self._facts, self._clock = options, facts, clock
        self._runtime, self._images, self._cgroups, self._pods = runtime, images, cgroups, pods
        self._rates = CpuRates()
        self.details = cgroups.details
        self._layers = ""  #: where containers' own layers lie, once that has been told
        #: When, of which containers, and what of each path, was counted last.
        self._disks: tuple[float, set[str], Mapping[str, DiskUsage]] = (float("-inf"), set(), {})

    async def read(self, *, disks: bool = True, idle: bool = False) -> Reading:
        """Raises RuntimeFailure, OSError. Without *disks* nothing of them is told, with *idle* also
        of Pods that have a cgroup and no container running just now."""
        now = self._clock.now()
        running = await self._running()
        pods = [
            self._pod(pod, running.get(pod.metadata.uid, []), now)
            for pod in self._pods()
            if idle or pod.metadata.uid in running
        ]
        pods = [p for p in pods if p.containers or p.usage is not None]
        networks = await self._runtime.pod_sandbox_networks()
        pods = [replace(p, network=networks.get(p.sandbox_id, ())) for p in pods]
        if disks:
            pods = await self._with_disks(pods, anew=idle)
        node = await self._node(now, disks=disks)
        self._rates.forget_others()
        return Reading(now, node, pods)

    async def read_disks(self, pods: Iterable[Pod]) -> list[PodReading]:
        """Count now what *pods* have on disks; rates are not told, and no sample is taken for them.
        Raises RuntimeFailure, OSError."""
        now, wanted = self._clock.now(), {pod.metadata.uid: pod for pod in pods}
        running = await self._running(wanted)
        readings = [
            self._pod(pod, running.get(uid, []), now, rates=False) for uid, pod in wanted.items()
        ]
        found = {uid: self._places(pod) for uid, pod in wanted.items()}
        used = await self._count([c.id for p in readings for c in p.containers], found)
        found = await _answering(found)
        return [_with_disks(p, found[p.pod.metadata.uid], used) for p in readings]

    # -- Pods

    async def _running(
        self, wanted: Collection[str] | None = None
    ) -> dict[str, list[tuple[Container, ContainerReading]]]:
        """Running containers by the uid of their Pod; of those in *wanted* where it is given, and
        without rates then."""
        found: dict[str, list[tuple[Container, ContainerReading]]] = {}
        for container in await self._runtime.list_containers():
            uid = container.labels.get(identity.POD_UID, "")
            unwanted = wanted is not None and uid not in wanted
            if unwanted or container.state is not ContainerState.RUNNING:
                continue
            try:
                usage = await self._runtime.container_stats(container.id)
                status = await self._runtime.container_status(container.id)
            except RuntimeFailure:
                continue  # ended meanwhile
            used, now = usage.cpu_usage_nanoseconds, self._clock.now()
            rate = self._rates.rate(container.id, used, now) if wanted is None else None
            reading = ContainerReading(
                id=container.id,
                name=container.metadata.name,
                image=status.image,
                started_at=moment(status.started_at),
                usage=usage,
                nano_cores=rate,
                memory_limit=status.resources.memory_limit_in_bytes if status.resources else 0,
            )
            found.setdefault(uid, []).append((container, reading))
        return found

    def _pod(
        self,
        pod: Pod,
        running: Sequence[tuple[Container, ContainerReading]],
        now: datetime,
        *,
        rates: bool = True,
    ) -> PodReading:
        usage, processes = self._cgroups.usage(pod)
        used, told = usage.cpu_usage_nanoseconds if usage else 0, usage is not None and rates
        return PodReading(
            pod=pod,
            sandbox_id=running[0][0].pod_sandbox_id if running else "",
            cgroup=self._cgroups.path(pod),
            usage=usage,
            nano_cores=self._rates.rate(pod.metadata.uid, used, now) if told else None,
            processes=processes,
            containers=[reading for _, reading in running],
        )

    async def _with_disks(self, pods: Sequence[PodReading], *, anew: bool) -> list[PodReading]:
        """Count what lies on disks, unless that was done just now for the same containers."""
        found = {reading.pod.metadata.uid: self._places(reading.pod) for reading in pods}
        containers = {container.id for reading in pods for container in reading.containers}
        at, counted, used = self._disks
        if anew or self._clock.monotonic() - at >= DISKS_AGE or not containers <= counted:
            used = await self._count(sorted(containers), found)
            self._disks = (self._clock.monotonic(), containers, used)
        found = await _answering(found)
        return [_with_disks(p, found[p.pod.metadata.uid], used) for p in pods]

    async def _count(
        self, containers: Sequence[str], found: Mapping[str, PodPlaces]
    ) -> Mapping[str, DiskUsage]:
        """By path, and of containers' roots by ID."""
        paths = [path for place in found.values() for path in place.counted()]
        layers = await self._runtime.writable_layers(containers)
        self._layers = next((use.mountpoint for use in layers.values()), self._layers)
        roots = {key: DiskUsage(use.used_bytes, use.inodes_used) for key, use in layers.items()}
        try:
            return {**await disk_usage(paths, PATIENCE), **roots}
        except TimeoutError:
            return roots

    def _places(self, pod: Pod) -> PodPlaces:
        return places(pod, self._options, self._volume_paths(pod.metadata.uid))

    # -- the node

    async def _node(self, now: datetime, *, disks: bool) -> NodeReading:
        usage, pods = machine.read_usage(), self._cgroups.all_usage()
        images = self._images.image_fs_mountpoint()
        taken = await self._images.image_fs_info() if disks else FilesystemUsage(images, 0, 0)
        links = interfaces(machine.network_devices())
        most, processes = machine.process_ids()
        return NodeReading(
            name=self._options.node_name,
            started_at=now - timedelta(seconds=machine.uptime()),
            usage=usage,
            nano_cores=self._rates.rate("", usage.cpu_usage_nanoseconds, now),
            memory=self._facts.memory,
            swap=self._facts.swap,
            cpus=self._facts.cpus,
            network=_physical(links),
            default_link=default_link(),
            file_system=file_system(self._options.root_dir),
            images=file_system(images),
            images_used=DiskUsage(taken.used_bytes, taken.inodes_used),
            containers=file_system(self._layers or images),
            max_pid=most,
            processes=processes,
            pods=pods,
            pods_nano_cores=self._of_all(pods, now),
        )

    def _of_all(self, pods: CpuMemoryUsage | None, now: datetime) -> int | None:
        return self._rates.rate("pods", pods.cpu_usage_nanoseconds, now) if pods else None


async def _answering(found: Mapping[str, PodPlaces]) -> dict[str, PodPlaces]:
    """Return *found* without claimed volumes on file systems that do not answer."""
    dead = await silent(path for place in found.values() for path in place.claimed.values())
    return {
        uid: replace(place, claimed={n: p for n, p in place.claimed.items() if p not in dead})
        for uid, place in found.items()
    }


def _with_disks(reading: PodReading, found: PodPlaces, used: Mapping[str, DiskUsage]) -> PodReading:
    own = [used[path] for path in found.own if path in used]
    containers = [
        replace(c, rootfs=used.get(c.id), logs=used.get(found.logs.get(c.name, "")))
        for c in reading.containers
    ]
    return replace(
        reading,
        containers=containers,
        volumes=list(volume_readings(reading.pod, found, used)),
        own_files=DiskUsage(sum(u.bytes for u in own), sum(u.inodes for u in own)),
    )


def _physical(links: Mapping[str, NetworkInterfaceUsage]) -> dict[str, NetworkInterfaceUsage]:
    """What leads out of the machine, as upstream tells it apart."""
    others = ("lo", "veth", "docker", "nerdctl")
    return {name: link for name, link in links.items() if not name.startswith(others)}
