"""HTTP to one API server: a connection pool, credentials, retries that the server asks for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import msgspec

from podium.client.config import ClientConfig
from podium.client.credentials import Credentials
from podium.client.errors import Unreachable, error_from
from podium.kit.clock import Clock
from podium.kit.peers import notice_dead_peers

#: Requests under way at once; more wait here instead of opening connections. Watches don't count.
MAX_IN_FLIGHT = 32
#: Attempts of a request that is answered 429 with Retry-After.
MAX_ATTEMPTS = 10
#: Seconds an unused connection is kept: less than servers keep theirs (75 s in aiohttp), so that
#: a request seldom meets a connection that is just being closed.
KEEP_ALIVE = 60.0
REQUEST_TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0

Query = Mapping[str, str]


class Bearer(Protocol):
    """Somebody who is known by a token that changes now and then."""

    async def token(self) -> str:
        """Return a token that holds. Raises ApiError or Unreachable."""
        ...

    def refused(self, token: str) -> None:
        """Take note that *token* was answered with 401."""
        ...


class Transport:
    """Bytes to and from the API server; knows no object. Use as an async context manager."""

    def __init__(self, config: ClientConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._credentials = Credentials(config)
        self._in_flight = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._session: aiohttp.ClientSession | None = None
        self._bearer: Bearer | None = None
        self._connections = self

    def acting(self, bearer: Bearer, user_agent: str) -> Transport:
        """Return a transport for somebody else over the same connections, open while this one is.

        The connections must show no certificate: the server goes by that, not by a token.
        """
        other = Transport(msgspec.structs.replace(self._config, user_agent=user_agent), self._clock)
        other._credentials, other._connections = self._credentials, self._connections
        other._bearer = bearer
        return other

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0, keepalive_timeout=KEEP_ALIVE, socket_factory=_socket
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # the server is near; compressing takes longer
            },
            skip_auto_headers=("Content-Type",),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "",
    ) -> bytes:
        """Return the body of a successful answer. Raises ApiError or Unreachable."""
        headers = {"Content-Type": content_type} if body is not None else {}
        headers |= _accepting(accept)
        for attempt in range(MAX_ATTEMPTS):
            token = await self._token()
            async with self._in_flight:
                code, answer, retry_after = await self._once(
                    method, path, query, body, headers | _authorization(token)
                )
            if code < 400:
                return answer
            if code == 401 and self._bearer and attempt == 0:
                self._bearer.refused(token)
                continue
            if code != 429 or not retry_after or attempt == MAX_ATTEMPTS - 1:
                raise error_from(code, answer)
            await self._clock.sleep(retry_after)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes, float]:
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
        try:
            async with self._open(method, path, query, body, headers, timeout) as response:
                answer = await response.read()
                return response.status, answer, _retry_after(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise Unreachable(f"{method} {self._config.server}{path}: {_words(exc)}") from exc

    async def stream(
        self, path: str, *, query: Query, timeout: float, accept: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """Yield the answer to a GET piece by piece as it arrives, for *timeout* seconds at most.

        Close the generator (``contextlib.aclosing``) to end the request.
        """
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        try:
            for attempt in range(2):
                token = await self._token()
                headers = _accepting(accept) | _authorization(token)
                async with self._open("GET", path, query, None, headers, limits) as response:
                    if response.status == 401 and self._bearer and attempt == 0:
                        self._bearer.refused(token)
                        continue
                    if response.status >= 400:
                        raise error_from(response.status, await response.read())
                    async for piece in response.content.iter_any():
                        yield piece
                    return
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise Unreachable(f"GET {self._config.server}{path}: {_words(exc)}") from exc

    async def _token(self) -> str:
        return await self._bearer.token() if self._bearer else ""

    def _open(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: bytes | None,
        headers: dict[str, str],
        timeout: aiohttp.ClientTimeout,
    ) -> Any:
        session = self._connections._session
        assert session is not None, "use the client as an async context manager"
        context, identity = self._credentials.at(self._clock.monotonic())
        return session.request(
            method,
            self._config.server + path,
            params=query or None,
            data=body,
            headers={"User-Agent": self._config.user_agent, **identity, **headers},
            ssl=context if context is not None else True,
            server_hostname=self._config.tls_server_name or None,
            timeout=timeout,
            allow_redirects=False,
        )


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    notice_dead_peers(made)
    return made


def _accepting(accept: str) -> dict[str, str]:
    return {"Accept": accept} if accept else {}


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _retry_after(response: aiohttp.ClientResponse) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def _words(exc: BaseException) -> str:
    return str(exc) or type(exc).__name__
