"""The traces that binding leaves on a volume and its claim."""

from __future__ import annotations

from msgspec.structs import replace

from podium.api.types.core_v1 import (
    ObjectReference,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.storage.matching import is_reserved_for
from podium.domain.storage.names import (
    BETA_STORAGE_PROVISIONER,
    BIND_COMPLETED,
    BOUND,
    BOUND_BY_CONTROLLER,
    STORAGE_PROVISIONER,
)

_YES = "yes"


def bound_volume(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    """Return *volume* with a reference to *claim*; the same where it has one."""
    reference = volume.spec.claim_ref
    if reference is not None and is_reserved_for(volume, claim) and reference.uid:
        return volume
    metadata = volume.metadata
    if not is_reserved_for(volume, claim):
        metadata = _annotated(metadata, BOUND_BY_CONTROLLER, _YES)
    return replace(volume, metadata=metadata, spec=replace(volume.spec, claim_ref=refer(claim)))


def refer(claim: PersistentVolumeClaim) -> ObjectReference:
    return ObjectReference(
        api_version="v1",
        kind="PersistentVolumeClaim",
        namespace=claim.metadata.namespace,
        name=claim.metadata.name,
        uid=claim.metadata.uid,
        resource_version=claim.metadata.resource_version,
    )


def unbound_volume(volume: PersistentVolume) -> PersistentVolume:
    """Return *volume* as it was before: without a claim, or reserved for one by its user."""
    annotations = dict(volume.metadata.annotations)
    reference = volume.spec.claim_ref
    if annotations.pop(BOUND_BY_CONTROLLER, None) is not None or reference is None:
        reference = None
    else:
        reference = replace(reference, uid="")
    metadata = replace(volume.metadata, annotations=annotations)
    return replace(volume, metadata=metadata, spec=replace(volume.spec, claim_ref=reference))


def bound_claim(claim: PersistentVolumeClaim, volume: PersistentVolume) -> PersistentVolumeClaim:
    """Return *claim* with *volume*'s name; the same where it has it."""
    metadata, spec = claim.metadata, claim.spec
    if spec.volume_name != volume.metadata.name:
        metadata = _annotated(metadata, BOUND_BY_CONTROLLER, _YES)
        spec = replace(spec, volume_name=volume.metadata.name)
    return replace(claim, metadata=_annotated(metadata, BIND_COMPLETED, _YES), spec=spec)


def provisioned_by(claim: PersistentVolumeClaim, provisioner: str) -> PersistentVolumeClaim:
    """Return *claim* with the name of who is to make its volume."""
    metadata = _annotated(claim.metadata, STORAGE_PROVISIONER, provisioner)
    return replace(claim, metadata=_annotated(metadata, BETA_STORAGE_PROVISIONER, provisioner))


def claim_status(
    status: PersistentVolumeClaimStatus, phase: str, volume: PersistentVolume | None = None
) -> PersistentVolumeClaimStatus:
    """Return *status* in *phase*; what a bound claim offers is what its *volume* does."""
    if phase != BOUND or volume is None:
        return replace(status, phase=phase, access_modes=[], capacity={})
    # The size is the volume's when it is bound; after that it grows by who makes it grow.
    capacity = status.capacity if status.phase == BOUND and status.capacity else {}
    return replace(
        status,
        phase=phase,
        access_modes=list(volume.spec.access_modes),
        capacity=capacity or dict(volume.spec.capacity),
    )


def _annotated(metadata: ObjectMeta, key: str, value: str) -> ObjectMeta:
    if metadata.annotations.get(key) == value:
        return metadata
    return replace(metadata, annotations={**metadata.annotations, key: value})
