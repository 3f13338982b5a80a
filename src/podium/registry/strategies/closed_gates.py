"""Fields of Pods that Kubernetes 1.37 keeps behind feature gates which are closed by default.

As upstream's server does, ours drops them on the way in, unless the object that is there uses the
same feature already. ``lifecycle.stopSignal`` is the one exception: our node serves it.

Follows ``dropDisabledFields`` of ``pkg/api/pod/util.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from podium.api.types.core_v1 import PodSpec, PodStatus, ProjectedVolumeSource, Volume

#: A feature, and a field that belongs to it.
Gated = tuple[str, msgspec.Struct, str]

_OWNERS = "AtomicWriteVolumeUserFields"


def drop_closed_fields(new: PodSpec, old: PodSpec | None = None) -> None:
    """Empty, in place, what *new* has no right to say."""
    _drop(_of_spec(new), _of_spec(old) if old is not None else ())


def drop_closed_status_fields(new: PodStatus, old: PodStatus) -> None:
    _drop(_of_status(new), _of_status(old))


def _drop(new: Iterator[Gated], old: Iterator[Gated] | tuple[()]) -> None:
    in_use = {feature for feature, owner, name in old if getattr(owner, name)}
    for feature, owner, name in new:
        if feature not in in_use and getattr(owner, name) not in (None, []):
            setattr(owner, name, [] if isinstance(getattr(owner, name), list) else None)


def _of_spec(spec: PodSpec) -> Iterator[Gated]:
    yield "GenericWorkload", spec, "scheduling_group"
    yield "EvictionRequest", spec, "eviction_responders"
    for containers in (spec.containers, spec.init_containers, spec.ephemeral_containers):
        for container in containers:
            for mount in container.volume_mounts:
                yield "VolumeBindMountOptions", mount, "bind_mount_options"
    for volume in spec.volumes:
        yield from _of_volume(volume)


def _of_volume(volume: Volume) -> Iterator[Gated]:
    if volume.empty_dir is not None:
        yield "EmptyDirVolumeMode", volume.empty_dir, "mode"
    for source in (volume.config_map, volume.secret, volume.downward_api):
        if source is not None:
            yield _OWNERS, source, "default_user"
            for item in source.items:
                yield _OWNERS, item, "user"
    if volume.projected is not None:
        yield from _of_projections(volume.projected)


def _of_projections(volume: ProjectedVolumeSource) -> Iterator[Gated]:
    yield _OWNERS, volume, "default_user"
    for source in volume.sources:
        yield "ClusterTrustBundleProjection", source, "cluster_trust_bundle"
        yield "PodCertificateRequest", source, "pod_certificate"
        for file in (
            source.service_account_token,
            source.cluster_trust_bundle,
            source.pod_certificate,
        ):
            if file is not None:
                yield _OWNERS, file, "user"
        for keyed in (source.config_map, source.secret, source.downward_api):
            for item in keyed.items if keyed is not None else ():
                yield _OWNERS, item, "user"


def _of_status(status: PodStatus) -> Iterator[Gated]:
    yield "CSIVolumeHealth", status, "volume_health"
    yield "DRANodeAllocatableResources", status, "node_allocatable_resource_claim_statuses"
    for statuses in (
        status.container_statuses,
        status.init_container_statuses,
        status.ephemeral_container_statuses,
    ):
        for container in statuses:
            for mount in container.volume_mounts:
                yield "ImageVolumeWithDigest", mount, "volume_status"
