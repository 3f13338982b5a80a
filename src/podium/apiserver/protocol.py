"""HTTP connections: their limits, and answers to what is no request at all.

A client that is slow to send its headers, or says nothing more, is disconnected; so is one that
has vanished (``kit.peers``), and one that does not read what it has asked for.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, TypeVar

import aiohttp.streams
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web import BaseRequest, StreamResponse

from podium.apiserver import errors, responses
from podium.apiserver.auth import certificates
from podium.apiserver.auth.certificates import ClientCertificate
from podium.apiserver.negotiation import MediaType
from podium.apiserver.share import Share
from podium.kit import peers
from podium.kit.heap import Thrift

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Bytes of a request line, and of one header field: they carry selectors and tokens.
LINE_LIMIT = 64 * 1024
HEADERS_LIMIT = 128
#: Bytes of all headers of a request together, as upstream.
HEADERS_SIZE = 1024 * 1024
#: Seconds for a connection's first request to arrive, and for every next one; upstream's limits for
#: reading headers and for idle connections.
FIRST_TIMEOUT, IDLE_TIMEOUT = 32.0, 90.0
#: Seconds within which a client has to make room for more of an answer, once what is kept for it is
#: full: below about 10 KiB a second it is disconnected.
READER_TIMEOUT = 60.0
#: What ``aiohttp.streams`` says then; it has no class of its own for that.
_CLOSED = "Connection closed."
#: About how many bytes a connection takes up, and what it has asked for does for each byte of that.
_HELD, _HELD_FOR_BYTE = 64 * 1024, 8
_TOO_LARGE = "431 Request Header Fields Too Large"


class _InOneTask:
    """What aiohttp asks of the event loop while it serves a connection.

    It would start a task for each request, one turn of the loop before that is handled and one
    behind. Nothing here needs a task, or context, of the request's own. For who sends more than one
    at once the turn between them is the handler's to give: see ``has_more``.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.create_future, self.time, self.call_at = loop.create_future, loop.time, loop.call_at

    @staticmethod
    def create_task(request: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        return request


class Protocol(web.RequestHandler):
    """One connection. Errors of the HTTP layer are answered in upstream's form."""

    def __init__(self, manager: Any, loop: asyncio.AbstractEventLoop, thrift: Thrift) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            max_headers=HEADERS_LIMIT,
            keepalive_timeout=IDLE_TIMEOUT,
        )
        self._loop_of_timer = loop
        self._first: asyncio.TimerHandle | None = None
        self._thrift, self._taken = thrift, 0
        self._heading = 0  #: bytes of a request's head that have come so far
        self._body: StreamReader = EMPTY_PAYLOAD  #: of the request that has come last
        self._full: asyncio.TimerHandle | None = None
        self._is_patient = False
        self.share = Share()  #: of the request that is handled

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._first = self._loop_of_timer.call_later(FIRST_TIMEOUT, self.force_close)

    async def start(self) -> None:
        """Handle one request after the other, all of them in the connection's own task."""
        if sys.version_info < (3, 12):  # from there on it begins with the request's task at once
            self._loop = _InOneTask(self._loop_of_timer)  # type: ignore[assignment]
        await super().start()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._has_begun()
        self._has_room()
        super().connection_lost(exc)
        self._thrift.freed(_HELD + self._taken * _HELD_FOR_BYTE)

    def log_exception(self, *args: Any, **named: Any) -> None:
        """Log a bug of ours. None is a client that goes while what it still sends is thrown away:
        every one that is told of a body too long may, and fill the log."""
        if self.transport is None and _reads_of_nobody(named.get("exc_info")):
            self.log_debug(*args, **named)
        else:
            super().log_exception(*args, **named)

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self._is_patient:
            self._full = self._loop_of_timer.call_later(READER_TIMEOUT, self._give_up)

    def resume_writing(self) -> None:
        self._has_room()
        super().resume_writing()

    def _has_room(self) -> None:
        if self._full is not None:
            self._full.cancel()
            self._full = None

    def _give_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    @property
    def has_more(self) -> bool:
        """Whether the client has sent more requests behind the one that is handled.

        All that has come would be handled in one turn of the loop: few wait for anything, and of
        those that are turned away none does.
        """
        return bool(self._messages)

    def wait_for_readers(self, wait: bool) -> None:
        """Say whether the client may read as slowly as it likes: people page through logs."""
        if wait == self._is_patient or self.transport is None:
            return
        self._is_patient = wait
        peers.wait_for_reader(self.transport.get_extra_info("socket"), wait)

    def resume_reading(self, *arguments: Any, **named: Any) -> None:
        """Read on, where that was paused: aiohttp asks for it at each piece of a body."""
        if self._reading_paused:
            super().resume_reading(*arguments, **named)

    def data_received(self, data: bytes) -> None:
        """Take what has come, within bounds: the parser's are for each header alone."""
        self._taken += len(data)
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
        request = self._current_request
        if (
            self._messages
            or self._upgraded  # what comes now is no HTTP
            or not self._body.is_eof()  # also where nobody wants it, and it is thrown away
            or (request is not None and not request.content.is_eof())
        ):
            self._heading = 0
            self._has_begun()
            return
        self._heading += len(data)
        if self._heading > HEADERS_SIZE:
            self._refuse_heading()

    def _has_begun(self) -> None:
        if self._first is not None:
            self._first.cancel()
            self._first = None

    def _refuse_heading(self) -> None:
        if self.transport is not None and self._current_request is None:
            head = f"HTTP/1.1 {_TOO_LARGE}\r\nContent-Type: {responses.PLAIN_TEXT}\r\n"
            length = f"Connection: close\r\nContent-Length: {len(_TOO_LARGE)}\r\n\r\n"
            self.transport.write(f"{head}{length}{_TOO_LARGE}".encode())
        self.force_close()

    @cached_property
    def client_certificate(self) -> ClientCertificate | None:
        """What the handshake has verified of the client's certificate; read once a connection."""
        session = self.transport.get_extra_info("ssl_object") if self.transport else None
        der = session.getpeercert(binary_form=True) if session is not None else None
        return certificates.read(session.getpeercert(), der) if session and der else None

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        """Answer what cannot be read as HTTP, or what a handler has failed at."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        logger.debug("not HTTP", extra={"peer": request.remote, "error": message})
        response: StreamResponse
        if isinstance(exc, BadHttpMethod):
            response = responses.failed(errors.method_not_allowed(), MediaType())
        elif isinstance(exc, LineTooLong):
            response = responses.text(_TOO_LARGE, 431)
        else:
            response = responses.bad_request()
        response.force_close()
        return response


def _reads_of_nobody(error: object) -> bool:
    """Whether *error* is aiohttp's, for who reads on from a client that has gone."""
    if not isinstance(error, RuntimeError) or str(error) != _CLOSED:
        return False
    *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
    return innermost.f_globals.get("__name__") == aiohttp.streams.__name__
