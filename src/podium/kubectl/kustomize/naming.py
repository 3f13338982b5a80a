"""Names and namespaces that change, and what refers to them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from podium.kubectl.kustomize.fields import holders, maps, pod_spec
from podium.kubectl.kustomize.objects import CLUSTER_KINDS, Id, Item
from podium.kubectl.name_hash import suffix

Map = dict[str, Any]

#: Kinds whose names nobody adds to.
_NAMED_FOR_GOOD = frozenset(("APIService", "CustomResourceDefinition", "Namespace"))

_IN_CONTAINERS = tuple(
    (target, f"{containers}[]/{path}")
    for containers in ("containers", "initContainers", "ephemeralContainers")
    for target, path in (
        ("ConfigMap", "env[]/valueFrom/configMapKeyRef/name"),
        ("ConfigMap", "envFrom[]/configMapRef/name"),
        ("Secret", "env[]/valueFrom/secretKeyRef/name"),
        ("Secret", "envFrom[]/secretRef/name"),
    )
)
#: What Pods refer to: kinds, and paths below their specification.
_IN_PODS = (
    *_IN_CONTAINERS,
    ("ConfigMap", "volumes[]/configMap/name"),
    ("ConfigMap", "volumes[]/projected/sources[]/configMap/name"),
    ("Secret", "volumes[]/secret/secretName"),
    ("Secret", "volumes[]/projected/sources[]/secret/name"),
    ("Secret", "imagePullSecrets[]/name"),
    ("PersistentVolumeClaim", "volumes[]/persistentVolumeClaim/claimName"),
    ("ServiceAccount", "serviceAccountName"),
    ("PriorityClass", "priorityClassName"),
)
#: What other kinds refer to.
_OTHERS: dict[str, tuple[tuple[str, str], ...]] = {
    "Ingress": (
        ("Service", "spec/rules[]/http/paths[]/backend/service/name"),
        ("Service", "spec/defaultBackend/service/name"),
        ("Secret", "spec/tls[]/secretName"),
    ),
    "StatefulSet": (
        ("Service", "spec/serviceName"),
        ("StorageClass", "spec/volumeClaimTemplates[]/spec/storageClassName"),
    ),
    "PersistentVolumeClaim": (
        ("PersistentVolume", "spec/volumeName"),
        ("StorageClass", "spec/storageClassName"),
    ),
    "PersistentVolume": (("StorageClass", "spec/storageClassName"),),
    "ServiceAccount": (("Secret", "imagePullSecrets[]/name"),),
    "MutatingWebhookConfiguration": (("Service", "webhooks[]/clientConfig/service/name"),),
    "ValidatingWebhookConfiguration": (("Service", "webhooks[]/clientConfig/service/name"),),
    "APIService": (("Service", "spec/service/name"),),
}
#: Where the kind that is referred to stands beside the name.
_BY_KIND = {
    "HorizontalPodAutoscaler": ("spec/scaleTargetRef/name",),
    "RoleBinding": ("roleRef/name",),
    "ClusterRoleBinding": ("roleRef/name",),
}


def add_to_name(item: Item, prefix: str, ending: str) -> None:
    if item.kind not in _NAMED_FOR_GOOD:
        metadata = item.obj["metadata"]
        metadata["name"] = f"{prefix}{metadata['name']}{ending}"


def set_namespace(item: Item, namespace: str) -> None:
    """Put an object into *namespace*; a Namespace gets its name."""
    metadata = item.obj["metadata"]
    if item.kind == "Namespace":
        metadata["name"] = namespace
    elif item.kind not in CLUSTER_KINDS:
        metadata["namespace"] = namespace
    if item.kind in ("RoleBinding", "ClusterRoleBinding"):
        for subject in maps(item.obj.get("subjects")):
            if (subject.get("kind"), subject.get("name")) == ("ServiceAccount", "default"):
                subject["namespace"] = namespace


def add_hash(item: Item) -> None:
    """Let the name end in the hash of what the object holds."""
    metadata = item.obj["metadata"]
    unnamed = {**item.obj, "metadata": {**metadata, "name": ""}}
    metadata["name"] = f"{metadata['name']}-{suffix(unnamed)}"


class References:
    """From what objects were called to what they are called."""

    def __init__(self, changes: Sequence[tuple[Id, Item]]) -> None:
        self._new: dict[tuple[str, str, str], Item] = {}
        self._anywhere: dict[tuple[str, str], list[Item]] = {}
        for old, item in changes:
            self._new[old.kind, old.namespace, old.name] = item
            self._anywhere.setdefault((old.kind, old.name), []).append(item)

    def target(self, kind: str, namespace: str, name: str) -> Item | None:
        """Return the object that *name* means in an object of *namespace* (as it was)."""
        found = self._new.get((kind, namespace, name))
        if found is None:
            others = self._anywhere.get((kind, name), [])
            found = others[0] if len(others) == 1 else None
        return found

    def follow(self, item: Item, namespace: str) -> None:
        """Let an object, which was in *namespace*, refer to what has changed by its new name."""
        for holder, name, kind in _references(item.obj):
            target = self.target(kind, namespace, str(holder[name]))
            if target is not None:
                holder[name] = target.id.name
        if item.kind in ("Role", "ClusterRole"):
            for rule in maps(item.obj.get("rules")):
                names = rule.get("resourceNames")
                if names:
                    rule["resourceNames"] = [self._named(str(one), namespace) for one in names]
        if item.kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in maps(item.obj.get("subjects")):
                self._follow_subject(subject, namespace)

    def _named(self, name: str, namespace: str) -> str:
        """Return what a ConfigMap or Secret is called that a rule names."""
        for kind in ("ConfigMap", "Secret"):
            target = self.target(kind, namespace, name)
            if target is not None:
                return target.id.name
        return name

    def _follow_subject(self, subject: Map, namespace: str) -> None:
        if subject.get("kind") != "ServiceAccount":
            return
        where = subject.get("namespace") or namespace
        target = self.target("ServiceAccount", where, str(subject.get("name")))
        if target is not None:
            subject["name"] = target.id.name
            if target.id.namespace:
                subject["namespace"] = target.id.namespace


def _references(obj: Map) -> Iterator[tuple[Map, str, str]]:
    """Yield each field that names another object: its map, its name, and the kind of the other."""
    kind = str(obj.get("kind", ""))
    spec = pod_spec(obj)
    if spec is not None:
        for target, path in _IN_PODS:
            for holder, name in holders(spec, path):
                yield holder, name, target
    for target, path in _OTHERS.get(kind, ()):
        for holder, name in holders(obj, path):
            yield holder, name, target
    for path in _BY_KIND.get(kind, ()):
        for holder, name in holders(obj, path):
            yield holder, name, str(holder.get("kind", ""))
