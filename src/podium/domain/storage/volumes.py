"""What is to be done about a volume: which phase it is in, and what becomes of it without claim."""

from __future__ import annotations

from typing import Literal

import msgspec

from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from podium.domain.storage.names import (
    AVAILABLE,
    BOUND,
    FAILED,
    PROVISIONED_BY,
    RELEASED,
)

NO_RECYCLER = "No recycler plugin found for the volume!"
NO_DELETER = (
    'error getting deleter volume plugin for volume "{}": no deletable volume plugin matched'
)


class VolumeStep(msgspec.Struct, frozen=True):
    """*phase* is "" where it stays; *failure* is the reason of a Warning with *message*."""

    phase: str = ""
    failure: str = ""
    message: str = ""
    #: The claim has to be looked at again, or the volume to be taken from a claim it is not for.
    then: Literal["", "claim", "unbind"] = ""


def decide(volume: PersistentVolume, claim: PersistentVolumeClaim | None) -> VolumeStep:
    """Say what follows for *volume*; *claim* is the one of the name that it refers to."""
    reference = volume.spec.claim_ref
    if reference is None:
        return VolumeStep(AVAILABLE)
    if not reference.uid:
        return VolumeStep(AVAILABLE, then="claim" if claim is not None else "")
    if claim is None or claim.metadata.uid != reference.uid:
        return _reclaim(volume)
    if not claim.spec.volume_name:
        return VolumeStep(then="claim")
    if claim.spec.volume_name == volume.metadata.name:
        return VolumeStep(BOUND)
    deletes = volume.spec.persistent_volume_reclaim_policy == "Delete"
    if PROVISIONED_BY in volume.metadata.annotations and deletes:
        return _reclaim(volume)  # made for the claim, which has got another meanwhile
    return VolumeStep(then="unbind")


def _reclaim(volume: PersistentVolume) -> VolumeStep:
    """Its data is never touched here: who has made the volume deletes it, or the administrator."""
    phase = "" if volume.status.phase in (RELEASED, FAILED) else RELEASED
    match volume.spec.persistent_volume_reclaim_policy:
        case "Recycle":
            return VolumeStep(FAILED, "VolumeFailedRecycle", NO_RECYCLER)
        case "Delete" if PROVISIONED_BY not in volume.metadata.annotations:
            message = NO_DELETER.format(volume.metadata.name)
            return VolumeStep(FAILED, "VolumeFailedDelete", message)
    return VolumeStep(phase)
