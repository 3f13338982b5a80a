"""Lists, piece by piece."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podium.kubectl.http import Http, Query


def items(
    http: Http, path: str, query: Query = (), *, chunk: int = 500
) -> Iterator[dict[str, Any]]:
    """Yield the items of a list, asked for in pieces of *chunk*; 0 is all at once."""
    for document in pages(http, path, query, chunk=chunk):
        yield from document.get("items") or ()


def pages(
    http: Http, path: str, query: Query = (), *, chunk: int = 500, accept: str = "application/json"
) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a list, as they come."""
    token = ""
    while True:
        paged = [*query, ("limit", str(chunk))] if chunk else [*query]
        paged += [("continue", token)] if token else []
        document = http.request("GET", path, paged, accept=accept).json()
        yield document
        token = (document.get("metadata") or {}).get("continue", "")
        if not token:
            return
