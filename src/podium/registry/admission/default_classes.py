"""DefaultStorageClass and DefaultIngressClass: who names no class gets the one marked as default.

Follows ``plugin/pkg/admission/storage/storageclass/setdefault`` and
``plugin/pkg/admission/network/defaultingressclass``.
"""

from __future__ import annotations

from podium.api.scheme import (
    INGRESSCLASSES,
    INGRESSES,
    PERSISTENTVOLUMECLAIMS,
    STORAGECLASSES,
    Resource,
)
from podium.domain.default_classes import INGRESS, STORAGE, default_class
from podium.domain.storage.names import BETA_CLASS
from podium.registry.admission.base import AdmissionPlugin, Attributes

#: An annotation of old that names a class.
_INGRESS_CLASS = "kubernetes.io/ingress.class"


class DefaultStorageClass(AdmissionPlugin):
    name = "DefaultStorageClass"
    resources = (PERSISTENTVOLUMECLAIMS,)

    async def admit(self, attributes: Attributes) -> None:
        if not _is_new(attributes, PERSISTENTVOLUMECLAIMS):
            return
        claim = attributes.obj
        if claim.spec.storage_class_name is None and BETA_CLASS not in claim.metadata.annotations:
            known = attributes.reader.known(STORAGECLASSES, "")
            claim.spec.storage_class_name = default_class(known, STORAGE)


class DefaultIngressClass(AdmissionPlugin):
    name = "DefaultIngressClass"
    resources = (INGRESSES,)

    async def admit(self, attributes: Attributes) -> None:
        if not _is_new(attributes, INGRESSES):
            return
        ingress = attributes.obj
        annotated = _INGRESS_CLASS in ingress.metadata.annotations
        if ingress.spec.ingress_class_name is None and not annotated:
            known = attributes.reader.known(INGRESSCLASSES, "")
            ingress.spec.ingress_class_name = default_class(known, INGRESS)


def _is_new(attributes: Attributes, resource: Resource) -> bool:
    new = attributes.operation == "CREATE" and not attributes.subresource
    return new and attributes.resource is resource
