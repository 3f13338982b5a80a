"""Several logs at once, as they are written: line by line, none torn apart by another."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.http import Http, Query

_ACCEPT = "*/*"


@dataclass(frozen=True, slots=True)
class LogRequest:
    """One container's log; *prefix* stands before each of its lines."""

    path: str
    query: Query
    prefix: bytes = b""


def show(http: Http, request: LogRequest) -> None:
    """Print a log to its end, or for as long as it is followed. Raises CommandError."""
    out = sys.stdout.buffer
    for piece in _pieces(http, request, lines=bool(request.prefix)):
        out.write(request.prefix + piece)
        out.flush()


def _pieces(http: Http, request: LogRequest, *, lines: bool) -> Iterator[bytes]:
    """Yield a log as it comes. Raises CommandError."""
    begun = False
    try:
        for piece in http.stream(request.path, request.query, accept=_ACCEPT, lines=lines):
            begun = True
            yield piece
    except Unreachable as exc:
        if begun:
            raise CommandError(str(exc)) from exc
        raise


def follow(http: Http, requests: Sequence[LogRequest], *, ignore_errors: bool) -> None:
    """Print logs side by side until all have ended. Raises CommandError for the first that fails,
    unless *ignore_errors*."""
    news: queue.Queue[bytes | CommandError | None] = queue.Queue(len(requests) * 16)

    def read(request: LogRequest) -> None:
        try:
            for line in _pieces(http.another(), request, lines=True):
                news.put(request.prefix + line)
        except CommandError as exc:
            news.put(exc)
        news.put(None)

    for request in requests:
        threading.Thread(target=read, args=(request,), name="log", daemon=True).start()
    left, out = len(requests), sys.stdout.buffer
    while left:
        found = news.get()
        if isinstance(found, bytes):
            out.write(found)
            out.flush()
        elif found is None:
            left -= 1
        elif ignore_errors:
            out.write(f"error: {found}\n".encode())
        else:
            raise found
