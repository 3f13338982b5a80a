"""What the volumes hold that the kubelet fills: files from objects of the API."""

from __future__ import annotations

from podium.api.types.core_v1 import Pod, ProjectedVolumeSource, Volume, VolumeProjection
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
from podium.domain.pods.volume_ownership import fs_user, token_mode
from podium.kubelet.objects import ObjectStore
from podium.kubelet.volumes.tokens import PodTokens


def files_of(pod: Pod, volume: Volume, objects: ObjectStore, facts: DownwardFacts) -> Files:
    """Return all files but tokens. Raises VolumeProblem that names every offence.

    The objects must be known (:meth:`ObjectStore.known`).
    """
    if volume.projected is not None:
        return _projected(pod, volume.projected, objects, facts)
    namespace = pod.metadata.namespace
    if volume.config_map is not None:
        source = volume.config_map
        return config_map_files(
            source.name,
            objects.config_map(namespace, source.name),
            source.items,
            mode=source.default_mode,
            optional=bool(source.optional),
        )
    if volume.secret is not None:
        secret = volume.secret
        return secret_files(
            secret.secret_name,
            objects.secret(namespace, secret.secret_name),
            secret.items,
            mode=secret.default_mode,
            optional=bool(secret.optional),
        )
    if volume.downward_api is not None:
        mode = volume.downward_api.default_mode
        return downward_files(pod, volume.downward_api.items, facts, mode=mode)
    return {}


async def token_files(pod: Pod, source: ProjectedVolumeSource, tokens: PodTokens) -> Files:
    """Raises ApiError, Unreachable."""
    default = DEFAULT_MODE if source.default_mode is None else source.default_mode
    files: Files = {}
    for projection in source.sources:
        wanted = projection.service_account_token
        if wanted is not None:
            text = await tokens.get(pod, wanted)
            mode = token_mode(pod, default)
            files[wanted.path] = VolumeFile(text.encode(), mode, fs_user(pod))
    return files


def _projected(
    pod: Pod, volume: ProjectedVolumeSource, objects: ObjectStore, facts: DownwardFacts
) -> Files:
    files: Files = {}
    problems: list[str] = []
    for source in volume.sources:
        try:
            files |= _of_source(pod, source, volume.default_mode, objects, facts)
        except VolumeProblem as exc:
            problems.append(str(exc))
    if problems:
        raise VolumeProblem(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    return files


def _of_source(
    pod: Pod,
    source: VolumeProjection,
    mode: int | None,
    objects: ObjectStore,
    facts: DownwardFacts,
) -> Files:
    namespace = pod.metadata.namespace
    if source.config_map is not None:
        return config_map_files(
            source.config_map.name,
            objects.config_map(namespace, source.config_map.name),
            source.config_map.items,
            mode=mode,
            optional=bool(source.config_map.optional),
        )
    if source.secret is not None:
        return secret_files(
            source.secret.name,
            objects.secret(namespace, source.secret.name),
            source.secret.items,
            mode=mode,
            optional=bool(source.secret.optional),
        )
    if source.downward_api is not None:
        return downward_files(pod, source.downward_api.items, facts, mode=mode)
    return {}
