"""One Pod's volumes: made, filled, kept current, and taken away."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from podium.api.errors import ApiError
from podium.api.types.core_v1 import Pod, ProjectedVolumeSource, Volume
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.domain.pods.downward import DownwardFacts
from podium.domain.pods.volume_files import (
    DEFAULT_MODE,
    Files,
    VolumeFile,
    VolumeProblem,
    config_map_files,
    downward_files,
    secret_files,
)
from podium.kit.clock import Clock
from podium.kubelet.objects import ObjectStore, mounted_volumes
from podium.kubelet.options import KubeletOptions
from podium.kubelet.volumes import atomic_writer
from podium.kubelet.volumes.tokens import PodTokens


@dataclass(frozen=True, slots=True)
class MountFailed:
    """A volume that could not be set up, and why."""

    volume: str
    why: str

    def __str__(self) -> str:
        return f'MountVolume.SetUp failed for volume "{self.volume}" : {self.why}'


class PodVolumes:
    """The volumes of the Pod *uid*."""

    def __init__(
        self, uid: str, options: KubeletOptions, objects: ObjectStore, client: Client, clock: Clock
    ) -> None:
        self._disk = options.pod_dir(uid) / "volumes"
        self._memory = options.secret_dir(uid) / "volumes"
        self._objects, self._clock = objects, clock
        self._tokens = PodTokens(client, clock)

    @property
    def refresh_at(self) -> datetime | None:
        """When :meth:`set_up` has to be called again, though nothing changes."""
        return self._tokens.renew_at

    def check(self, pod: Pod, facts: DownwardFacts) -> list[MountFailed]:
        """Tell what stands against setting the volumes up, as far as that is known at once.

        The objects that they are filled from must be known (:meth:`ObjectStore.known`).
        """
        failures = []
        for volume in mounted_volumes(pod):
            try:
                if volume.projected is not None:
                    self._projected(pod, volume.projected, facts)
                else:
                    self._files(pod, volume, facts)
            except VolumeProblem as exc:
                failures.append(MountFailed(volume.name, str(exc)))
        return failures

    async def set_up(self, pod: Pod, facts: DownwardFacts) -> list[MountFailed]:
        """Make and fill all volumes that are mounted; return what failed.

        Repeatable: unchanged files are left alone. The objects must be known, as for :meth:`check`.
        """
        failures = []
        for volume in mounted_volumes(pod):
            try:
                await self._set_up(pod, volume, facts)
            except (VolumeProblem, ApiError, Unreachable, OSError) as exc:
                failures.append(MountFailed(volume.name, str(exc)))
        return failures

    async def _set_up(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> None:
        path = self.path(volume)
        path.mkdir(parents=True, exist_ok=True)
        if volume.empty_dir is not None:
            path.chmod(0o777)
            return
        if volume.projected is not None:
            files = self._projected(pod, volume.projected, facts)
            mode = volume.projected.default_mode
            for source in volume.projected.sources:
                wanted = source.service_account_token
                if wanted is not None:
                    text = await self._tokens.get(pod, wanted)
                    files[wanted.path] = VolumeFile(
                        text.encode(), DEFAULT_MODE if mode is None else mode
                    )
        else:
            files = self._files(pod, volume, facts)
        path.chmod(0o777 if volume.config_map is not None else 0o1777)
        atomic_writer.write(path, files, self._clock.now())

    def path(self, volume: Volume) -> Path:
        """The volume's directory on the node. What may be secret never reaches a disk."""
        if volume.empty_dir is not None:
            return self._disk / "kubernetes.io~empty-dir" / volume.name
        if volume.config_map is not None:
            return self._disk / "kubernetes.io~configmap" / volume.name
        for kind, source in (
            ("projected", volume.projected),
            ("secret", volume.secret),
            ("downward-api", volume.downward_api),
        ):
            if source is not None:
                return self._memory / f"kubernetes.io~{kind}" / volume.name
        raise ValueError(f"volume {volume.name} has no source that is served")

    def tear_down(self) -> None:
        """Remove all volumes with their content."""
        for directory in (self._memory, self._disk):
            shutil.rmtree(directory, ignore_errors=True)

    def _files(self, pod: Pod, volume: Volume, facts: DownwardFacts) -> Files:
        namespace = pod.metadata.namespace
        if volume.config_map is not None:
            source = volume.config_map
            return config_map_files(
                source.name,
                self._objects.config_map(namespace, source.name),
                source.items,
                mode=source.default_mode,
                optional=bool(source.optional),
            )
        if volume.secret is not None:
            secret = volume.secret
            return secret_files(
                secret.secret_name,
                self._objects.secret(namespace, secret.secret_name),
                secret.items,
                mode=secret.default_mode,
                optional=bool(secret.optional),
            )
        if volume.downward_api is not None:
            mode = volume.downward_api.default_mode
            return downward_files(pod, volume.downward_api.items, facts, mode=mode)
        return {}

    def _projected(self, pod: Pod, volume: ProjectedVolumeSource, facts: DownwardFacts) -> Files:
        """The files of all sources but tokens. Raises VolumeProblem that names every offence."""
        files: Files = {}
        problems: list[str] = []
        namespace, mode = pod.metadata.namespace, volume.default_mode
        for source in volume.sources:
            try:
                if source.config_map is not None:
                    files |= config_map_files(
                        source.config_map.name,
                        self._objects.config_map(namespace, source.config_map.name),
                        source.config_map.items,
                        mode=mode,
                        optional=bool(source.config_map.optional),
                    )
                elif source.secret is not None:
                    files |= secret_files(
                        source.secret.name,
                        self._objects.secret(namespace, source.secret.name),
                        source.secret.items,
                        mode=mode,
                        optional=bool(source.secret.optional),
                    )
                elif source.downward_api is not None:
                    files |= downward_files(pod, source.downward_api.items, facts, mode=mode)
            except VolumeProblem as exc:
                problems.append(str(exc))
        if problems:
            raise VolumeProblem(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
        return files
