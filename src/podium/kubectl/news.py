"""Requests that are awaited: each is made in a thread, as other commands make theirs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from podium.kit.bounded import Broken, in_daemon_thread
from podium.kubectl.errors import CommandError
from podium.kubectl.http import Answer, Http, Query

T = TypeVar("T")


async def apart(work: Callable[[], T]) -> T:
    """Return what *work* returns, or raise what it raises; where cancelled, leave it behind."""
    try:
        return await in_daemon_thread(None, work, raises=CommandError, name="request")
    except Broken as exc:
        raise CommandError("a request has failed: a bug of this kubectl's") from exc


async def get(http: Http, path: str, query: Query = ()) -> dict[str, Any]:
    """Return an object. Raises StatusError, Unreachable."""

    def ask() -> Answer:
        with contextlib.closing(http.another()) as connection:
            return connection.request("GET", path, query)

    found: dict[str, Any] = (await apart(ask)).json()
    return found


async def watch(
    http: Http, path: str, query: Query
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Yield the type and the object of each event. Raises StatusError, Unreachable.

    To be closed by who has seen enough: nothing goes on then, nor does the thread that reads.
    """
    connection = http.another()
    lines = connection.stream(path, [*query, ("watch", "true")])
    try:
        while line := await apart(lambda: next(lines, b"")):
            event = json.loads(line)
            yield event["type"], event["object"]
    finally:
        connection.cut()
