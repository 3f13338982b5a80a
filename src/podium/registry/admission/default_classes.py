"""DefaultStorageClass and DefaultIngressClass: who names no class gets the one marked as default.

Follows ``plugin/pkg/admission/storage/storageclass/setdefault`` and
``plugin/pkg/admission/network/defaultingressclass``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from podium.api.scheme import (
    INGRESSCLASSES,
    INGRESSES,
    PERSISTENTVOLUMECLAIMS,
    STORAGECLASSES,
    Resource,
)
from podium.registry.admission.base import AdmissionPlugin, Attributes

#: Annotations of old that name a class.
CLAIM_CLASS = "volume.beta.kubernetes.io/storage-class"
INGRESS_CLASS = "kubernetes.io/ingress.class"
STORAGE_DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
INGRESS_DEFAULTS = ("ingressclass.kubernetes.io/is-default-class",)
_NEVER = datetime.min.replace(tzinfo=UTC)


class DefaultStorageClass(AdmissionPlugin):
    name = "DefaultStorageClass"
    resources = (PERSISTENTVOLUMECLAIMS,)

    async def admit(self, attributes: Attributes) -> None:
        if not _is_new(attributes, PERSISTENTVOLUMECLAIMS):
            return
        claim = attributes.obj
        if claim.spec.storage_class_name is None and CLAIM_CLASS not in claim.metadata.annotations:
            known = attributes.reader.known(STORAGECLASSES, "")
            claim.spec.storage_class_name = default_class(known, STORAGE_DEFAULTS)


class DefaultIngressClass(AdmissionPlugin):
    name = "DefaultIngressClass"
    resources = (INGRESSES,)

    async def admit(self, attributes: Attributes) -> None:
        if not _is_new(attributes, INGRESSES):
            return
        ingress = attributes.obj
        annotated = INGRESS_CLASS in ingress.metadata.annotations
        if ingress.spec.ingress_class_name is None and not annotated:
            known = attributes.reader.known(INGRESSCLASSES, "")
            ingress.spec.ingress_class_name = default_class(known, INGRESS_DEFAULTS)


def default_class(known: Iterable[Any], annotations: Iterable[str]) -> str | None:
    """Return the name of the class that is marked as default: of several, that made last."""
    marked = [
        found.metadata
        for found in known
        if any(found.metadata.annotations.get(key) == "true" for key in annotations)
    ]
    marked.sort(key=lambda metadata: metadata.name)
    marked.sort(key=lambda metadata: metadata.creation_timestamp or _NEVER, reverse=True)
    return marked[0].name if marked else None


def _is_new(attributes: Attributes, resource: Resource) -> bool:
    new = attributes.operation == "CREATE" and not attributes.subresource
    return new and attributes.resource is resource
