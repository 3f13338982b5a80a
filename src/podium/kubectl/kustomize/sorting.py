"""The order of what is built: what others need comes first. Pure."""

from __future__ import annotations

from podium.kubectl.kustomize.objects import Item

_FIRST = (
    "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount",
    "PodSecurityPolicy", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap",
    "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
    "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
)  # fmt: skip
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_PLACES = {kind: place - len(_FIRST) for place, kind in enumerate(_FIRST)} | {
    kind: place + 1 for place, kind in enumerate(_LAST)
}


def key(item: Item) -> tuple[int, str, str, str]:
    found = item.id
    kind = f"{found.group or '~G'}_{found.version or '~V'}_{found.kind or '~K'}"
    return _PLACES.get(found.kind, 0), kind, found.namespace or "~X", found.name or "~N"
