"""PersistentVolumeClaimResize: a claim grows only where its class says that volumes can.

Follows ``plugin/pkg/admission/storage/persistentvolume/resize``.
"""

from __future__ import annotations

from podium.api.quantity import parse
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, STORAGECLASSES
from podium.api.types.core_v1 import PersistentVolumeClaim
from podium.domain.storage.names import class_of
from podium.registry.admission.base import AdmissionPlugin, Attributes

_NOT_ALLOWED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc "
    "must support resize"
)


class PersistentVolumeClaimResize(AdmissionPlugin):
    name = "PersistentVolumeClaimResize"
    resources = (PERSISTENTVOLUMECLAIMS,)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403)."""
        if attributes.resource is not PERSISTENTVOLUMECLAIMS or attributes.subresource:
            return
        new, old = attributes.obj, attributes.old
        if attributes.operation != "UPDATE" or _size(new) <= _size(old):
            return
        if old.status.phase != "Bound":
            raise attributes.forbidden("Only bound persistent volume claims can be expanded")
        if not await _may_grow(attributes, class_of(new), class_of(old)):
            raise attributes.forbidden(_NOT_ALLOWED)


async def _may_grow(attributes: Attributes, new: str, old: str) -> bool:
    if not new or new != old:
        return False
    found = await attributes.reader.read(STORAGECLASSES, "", new)
    return found is not None and bool(found.allow_volume_expansion)


def _size(claim: PersistentVolumeClaim) -> int:
    requested = claim.spec.resources.requests.get("storage")
    return parse(requested).milli() if requested else 0
