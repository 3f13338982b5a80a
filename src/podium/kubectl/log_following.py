"""Logs as they are written, and several at once: line by line, none torn apart by another.

Where the connection to a log that is followed is lost, because its node's agent or the server was
started anew, reading goes on where it was. That is our own: upstream's ends with an error.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podium.kubectl.errors import CommandError, FellSilent, StatusError, Unreachable
from podium.kubectl.http import Http, Query
from podium.kubectl.log_place import Place
from podium.kubectl.pods import container_status
from podium.kubectl.wire import lines

_ACCEPT = "*/*"
#: Seconds between attempts to reach a log again, and for how long they are made.
_PAUSE = 0.5
_PATIENCE = 60.0
#: What is asked for where a log begins, and not where it goes on.
_BEGINNING = ("tailLines", "sinceSeconds", "sinceTime", "timestamps")


@dataclass(frozen=True, slots=True)
class LogRequest:
    """One container's log; *prefix* stands before each of its lines.

    *run* is the ID of the container, "" where it is not known.
    """

    path: str
    query: Query
    prefix: bytes = b""
    run: str = ""

    @property
    def can_go_on(self) -> bool:
        """Whether it is followed, and can be over another connection."""
        names = {name for name, _ in self.query}
        return "follow" in names and not names & {"limitBytes", "previous"}


def show(http: Http, request: LogRequest) -> None:
    """Print a log to its end, or for as long as it is followed. Raises CommandError."""
    out = sys.stdout.buffer
    for piece in _pieces(http, request, by_line=bool(request.prefix)):
        out.write(request.prefix + piece)
        out.flush()


def _pieces(http: Http, request: LogRequest, *, by_line: bool) -> Iterator[bytes]:
    """Yield a log as it comes. Raises CommandError."""
    if request.can_go_on:
        followed = _Following(http, request).pieces()
        yield from lines(followed) if by_line else followed
        return
    begun = False
    try:
        for piece in http.stream(request.path, request.query, accept=_ACCEPT, lines=by_line):
            begun = True
            yield piece
    except Unreachable as exc:
        if begun:
            raise CommandError(str(exc)) from exc
        raise


class _Following:
    """One log, over as many connections as it takes."""

    def __init__(self, http: Http, request: LogRequest) -> None:
        self._http, self._request = http, request
        self._place = Place(times=("timestamps", "true") in request.query)

    def pieces(self) -> Iterator[bytes]:
        """Yield what is to be shown. Raises CommandError."""
        query = list(dict([*self._request.query, ("timestamps", "true")]).items())
        lost: CommandError | None = None
        until = 0.0
        while True:
            try:
                if lost is not None:
                    query = self._where_it_was(lost)
                for data in self._http.stream(
                    self._request.path, query, accept=_ACCEPT, lines=False
                ):
                    lost = None
                    if piece := self._place.feed(data):
                        yield piece
            except FellSilent as exc:
                raise CommandError(str(exc)) from exc
            except (Unreachable, StatusError) as exc:
                if lost is None:
                    if not self._place.moment:
                        raise
                    lost, until = CommandError(str(exc)), time.monotonic() + _PATIENCE
                    print(f"warning: {exc}; waiting for more of the log", file=sys.stderr)
                if time.monotonic() > until or (isinstance(exc, StatusError) and exc.code < 500):
                    raise lost from exc
                time.sleep(_PAUSE)
            else:
                return

    def _where_it_was(self, lost: CommandError) -> list[tuple[str, str]]:
        """Return what to ask for. Raises *lost* where what wrote the log is no more."""
        place = self._place
        place.resume()
        query = [pair for pair in self._request.query if pair[0] not in _BEGINNING]
        query += [("timestamps", "true"), ("sinceTime", place.moment)]
        if self._request.run:
            now, before = self._runs(dict(query)["container"])
            if before == self._request.run:
                return [pair for pair in query if pair[0] != "follow"] + [("previous", "true")]
            if now != self._request.run:
                raise lost
        return query

    def _runs(self, container: str) -> tuple[str, str]:
        """Return the IDs of a container and of the one before it."""
        pod = self._http.request("GET", self._request.path.removesuffix("/log")).json()
        found = container_status(pod, container)
        before = (found.get("lastState") or {}).get("terminated") or {}
        return found.get("containerID", ""), before.get("containerID", "")


def follow(http: Http, requests: Sequence[LogRequest], *, ignore_errors: bool) -> None:
    """Print logs side by side until all have ended. Raises CommandError for the first that fails,
    unless *ignore_errors*."""
    news: queue.Queue[bytes | CommandError | None] = queue.Queue(len(requests) * 16)

    def read(request: LogRequest) -> None:
        failure: CommandError | None = CommandError("a log was not read: a bug of this kubectl's")
        try:
            for line in _pieces(http.another(), request, by_line=True):
                news.put(request.prefix + line)
            failure = None
        except CommandError as exc:
            failure = exc
        finally:  # or who prints would wait for ever; the thread tells what it was
            if failure is not None:
                news.put(failure)
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
