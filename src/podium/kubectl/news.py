"""Requests that are awaited: each is made in a thread, as other commands make theirs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from podium.kubectl.errors import CommandError
from podium.kubectl.http import Answer, Http, Query

T = TypeVar("T")
#: Seconds after which a watch ends by itself: nobody can end it who waits in a thread.
_LONGEST = 600


async def apart(work: Callable[[], T]) -> T:
    """Return what *work* returns, or raise what it raises; where cancelled, leave it behind."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, failure: CommandError | None) -> None:
        if done.cancelled():
            return
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: CommandError | None = CommandError("a request has failed: a bug of this kubectl's")
        try:
            result, failure = work(), None
        except CommandError as exc:
            failure = exc
        finally:  # or who waits would wait for ever; the thread tells what it was
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=run, name="request", daemon=True).start()
    return await done


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
    """Yield the type and the object of each event. Raises StatusError, Unreachable."""
    asked = [*query, ("watch", "true"), ("timeoutSeconds", str(_LONGEST))]
    lines = http.another().stream(path, asked)
    while line := await apart(lambda: next(lines, b"")):
        event = json.loads(line)
        yield event["type"], event["object"]
