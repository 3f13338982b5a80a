"""``--record``, of older texts: the command line as an annotation of what it changes."""

from __future__ import annotations

from typing import Any

from podium.kubectl.command import Invocation
from podium.kubectl.flags import Flag, Kind

ANNOTATION = "kubernetes.io/change-cause"
RECORD_FLAG = Flag("record", False, "Record current kubectl command in the resource annotation.",
                   kind=Kind.BOOL, hidden=True,
                   deprecated="--record will be removed in the future")  # fmt: skip


def cause(invocation: Invocation) -> str:
    """Return the command line as it is recorded."""
    return " ".join([invocation.path, *invocation.words, *invocation.values.given()])


def recorded(invocation: Invocation, obj: dict[str, Any]) -> dict[str, Any]:
    """Return *obj*, with the annotation where that is asked for."""
    if not getattr(invocation.values, "record", False):
        return obj
    metadata = obj.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), ANNOTATION: cause(invocation)}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
