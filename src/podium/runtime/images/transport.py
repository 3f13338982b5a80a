"""HTTP as registries want it: redirects without leaking credentials, errors in Go's words.

The texts matter because Kubernetes' users know them: a Pod's events show them.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

from podium import __version__
from podium.kit.clock import Clock, SystemClock
from podium.runtime.images.registries import Registries, TLSConfig, is_loopback
from podium.runtime.port import RuntimeFailure

_MAX_REDIRECTS = 10
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
_RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_ATTEMPTS = 3
_MAX_PAUSE = 10.0  # seconds, whatever Retry-After asks for
_GO_WORDS = {
    errno.ECONNREFUSED: "connect: connection refused",
    errno.ENETUNREACH: "connect: network is unreachable",
    errno.EHOSTUNREACH: "connect: no route to host",
    errno.ETIMEDOUT: "connect: connection timed out",
    errno.ECONNRESET: "read: connection reset by peer",
}


class Unreachable(RuntimeFailure):
    """The request got no (whole) answer; ``wrong_scheme`` when the other side may well speak the
    other one of http and https."""

    def __init__(self, message: str, *, wrong_scheme: bool = False) -> None:
        super().__init__(message)
        self.wrong_scheme = wrong_scheme


class Transport:
    """A client for one pull; use it as an async context manager."""

    def __init__(self, registries: Registries, clock: Clock | None = None) -> None:
        self._registries = registries
        self._clock = clock or SystemClock()
        self._contexts: dict[TLSConfig, ssl.SSLContext] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            auto_decompress=False,
            headers={"User-Agent": f"podium/{__version__}", "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Send a request and follow redirects; credentials stay with their own host.

        An overloaded server is asked again after a pause. The answer is the caller's to close
        (``async with``). Raises Unreachable.
        """
        attempt = 1
        while True:
            response = await self._follow(method, url, dict(headers), None)
            if response.status not in _RETRY_STATUSES or attempt == _ATTEMPTS:
                return response
            response.close()
            await self._clock.sleep(_pause(response, attempt))
            attempt += 1

    async def fetch_small(
        self,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        form: Mapping[str, str] | None,
        limit: int,
    ) -> bytes:
        """GET (or POST *form*) and return the body. Raises RuntimeFailure unless it is a 200."""
        separator = "&" if "?" in url else "?"
        full = f"{url}{separator}{urlencode(query)}" if query else url
        method = "POST" if form is not None else "GET"
        async with await self._follow(method, full, dict(headers), form) as response:
            if response.status != 200:
                raise RuntimeFailure(f"unexpected status: {status_text(response)}")
            return await read_limited(response, limit)

    async def _follow(
        self, method: str, url: str, headers: dict[str, str], form: Mapping[str, str] | None
    ) -> aiohttp.ClientResponse:
        for _ in range(_MAX_REDIRECTS):
            response = await self._send(method, url, headers, form)
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                return response
            response.close()
            target = _target(method, url, location)
            if response.status in (301, 302, 303) and method != "HEAD":
                method, form = "GET", None
            if _origin(target) != _origin(url):
                headers.pop("Authorization", None)
                if form is not None:
                    text = f'{_go_method(method)} "{target}": credentials are not sent on to it'
                    raise Unreachable(text)
            url = target
        raise Unreachable(f'{_go_method(method)} "{url}": stopped after {_MAX_REDIRECTS} redirects')

    async def _send(
        self, method: str, url: str, headers: dict[str, str], form: Mapping[str, str] | None
    ) -> aiohttp.ClientResponse:
        assert self._session is not None, "the transport is not open"
        try:
            return await self._session.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=form,
                allow_redirects=False,
                ssl=self._tls(url),
                proxy=_proxy(url),
            )
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            words = describe(exc)
            if isinstance(exc, aiohttp.ConnectionTimeoutError):
                words = f"dial tcp {urlsplit(url).netloc}: {words}"
            what = f'{_go_method(method)} "{url}": {words}'
            raise Unreachable(what, wrong_scheme=_is_wrong_scheme(exc)) from exc

    def _tls(self, url: str) -> ssl.SSLContext | bool:
        parts = urlsplit(url)
        if parts.scheme != "https":
            return True
        config = self._registries.tls_for(parts.netloc)
        if config == TLSConfig() and is_loopback(parts.netloc):
            config = TLSConfig(insecure_skip_verify=True)  # as containerd: it is this machine
        if config not in self._contexts:
            self._contexts[config] = _ssl_context(config)
        return self._contexts[config]


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read the whole body. Raises RuntimeFailure when it is larger than *limit* or breaks off."""
    data = bytearray()
    try:
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > limit:
                raise RuntimeFailure(f"rejecting an answer of more than {limit} bytes")
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise Unreachable(describe(exc)) from exc
    return bytes(data)


def status_text(response: aiohttp.ClientResponse) -> str:
    return f"{response.status} {response.reason or ''}".rstrip()


def describe(exc: BaseException) -> str:
    """Say what went wrong as Go's net package says it."""
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {exc.host}: no such host"
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return f"tls: failed to verify certificate: x509: {exc.certificate_error}"
    if isinstance(exc, aiohttp.ClientConnectorSSLError):
        return f"tls: {exc.os_error.strerror or exc.os_error}"
    if isinstance(exc, aiohttp.ClientConnectorError):
        words = _GO_WORDS.get(exc.os_error.errno or 0, f"connect: {exc.os_error.strerror}")
        return f"dial tcp {exc.host}:{exc.port}: {words}"
    if isinstance(exc, asyncio.TimeoutError):
        return "i/o timeout"
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return "EOF"
    if isinstance(exc, aiohttp.ClientPayloadError):
        return "unexpected EOF"
    if isinstance(exc, OSError) and exc.errno in _GO_WORDS:
        return _GO_WORDS[exc.errno]
    return str(exc) or type(exc).__name__


def _is_wrong_scheme(exc: BaseException) -> bool:
    return isinstance(
        exc,
        aiohttp.ServerDisconnectedError
        | aiohttp.ClientConnectorSSLError
        | aiohttp.ClientResponseError,
    ) or (isinstance(exc, OSError) and exc.errno == errno.ECONNRESET)


def _ssl_context(config: TLSConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except (OSError, ssl.SSLError) as exc:
        files = ", ".join(filter(None, (config.ca_file, config.cert_file, config.key_file)))
        raise RuntimeFailure(f"TLS files of the registry configuration ({files}): {exc}") from exc
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for *url*, as curl reads it; never for loopback."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or is_loopback(parts.netloc):
        return None
    return None if urllib.request.proxy_bypass(parts.netloc) else proxy


def _target(method: str, url: str, location: str) -> str:
    """Where a redirect leads to. Raises Unreachable."""
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
    except ValueError:
        text = f"failed to parse Location header {location!r}"
        raise Unreachable(f'{_go_method(method)} "{url}": {text}') from None
    if scheme not in ("http", "https"):
        raise Unreachable(f"{_go_method(method)} {target!r}: unsupported protocol scheme")
    return target


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _go_method(method: str) -> str:
    return method.capitalize()


def _pause(response: aiohttp.ClientResponse, attempt: int) -> float:
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return min(float(asked), _MAX_PAUSE)
    return 0.25 * float(2**attempt)
