"""Annotations and words that controllers, scheduler and provisioners tell each other by."""

from __future__ import annotations

from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
#: Names a class, from before there was a field.
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
#: Keep what is in use.
CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"

NO_PROVISIONER = "kubernetes.io/no-provisioner"
WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"
AVAILABLE, BOUND, RELEASED, FAILED = "Available", "Bound", "Released", "Failed"
PENDING, LOST = "Pending", "Lost"


def class_of(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    """Return the storage class that a volume is of or a claim wants, "" for none."""
    annotated = obj.metadata.annotations.get(BETA_CLASS)
    return annotated if annotated is not None else obj.spec.storage_class_name or ""
