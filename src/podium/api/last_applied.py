"""The annotation of client-side apply beside server-side apply, for the manager ``kubectl``.

Who moves from ``kubectl apply`` to ``kubectl apply --server-side`` meets no conflicts over what the
annotation shows to be their own, and the annotation keeps up with what they apply since.
Follows ``lastapplied*.go`` of ``k8s.io/apimachinery/pkg/util/managedfields/internal``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api import apply as server_side
from podium.api.apply import Application, Conflicts
from podium.api.fields import checking, extract, sets
from podium.api.fields.sets import Fields
from podium.api.managed_fields import Managed
from podium.api.meta import ANNOTATIONS_MAX

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"


def apply(
    application: Application, live: dict[str, Any], managed: Managed, *, force: bool = False
) -> tuple[dict[str, Any] | None, Managed]:
    """Like :func:`podium.api.apply.apply`, with the annotation heeded. Raises Conflicts."""
    try:
        result, managed = server_side.apply(application, live, managed, force=force)
    except Conflicts as conflicts:
        allowed = _allowed(application, live) if application.manager == MANAGER else None
        if allowed is None:
            raise
        if sets.difference(conflicts.fields(), allowed):
            raise conflicts.without(allowed) from None
        result, managed = server_side.apply(application, live, managed, force=True)
    if application.manager == MANAGER and _annotation(live if result is None else result):
        result = _with_annotation(live if result is None else result, application.config)
    return result, managed


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = document.get("metadata", {}).get("annotations") or {}
    return found


def _annotation(document: dict[str, Any]) -> str:
    return _annotations(document).get(ANNOTATION) or ""


def _allowed(application: Application, live: dict[str, Any]) -> Fields | None:
    """Return the fields that the annotation shows to be unchanged since client-side apply."""
    text = _annotation(live)
    if not text:
        return None
    shape = application.shape
    try:
        said = msgspec.json.decode(text)
        if not isinstance(said, dict) or said.get("apiVersion") != application.api_version:
            return None
        if checking.offences(shape, said):
            return None
        fields, comparison = extract.fields_of(shape, said), extract.compare(shape, said, live)
    except (ValueError, RecursionError):
        return None
    return sets.difference(fields, comparison.touched())


def _with_annotation(document: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return *document* with the annotation saying what was applied, unless that is too long."""
    metadata = dict(config.get("metadata") or {})
    if metadata.get("annotations") is not None:
        metadata["annotations"] = {
            name: text for name, text in metadata["annotations"].items() if name != ANNOTATION
        }
    said = msgspec.json.encode({**config, "metadata": metadata}, order="deterministic")
    kept = dict(_annotations(document))
    kept[ANNOTATION] = said.decode() + "\n"
    size = sum(len(name.encode()) + len(value.encode()) for name, value in kept.items())
    if size > ANNOTATIONS_MAX:
        del kept[ANNOTATION]
    return {**document, "metadata": {**document["metadata"], "annotations": kept}}
