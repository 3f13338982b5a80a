"""The order of what is built: what others need comes first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podium.kubectl.kustomize.objects import Item

_FIRST = (
    "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount",
    "PodSecurityPolicy", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap",
    "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
    "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
)  # fmt: skip
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def _places(first: Sequence[str], last: Sequence[str]) -> dict[str, int]:
    """Return where kinds come: before all others (negative), or behind them."""
    before = {kind: place - len(first) for place, kind in enumerate(first)}
    return before | {kind: place + 1 for place, kind in enumerate(last)}


_PLACES = _places(_FIRST, _LAST)


def ordered(items: Sequence[Item], options: Mapping[str, Any]) -> list[Item]:
    """Return objects in the order that ``sortOptions`` say; without any in the usual one."""
    if options.get("order") == "fifo":
        return list(items)
    said = options.get("legacySortOptions")
    places = _PLACES
    if said is not None:
        places = _places(said.get("orderFirst") or (), said.get("orderLast") or ())
    return sorted(items, key=lambda item: _key(item, places))


def _key(item: Item, places: Mapping[str, int]) -> tuple[int, str, str, str]:
    found = item.id
    kind = f"{found.group or '~G'}_{found.version or '~V'}_{found.kind or '~K'}"
    return places.get(found.kind, 0), kind, found.namespace or "~X", found.name or "~N"
