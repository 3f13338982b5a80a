"""What is to be done about a claim: bind it, have a volume made for it, or wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from podium.api.types.storage_v1 import StorageClass
from podium.domain import default_classes
from podium.domain.storage.matching import find_volume, is_reserved_for, mismatch
from podium.domain.storage.names import (
    BIND_COMPLETED,
    LOST,
    NO_PROVISIONER,
    PENDING,
    SELECTED_NODE,
    WAIT_FOR_FIRST_CONSUMER,
    class_of,
)

NO_VOLUMES = "no persistent volumes available for this claim and no storage class is set"
FIRST_CONSUMER = "waiting for first consumer to be created before binding"


class Told(msgspec.Struct, frozen=True):
    """An event about the claim."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


class Bind(msgspec.Struct, frozen=True):
    """The claim gets *volume*, or has it and may lack the traces of that."""

    volume: PersistentVolume


class Remain(msgspec.Struct, frozen=True):
    """The claim stays, or becomes, *phase*; *provisioner* is to make a volume for it."""

    phase: str = PENDING
    told: Told | None = None
    provisioner: str = ""


def decide(
    claim: PersistentVolumeClaim,
    volumes: Mapping[str, PersistentVolume],
    storage_class: StorageClass | None,
    waiting_pods: Sequence[str] = (),
) -> Bind | Remain:
    """Say what follows for *claim*.

    *volumes* are all there are, by name; *storage_class* is the one that the claim wants, if that
    is there; *waiting_pods* are those that use the claim and have no node yet.
    """
    if BIND_COMPLETED in claim.metadata.annotations:
        return _bound(claim, volumes)
    if claim.spec.volume_name:
        return _named(claim, volumes.get(claim.spec.volume_name))
    delayed = is_delayed(storage_class)
    found = find_volume(claim, volumes.values(), delayed=delayed)
    if found is not None:
        return Bind(found)
    if delayed and SELECTED_NODE not in claim.metadata.annotations:
        return Remain(told=_unconsumed(waiting_pods))
    if class_of(claim):
        return _provision(claim, storage_class)
    return Remain(told=Told("Normal", "FailedBinding", NO_VOLUMES))


def is_delayed(storage_class: StorageClass | None) -> bool:
    """Whether claims of the class are bound only once a Pod that uses them has a node."""
    return (
        storage_class is not None and storage_class.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER
    )


def default_class(claim: PersistentVolumeClaim, classes: Iterable[StorageClass]) -> str | None:
    """Return the class that *claim*, which says nothing of one, gets now that there is a default;
    None for a claim that has said or got one, or where no class is the default."""
    if claim.spec.storage_class_name is not None or class_of(claim):
        return None
    return default_classes.default_class(classes, default_classes.STORAGE)


def _bound(claim: PersistentVolumeClaim, volumes: Mapping[str, PersistentVolume]) -> Bind | Remain:
    lost = "Data on the volume is lost!"
    if not claim.spec.volume_name:
        text = f"Bound claim has lost reference to PersistentVolume. {lost}"
        return Remain(LOST, Told("Warning", "ClaimLost", text))
    volume = volumes.get(claim.spec.volume_name)
    if volume is None:
        text = f"Bound claim has lost its PersistentVolume. {lost}"
        return Remain(LOST, Told("Warning", "ClaimLost", text))
    reference = volume.spec.claim_ref
    if reference is None or reference.uid == claim.metadata.uid:
        return Bind(volume)
    text = "Two claims are bound to the same volume, this one is bound incorrectly"
    return Remain(LOST, Told("Warning", "ClaimMisbound", text))


def _named(claim: PersistentVolumeClaim, volume: PersistentVolume | None) -> Bind | Remain:
    """The user asks for one volume and no other."""
    if volume is None:
        return Remain()
    if volume.spec.claim_ref is None:
        problem = mismatch(volume, claim)
        if problem:
            text = f'Cannot bind to requested volume "{volume.metadata.name}": {problem}'
            return Remain(told=Told("Warning", "VolumeMismatch", text))
        return Bind(volume)
    if is_reserved_for(volume, claim):
        return Bind(volume)
    text = f'volume "{volume.metadata.name}" already bound to a different claim.'
    return Remain(told=Told("Warning", "FailedBinding", text))


def _unconsumed(pods: Sequence[str]) -> Told:
    if not pods:
        return Told("Normal", "WaitForFirstConsumer", FIRST_CONSUMER)
    names = f"pod {pods[0]}" if len(pods) == 1 else f"pods {','.join(pods)}"
    return Told("Normal", "WaitForPodScheduled", f"waiting for {names} to be scheduled")


def _provision(claim: PersistentVolumeClaim, storage_class: StorageClass | None) -> Remain:
    if storage_class is None:
        text = f'storageclass.storage.k8s.io "{class_of(claim)}" not found'
        return Remain(told=Told("Warning", "ProvisioningFailed", text))
    provisioner = storage_class.provisioner
    if provisioner == NO_PROVISIONER:
        text = f"no volume plugin matched name: {provisioner}"
        return Remain(told=Told("Warning", "ProvisioningFailed", text))
    text = (
        f"Waiting for a volume to be created either by the external provisioner '{provisioner}' "
        "or manually by the system administrator. If volume creation is delayed, please verify "
        "that the provisioner is running and correctly registered."
    )
    return Remain(told=Told("Normal", "ExternalProvisioning", text), provisioner=provisioner)
