"""From client-side to server-side apply: whose fields those are that the client applied.

What a manager owns by ``Update`` that also owns the annotation of client-side apply was applied by
a client; with server-side apply it becomes the property of the server-side manager, who can then
give it up. Pure. Follows ``k8s.io/client-go/util/csaupgrade``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podium.kubectl.last_applied import ANNOTATION

Map = dict[str, Any]


def owns_annotation(entry: Map, operation: str) -> bool:
    """Whether an entry of managedFields owns the annotation by *operation*."""
    metadata = (entry.get("fieldsV1") or {}).get("f:metadata") or {}
    return entry.get("operation") == operation and f"f:{ANNOTATION}" in (
        metadata.get("f:annotations") or {}
    )


def upgraded(entries: Sequence[Map], manager: str) -> list[Map] | None:
    """Return managedFields where *manager* owns what clients applied, None where none did."""
    clients = sorted({e["manager"] for e in entries if owns_annotation(e, "Update")})
    result: list[Map] = [dict(entry) for entry in entries]
    for client in clients:
        result = _taken_over(result, client, manager)
    return result if result != list(entries) else None


def _taken_over(entries: list[Map], client: str, manager: str) -> list[Map]:
    def by_client(entry: Map) -> bool:
        return _is(entry, client, "Update")

    heir = next((e for e in entries if _is(e, manager, "Apply")), None)
    if heir is None:
        heir = next((e for e in entries if by_client(e)), None)
        if heir is None:
            return entries
        heir["operation"], heir["manager"] = "Apply", manager
    for entry in entries:
        if by_client(entry) and entry.get("apiVersion") == heir.get("apiVersion"):
            heir["fieldsV1"] = _union(heir.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
            break
    return [entry for entry in entries if not by_client(entry)]


def _is(entry: Map, manager: str, operation: str) -> bool:
    said = (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "")
    return said == (manager, operation, "")


def _union(one: Map, other: Map) -> Map:
    result = dict(one)
    for name, inner in other.items():
        result[name] = _union(result.get(name) or {}, inner)
    return result
