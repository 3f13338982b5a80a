"""Lists, piece by piece."""

from __future__ import annotations

import json

from podium.kubectl.errors import StatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from podium.kubectl.discovery import ResourceType
    from podium.kubectl.http import Answer, Http, Query


def items(
    http: Http,
    path: str,
    query: Query = (),
    *,
    chunk: int = 500,
    warn: Callable[[Answer], None] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the items of a list, asked for in pieces of *chunk*; 0 is all at once. Each answer goes
    to *warn*."""
    for document in pages(http, path, query, chunk=chunk, warn=warn):
        yield from document.get("items") or ()


def pages(
    http: Http,
    path: str,
    query: Query = (),
    *,
    chunk: int = 500,
    accept: str = "application/json",
    warn: Callable[[Answer], None] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a list, as they come."""
    token = ""
    while True:
        paged = [*query, ("limit", str(chunk))] if chunk else [*query]
        paged += [("continue", token)] if token else []
        answer = http.request("GET", path, paged, accept=accept)
        if warn is not None:
            warn(answer)
        document = answer.json()
        yield document
        token = (document.get("metadata") or {}).get("continue", "")
        if not token:
            return


def refusal(
    error: StatusError, type_: ResourceType, labels: str = "", fields: str = ""
) -> StatusError:
    """Return the refusal of a list, by selectors or without, in the words that are for lists."""
    if error.reason not in ("BadRequest", "NotFound"):
        return error
    what = f'"{type_.group}/{type_.version}, Resource={type_.plural}"'
    text = f"Unable to list {what}"
    if labels or fields:
        text = (
            f"Unable to find {what} that match label selector {json.dumps(labels)}, "
            f"field selector {json.dumps(fields)}"
        )
    return StatusError({**error.status, "message": f"{text}: {error}"})
