"""Labels and annotations for all objects, and for what they select and make. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium.kubectl.kustomize.fields import TEMPLATES, change
from podium.kubectl.kustomize.objects import Item, KustomizeError

Pairs = Mapping[str, str]

#: Selectors by kind: with True where they are made if there are none.
_SELECTORS: dict[str, tuple[tuple[str, bool], ...]] = {
    "Service": (("spec/selector", True),),
    "ReplicationController": (("spec/selector", True),),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"),
        (("spec/selector/matchLabels", True),),
    ),
    "Job": (("spec/selector/matchLabels", False),),
    "CronJob": (("spec/jobTemplate/spec/selector/matchLabels", False),),
    "PodDisruptionBudget": (("spec/selector/matchLabels", False),),
    "NetworkPolicy": (
        ("spec/podSelector/matchLabels", False),
        ("spec/ingress[]/from[]/podSelector/matchLabels", False),
        ("spec/egress[]/to[]/podSelector/matchLabels", False),
    ),
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution[]/labelSelector/matchLabels"
_PREFERRED = (
    "preferredDuringSchedulingIgnoredDuringExecution[]/podAffinityTerm/labelSelector/matchLabels"
)
_IN_PODS = (
    f"spec/affinity/podAffinity/{_REQUIRED}",
    f"spec/affinity/podAffinity/{_PREFERRED}",
    f"spec/affinity/podAntiAffinity/{_REQUIRED}",
    f"spec/affinity/podAntiAffinity/{_PREFERRED}",
    "spec/topologySpreadConstraints[]/labelSelector/matchLabels",
)


def _add(pairs: Pairs) -> Callable[[Any], Any]:
    def add(there: Any) -> Any:
        if not isinstance(there, dict | None):
            raise KustomizeError("wrong node kind: expected MappingNode")
        return {**(there or {}), **pairs}

    return add


def label(item: Item, pairs: Pairs, *, selectors: bool, templates: bool) -> None:
    """Add labels to an object: to templates of Pods, and to what is selected, if so said."""
    obj, kind = item.obj, item.kind
    change(obj, "metadata/labels", _add(pairs), create=True)
    if (selectors or templates) and kind in TEMPLATES:
        change(obj, f"{TEMPLATES[kind]}/metadata/labels", _add(pairs), create=True)
        if kind == "CronJob":
            change(obj, "spec/jobTemplate/metadata/labels", _add(pairs), create=True)
        if kind == "StatefulSet":
            change(obj, "spec/volumeClaimTemplates[]/metadata/labels", _add(pairs), create=True)
    if not selectors:
        return
    for path, create in _SELECTORS.get(kind, ()):
        change(obj, path, _add(pairs), create=create)
    if kind in TEMPLATES:
        for path in _IN_PODS:
            change(obj, f"{TEMPLATES[kind]}/{path}", _add(pairs))


def label_fields(item: Item, pairs: Pairs, specs: Sequence[Mapping[str, Any]]) -> None:
    """Add labels where field specifications say."""
    change_fields(item, specs, _add(pairs))


def change_fields(
    item: Item, specs: Sequence[Mapping[str, Any]], work: Callable[[Any], Any]
) -> None:
    """Do *work* to the fields of an object that specifications name. Raises KustomizeError."""
    found = item.id
    for spec in specs:
        here = {"group": found.group, "version": found.version, "kind": found.kind}
        if all(spec.get(name) in (None, "", value) for name, value in here.items()):
            path, create = spec.get("path") or "", bool(spec.get("create"))
            if not path:
                why = "cannot set or create an empty field name"
                raise KustomizeError(f"considering field '' of object {found}: {why}")
            change(item.obj, path, work, create=create)


def annotate(item: Item, pairs: Pairs) -> None:
    obj, kind = item.obj, item.kind
    change(obj, "metadata/annotations", _add(pairs), create=True)
    if kind in TEMPLATES:
        change(obj, f"{TEMPLATES[kind]}/metadata/annotations", _add(pairs), create=True)
        if kind == "CronJob":
            change(obj, "spec/jobTemplate/metadata/annotations", _add(pairs), create=True)
