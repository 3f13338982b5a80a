"""Objects under way: what they are now, and what they were called before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Map = dict[str, Any]


class KustomizeError(ValueError):
    """The kustomization cannot be built."""


@dataclass(frozen=True, slots=True)
class Id:
    """What tells an object from others."""

    group: str
    version: str
    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.version}.{self.group or '[noGrp]'}"
        return f"{kind}/{self.name}.{self.namespace or '[noNs]'}"


def id_of(obj: Map) -> Id:
    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    metadata = obj.get("metadata") or {}
    return Id(group, version, str(obj.get("kind", "")), str(metadata.get("name", "")),
              str(metadata.get("namespace") or ""))  # fmt: skip


@dataclass(slots=True)
class Item:
    """An object; *before* are the ids it has had. *hashed*: its name is to end in a hash."""

    obj: Map
    before: list[Id] = field(default_factory=list)
    hashed: bool = False

    @property
    def id(self) -> Id:
        return id_of(self.obj)

    @property
    def ids(self) -> list[Id]:
        """All ids, the present one last."""
        return [*self.before, self.id]

    @property
    def kind(self) -> str:
        return str(self.obj.get("kind", ""))

    def remember(self) -> None:
        """Keep the present id among those it had: it is about to change."""
        if self.id not in self.before:
            self.before.append(self.id)


def _effective(found: Id) -> tuple[str, str, str, str, str]:
    namespace = found.namespace or "default"
    return found.group, found.version, found.kind, found.name, namespace


def find(items: Iterable[Item], wanted: Id) -> list[Item]:
    """Return the objects that are or were called *wanted*; no namespace is the default one."""

    def fits(found: Id) -> bool:
        return _effective(found) == _effective(wanted)

    return [item for item in items if any(fits(one) for one in item.ids)]


#: Kinds that are in no namespace.
CLUSTER_KINDS = frozenset((
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole",
    "ClusterRoleBinding", "ComponentStatus", "CustomResourceDefinition", "FlowSchema",
    "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume",
    "PodSecurityPolicy", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass",
    "StorageClass", "SubjectAccessReview", "TokenReview", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
))  # fmt: skip
