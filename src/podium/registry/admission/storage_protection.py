"""StorageObjectInUseProtection: volumes and claims stay as long as somebody uses them.

Follows ``plugin/pkg/admission/storage/storageobjectinuseprotection``; a controller takes the
finalizers away.
"""

from __future__ import annotations

from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from podium.domain.storage.names import CLAIM_FINALIZER, VOLUME_FINALIZER
from podium.registry.admission.base import AdmissionPlugin, Attributes

FINALIZERS = {
    PERSISTENTVOLUMECLAIMS: CLAIM_FINALIZER,
    PERSISTENTVOLUMES: VOLUME_FINALIZER,
}


class StorageProtection(AdmissionPlugin):
    name = "StorageObjectInUseProtection"
    resources = tuple(FINALIZERS)

    async def admit(self, attributes: Attributes) -> None:
        """Add the finalizer to a new object."""
        finalizer = FINALIZERS.get(attributes.resource)
        if finalizer is None or attributes.subresource or attributes.operation != "CREATE":
            return
        metadata = attributes.obj.metadata
        if finalizer not in metadata.finalizers:
            metadata.finalizers = [*metadata.finalizers, finalizer]
