"""Fields of Pods that Kubernetes 1.37 keeps behind feature gates which are closed by default.

As upstream's server does, ours drops them on the way in, unless the object that is there uses the
same feature already. ``lifecycle.stopSignal`` is the one exception: our node serves it.

Follows ``dropDisabledFields`` of ``pkg/api/pod/util.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from podium.api.types.core_v1 import (
    ConfigMapVolumeSource,
    DownwardAPIVolumeFile,
    DownwardAPIVolumeSource,
    KeyToPath,
    PodSpec,
    PodStatus,
    ProjectedVolumeSource,
    SecretVolumeSource,
)

#: A feature, and a field that belongs to it.
Gated = tuple[str, msgspec.Struct, str]
AnyFiles = ConfigMapVolumeSource | SecretVolumeSource | DownwardAPIVolumeSource

_OWNERS = "AtomicWriteVolumeUserFields"


def drop_closed_fields(new: PodSpec, old: PodSpec | None = None) -> None:
    """Empty, in place, what *new* has no right to say."""
    _drop(_of_spec(new), _of_spec(old) if old is not None else ())


def drop_closed_status_fields(new: PodStatus, old: PodStatus) -> None:
    _drop(_of_status(new), _of_status(old))


def _drop(new: Iterator[Gated], old: Iterator[Gated] | tuple[()]) -> None:
    in_use = {feature for feature, owner, name in old if getattr(owner, name)}
    for feature, owner, name in new:
        if feature not in in_use:
            setattr(owner, name, [] if isinstance(getattr(owner, name), list) else None)


def _of_spec(spec: PodSpec) -> Iterator[Gated]:
    """Yield the fields that say anything; in nearly every Pod none does."""
    if spec.scheduling_group is not None:
        yield "GenericWorkload", spec, "scheduling_group"
    if spec.eviction_responders:
        yield "EvictionRequest", spec, "eviction_responders"
    for containers in (spec.containers, spec.init_containers, spec.ephemeral_containers):
        for container in containers:
            for mount in container.volume_mounts:
                if mount.bind_mount_options:
                    yield "VolumeBindMountOptions", mount, "bind_mount_options"
    for volume in spec.volumes:
        if volume.empty_dir is not None and volume.empty_dir.mode is not None:
            yield "EmptyDirVolumeMode", volume.empty_dir, "mode"
        for source in (volume.config_map, volume.secret, volume.downward_api):
            if source is not None:
                yield from _of_files(source)
        if volume.projected is not None:
            yield from _of_projections(volume.projected)


def _of_files(source: AnyFiles) -> Iterator[Gated]:
    if source.default_user is not None:
        yield _OWNERS, source, "default_user"
    yield from _of_items(source.items)


def _of_items(items: Sequence[KeyToPath] | Sequence[DownwardAPIVolumeFile]) -> Iterator[Gated]:
    for item in items:
        if item.user is not None:
            yield _OWNERS, item, "user"


def _of_projections(volume: ProjectedVolumeSource) -> Iterator[Gated]:
    if volume.default_user is not None:
        yield _OWNERS, volume, "default_user"
    for source in volume.sources:
        token, bundle, pod = (
            source.service_account_token,
            source.cluster_trust_bundle,
            source.pod_certificate,
        )
        if bundle is not None:
            yield "ClusterTrustBundleProjection", source, "cluster_trust_bundle"
        if pod is not None:
            yield "PodCertificateRequest", source, "pod_certificate"
        for file in (token, bundle, pod):
            if file is not None and file.user is not None:
                yield _OWNERS, file, "user"
        for keyed in (source.config_map, source.secret, source.downward_api):
            if keyed is not None:
                yield from _of_items(keyed.items)


def _of_status(status: PodStatus) -> Iterator[Gated]:
    if status.volume_health:
        yield "CSIVolumeHealth", status, "volume_health"
    if status.node_allocatable_resource_claim_statuses:
        name = "node_allocatable_resource_claim_statuses"
        yield "DRANodeAllocatableResources", status, name
    for statuses in (
        status.container_statuses,
        status.init_container_statuses,
        status.ephemeral_container_statuses,
    ):
        for container in statuses:
            for mount in container.volume_mounts:
                if mount.volume_status is not None:
                    yield "ImageVolumeWithDigest", mount, "volume_status"
