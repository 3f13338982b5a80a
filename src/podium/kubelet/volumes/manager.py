"""One Pod's volumes: found, made, filled, kept current, and taken away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from podium.api.errors import ApiError
from podium.api.types.core_v1 import Container, Node, Pod, Volume
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.domain.pods.claimed_volumes import NO_PLUGIN, ClaimedVolume, NotProcessed, claim_name
from podium.domain.pods.downward import DownwardFacts
from podium.domain.pods.empty_dirs import MEMORY, memory_size
from podium.domain.pods.volume_files import VolumeProblem
from podium.domain.pods.volume_ownership import changes_on_mismatch_only, fs_group
from podium.kit.answering import PATIENCE, answers, silent
from podium.kit.bounded import in_daemon_thread
from podium.kit.clock import Clock
from podium.kubelet.objects import ObjectStore, mounted_volumes
from podium.kubelet.options import KubeletOptions
from podium.kubelet.volumes import atomic_writer, empty_dir, host_path, ownership, sub_paths
from podium.kubelet.volumes.claims import PodClaims, check_local
from podium.kubelet.volumes.content import files_of, token_files
from podium.kubelet.volumes.removal import remove
from podium.kubelet.volumes.tokens import PodTokens

#: The sources that the kubelet fills, and what upstream's directories are called after.
_FILLED = {
    "config_map": "configmap",
    "projected": "projected",
    "secret": "secret",
    "downward_api": "downward-api",
}
_NO_DRIVER = (
    "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name {} not found in "
    "the list of registered CSI drivers"
)


class MountFailed(msgspec.Struct, frozen=True):
    """A volume that could not be set up, and why; *processed* if that was begun at all."""

    volume: str
    why: str
    called: str = ""  #: the name that messages use: a PersistentVolume's own
    step: str = "SetUp failed"
    processed: bool = True

    def __str__(self) -> str:
        if not self.processed:
            return self.why
        return f'MountVolume.{self.step} for volume "{self.called or self.volume}" : {self.why}'


class PodVolumes:
    """The volumes of the Pod *uid*."""

    def __init__(
        self,
        uid: str,
        options: KubeletOptions,
        objects: ObjectStore,
        client: Client,
        node: Callable[[], Node],
        clock: Clock,
    ) -> None:
        self._disk = options.pod_dir(uid) / "volumes"
        self._memory = options.secret_dir(uid) / "volumes"
        self._sub_paths = options.secret_dir(uid) / "volume-subpaths"
        self._objects, self._clock = objects, clock
        self._tokens = PodTokens(client, clock)
        self._claims = PodClaims(client, node)
        self._made: set[str] = set()  #: volumes that need no second look
        self._answered: set[str] = set()  #: paths on file systems that have answered

    @property
    def refresh_at(self) -> datetime | None:
        """When :meth:`set_up` has to be called again, though nothing changes."""
        return self._tokens.renew_at

    def located(self, pod: Pod) -> bool:
        """Whether it is known where all mounted volumes lie, and that something answers there."""
        for volume in mounted_volumes(pod):
            if claim_name(pod, volume) and self._claims.found(volume) is None:
                return False
            path = self._foreign_path(volume)
            if path and path not in self._answered:
                return False
        return True

    def _foreign_path(self, volume: Volume) -> str:
        """Where a volume lies that is not the Pod's own; "" for others."""
        claimed = self._claims.found(volume)
        if claimed is not None:
            return claimed.path
        return volume.host_path.path if volume.host_path is not None else ""

    async def locate(self, pod: Pod) -> list[MountFailed]:
        """Ask the API where claims lead, and file systems for an answer; return what failed."""
        failures = []
        for volume in mounted_volumes(pod):
            try:
                if claim_name(pod, volume):
                    await self._claims.find(pod, volume)
                await self._feel(volume)
            except NotProcessed as exc:
                failures.append(MountFailed(volume.name, str(exc), processed=False))
            except VolumeProblem as exc:
                step = "NodeAffinity check failed"
                failures.append(MountFailed(volume.name, str(exc), step=step))
            except TimeoutError as exc:
                failures.append(self._failed(volume, exc))
        return failures

    async def _feel(self, volume: Volume) -> None:
        """Raises TimeoutError where the volume's file system does not answer."""
        path = self._foreign_path(volume)
        if path and path not in self._answered:
            if not await answers(path):
                raise TimeoutError(f"{path}: the file system has not answered in {PATIENCE:g} s")
            self._answered.add(path)

    async def still_answer(self, pod: Pod, container: Container) -> None:
        """Raises VolumeProblem where *container* mounts a part of a volume that has died since."""
        foreign = {v.name: path for v in mounted_volumes(pod) if (path := self._foreign_path(v))}
        parts = [m for m in container.volume_mounts if m.sub_path or m.sub_path_expr]
        paths = [f"{foreign[m.name]}/{m.sub_path}" for m in parts if m.name in foreign]
        dead = await silent(paths, PATIENCE)
        if dead:
            text = f"the file system has not answered in {PATIENCE:g} s"
            raise VolumeProblem(f"{', '.join(sorted(dead))}: {text}")

    def check(self, pod: Pod, facts: DownwardFacts) -> list[MountFailed]:
        """Tell what stands against setting the volumes up, as far as that is known at once.

        The objects that they are filled from must be known (:meth:`ObjectStore.known`), and the
        volumes be located.
        """
        failures = []
        for volume in mounted_volumes(pod):
            try:
                self._check(pod, volume, facts)
            except NotProcessed as exc:
                failures.append(MountFailed(volume.name, str(exc), processed=False))
            except VolumeProblem as exc:
                failures.append(self._failed(volume, exc))
        return failures

    def _check(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> None:
        claimed = self._claims.found(volume)
        if claimed is not None and claimed.local:
            check_local(claimed.path)
        elif claimed is not None:
            host_path.check(claimed.path, claimed.host_path_type)
        elif volume.host_path is not None:
            host_path.check(volume.host_path.path, volume.host_path.type)
        elif volume.csi is not None:
            raise VolumeProblem(_NO_DRIVER.format(volume.csi.driver))
        elif _filled_as(volume):
            files_of(pod, volume, self._objects, facts)
        elif volume.empty_dir is None and volume.image is None:
            raise NotProcessed(NO_PLUGIN.format(volume.name))

    async def set_up(self, pod: Pod, facts: DownwardFacts) -> list[MountFailed]:
        """Make and fill all volumes that are mounted; return what failed.

        Repeatable: unchanged files are left alone. The objects must be known, as for :meth:`check`.
        """
        failures = [] if self.located(pod) else await self.locate(pod)
        for volume in mounted_volumes(pod) if not failures else ():
            try:
                await self._set_up(pod, volume, facts)
            except (VolumeProblem, ApiError, Unreachable, OSError) as exc:
                failures.append(self._failed(volume, exc))
        return failures

    def _failed(self, volume: Volume, exc: Exception) -> MountFailed:
        claimed = self._claims.found(volume)
        step = "SetUp failed"
        if claimed is not None and claimed.local and isinstance(exc, VolumeProblem):
            step = "NewMounter initialization failed"
        return MountFailed(volume.name, str(exc), claimed.name if claimed else "", step)

    async def _set_up(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> None:
        if _filled_as(volume):
            await self._fill(pod, volume, facts)
        elif volume.name not in self._made:
            self._check(pod, volume, facts)
            await self._make(pod, volume, facts)
            self._made.add(volume.name)

    async def _make(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> None:
        group, claimed = fs_group(pod), self._claims.found(volume)
        if volume.empty_dir is not None and volume.empty_dir.medium == MEMORY:
            size = memory_size(pod, volume.empty_dir, facts.allocatable)
            empty_dir.in_memory(self._own_path(volume), size, group)
        elif volume.empty_dir is not None:
            empty_dir.on_disk(self._own_path(volume), group)
        elif volume.host_path is not None:
            host_path.prepare(volume.host_path.path, volume.host_path.type)
        elif claimed is not None and not claimed.local:
            host_path.prepare(claimed.path, claimed.host_path_type)
        elif claimed is not None and group is not None and not claimed.readonly:
            path, gently = Path(claimed.path), changes_on_mismatch_only(pod)
            give = partial(ownership.give, path, group, on_mismatch_only=gently)
            await in_daemon_thread(None, give)

    async def _fill(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> None:
        path, group = self._own_path(volume), fs_group(pod)
        path.mkdir(parents=True, exist_ok=True)
        files = files_of(pod, volume, self._objects, facts)
        if volume.projected is not None:
            files |= await token_files(pod, volume.projected, self._tokens)
        path.chmod(0o777 if volume.config_map is not None else 0o1777)
        if group is not None:
            atomic_writer.give_directory(path, group)
        atomic_writer.write(path, files, self._clock.now(), group)

    # -- for containers

    def source(self, volume: Volume) -> tuple[str, bool]:
        """Where the volume lies on the node, and whether it is read-only for everybody."""
        claimed: ClaimedVolume | None = self._claims.found(volume)
        if claimed is not None:
            return claimed.path, claimed.readonly
        if volume.host_path is not None:
            return volume.host_path.path, False
        return str(self._own_path(volume)), bool(_filled_as(volume))

    def paths(self, pod: Pod) -> dict[str, str]:
        """Where the volumes lie that are the Pod's own or claimed, by name, as far as they are
        there."""
        found = {}
        for volume in mounted_volumes(pod):
            if volume.host_path is not None or volume.image is not None:
                continue
            claimed = bool(claim_name(pod, volume))
            if self._claims.found(volume) is not None or (not claimed and _is_own(volume)):
                found[volume.name] = self.source(volume)[0]
        return found

    def pin(self, volume: Volume, container: Container, number: int, sub_path: str) -> str:
        """Return where *sub_path* of the volume lies, for the container's mount of that number.

        Raises VolumeProblem.
        """
        target = self._sub_paths / volume.name / container.name / str(number)
        about = f'volumeMount "{volume.name}" of container "{container.name}"'
        sub_paths.pin(self.source(volume)[0], sub_path, target, about)
        return str(target)

    def _own_path(self, volume: Volume) -> Path:
        """Where a volume lies that is the Pod's own. What may be secret never reaches a disk."""
        source = volume.empty_dir
        if source is not None:
            return _empty_dir(self._memory if source.medium == MEMORY else self._disk, volume.name)
        root = self._disk if volume.config_map is not None else self._memory
        return root / f"kubernetes.io~{_filled_as(volume)}" / volume.name

    def tear_down(self) -> None:
        """Remove all volumes of the Pod's own with their content; unmount the others.

        Blocks for as long as the disk takes. Raises OSError.
        """
        remove(self._sub_paths, self._memory, self._disk)


def _is_own(volume: Volume) -> bool:
    return volume.empty_dir is not None or bool(_filled_as(volume))


def _empty_dir(volumes: Path, name: str) -> Path:
    return volumes / "kubernetes.io~empty-dir" / name


def _filled_as(volume: Volume) -> str:
    """The kind of a volume that the kubelet fills, "" for others."""
    found = (name for field, name in _FILLED.items() if getattr(volume, field) is not None)
    return next(found, "")
