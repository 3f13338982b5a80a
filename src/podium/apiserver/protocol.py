"""HTTP connections: their limits, and answers to what is no request at all.

A client that is slow to send its headers, or says nothing more, is disconnected; so is one that
has vanished (``kit.peers``).
"""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong
from aiohttp.web import BaseRequest, StreamResponse

from podium.apiserver import errors, responses
from podium.apiserver.auth import certificates
from podium.apiserver.auth.certificates import ClientCertificate
from podium.apiserver.negotiation import MediaType

logger = logging.getLogger(__name__)

#: Bytes of a request line, and of one header field: they carry selectors and tokens.
LINE_LIMIT = 64 * 1024
HEADERS_LIMIT = 128
#: Seconds for the next request's headers to arrive; upstream's limit for idle connections.
IDLE_TIMEOUT = 90.0


class Protocol(web.RequestHandler):
    """One connection. Errors of the HTTP layer are answered in upstream's form."""

    def __init__(self, manager: Any, loop: asyncio.AbstractEventLoop) -> None:
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
            response = responses.text("431 Request Header Fields Too Large", 431)
        else:
            response = responses.text("400 Bad Request", 400)
        response.force_close()
        return response
