"""The annotation in which client-side apply keeps what was applied. Pure."""

from __future__ import annotations

import json
from typing import Any

from podium.kubectl.writing import ESCAPED

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
Map = dict[str, Any]


def compact(document: Any, *, sort: bool = True) -> str:
    """Return JSON as Go's encoder writes it."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=sort, ensure_ascii=False)
    return text.translate(ESCAPED)


def bare(document: Map) -> Map:
    """Return an object without the annotation, as it is compared with the one of before."""
    annotations = dict(document["metadata"].get("annotations") or {})
    annotations.pop(ANNOTATION, None)
    return {**document, "metadata": {**document["metadata"], "annotations": annotations}}


def annotated(document: Map, *, typed: bool = False) -> Map:
    """Return an object with itself in its annotation; *typed*, as Go's own type of it is."""
    plain = bare(document)
    metadata, annotations = document["metadata"], plain["metadata"]["annotations"]
    if typed:
        from podium.kubectl.go_order import ordered

        if not annotations:
            del plain["metadata"]["annotations"]
        text = compact(ordered(plain), sort=False)
    else:
        text = compact(plain)
    annotations = {**annotations, ANNOTATION: f"{text}\n"}
    return {**plain, "metadata": {**metadata, "annotations": annotations}}


def last_applied(obj: Map) -> Map | None:
    """Return what was applied last, None where nothing was. Raises ValueError."""
    text = (obj["metadata"].get("annotations") or {}).get(ANNOTATION)
    found: Map | None = json.loads(text) if text else None
    return found
