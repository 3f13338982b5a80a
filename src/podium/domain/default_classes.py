"""The class that objects get which name none: the one that is marked as the default. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

#: Annotations of the classes, any of which marks one.
STORAGE = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
INGRESS = ("ingressclass.kubernetes.io/is-default-class",)
_NEVER = datetime.min.replace(tzinfo=UTC)


def is_default(found: Any, annotations: Iterable[str]) -> bool:
    return any(found.metadata.annotations.get(key) == "true" for key in annotations)


def default_class(known: Iterable[Any], annotations: Iterable[str]) -> str | None:
    """Return the name of the class that is marked as default: of several, that made last."""
    marked = [found.metadata for found in known if is_default(found, annotations)]
    marked.sort(key=lambda metadata: metadata.name)
    marked.sort(key=lambda metadata: metadata.creation_timestamp or _NEVER, reverse=True)
    return marked[0].name if marked else None
