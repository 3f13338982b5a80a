"""HTTP GET as the kubelet's probes and hooks make it: one request a connection, nothing kept.

A few hundred lines of the protocol's client side stand here because of what has to be controlled:
the exact request (Go's order of headers), the words of each failure, and the price of a request,
of which a node makes hundreds a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote as percent_encode
from urllib.parse import urljoin, urlsplit

import msgspec

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container, HTTPGetAction, HTTPHeader
from podium.kubelet.probing.dial import (
    DialFailure,
    container_port,
    dial,
    join_host_port,
    reason,
)

#: Bytes of a body that are read.
MAX_BODY = 10 * 1024
MAX_REDIRECTS = 10
_MAX_HEAD_LINES = 1000
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?\r?\n")
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpFailure(Exception):
    """No answer; the text is that of Go's HTTP client."""


class BodyFailure(Exception):
    """An answer whose body broke off."""


class Response(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]  #: names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Request(msgspec.Struct, frozen=True):
    url: str
    headers: tuple[tuple[str, str], ...]  #: in the order they are sent, Host left out
    host: str = ""  #: value of the Host header where it is not the URL's


def request(action: HTTPGetAction, container: Container, pod_ip: str, agent: str) -> Request:
    """The request that *action* describes. Raises BadPort."""
    port = container_port(action.port, container)
    address = join_host_port(action.host or pod_ip, port)
    path = percent_encode(action.path, safe="/%:?#[]@!$&'()*+,;=~|")
    separator = "" if not path or path[0] in "/?#" else "/"
    headers = _headers(action.http_headers)
    host = headers.pop("Host", [""])[0]
    headers.setdefault("User-Agent", [agent])
    if headers.setdefault("Accept", ["*/*"])[0] == "":
        del headers["Accept"]
    agents = [("User-Agent", value) for value in headers.pop("User-Agent")[:1] if value]
    others = [(name, value) for name in sorted(headers) for value in headers[name]]
    url = f"{(action.scheme or 'HTTP').lower()}://{address}{separator}{path}"
    return Request(url, (*agents, *others), host)


async def get(made: Request, timeout: float | None) -> Response:
    """Make the request within *timeout* seconds and follow redirects on the same host.

    A redirect to another host is the answer then. Raises HttpFailure, BodyFailure.
    """
    phase = "awaiting headers"
    url = made.url
    try:
        async with asyncio.timeout(timeout):
            for _ in range(MAX_REDIRECTS):
                async with _answer(made, url) as (status, headers, reader):
                    onwards = _location(url, status, headers)
                    if onwards is None or _hostname(onwards) != _hostname(made.url):
                        phase = "reading body"
                        return Response(status, headers, await _body(reader, headers, status))
                    made = _redirected(made, headers)
                    url = onwards
    except TimeoutError:
        if phase == "reading body":
            raise BodyFailure(
                "context deadline exceeded (Client.Timeout or context cancellation while "
                "reading body)"
            ) from None
        raise _failure(
            url, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        ) from None
    raise _failure(url, "stopped after 10 redirects")


def _headers(given: Iterable[HTTPHeader]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for header in given:
        name = "-".join(part.capitalize() for part in header.name.split("-"))
        headers.setdefault(name, []).append(header.value)
    return headers


@contextlib.asynccontextmanager
async def _answer(
    made: Request, url: str
) -> AsyncIterator[tuple[int, dict[str, str], asyncio.StreamReader]]:
    """Send the request; yield status, headers and what the body can be read from."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    writer = None
    try:
        reader, writer = await dial(host, port, _trusting() if secure else None)
        writer.write(_head(made, parts.netloc, _request_uri(url)))
        status, headers = await _read_head(reader)
        yield status, headers, reader
    except DialFailure as exc:
        raise _failure(url, str(exc)) from None
    except ssl.SSLError as exc:
        raise _failure(url, _tls_text(exc)) from None
    except (ValueError, asyncio.IncompleteReadError, EOFError) as exc:
        raise _failure(url, str(exc)) from None
    except OSError as exc:
        raise _failure(url, f"read tcp {join_host_port(host, port)}: read: {reason(exc)}") from None
    finally:
        if writer is not None:
            writer.transport.abort() if secure else writer.close()


def _head(made: Request, netloc: str, uri: str) -> bytes:
    lines = [f"GET {uri} HTTP/1.1", f"Host: {made.host or netloc}"]
    lines += [f"{name}: {value}" for name, value in made.headers]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read up to the body; answers that only announce another one (1xx) are passed over."""
    while True:
        line = await reader.readline()
        if not line:
            raise EOFError("EOF")
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            said = quote(line.decode(errors="replace").rstrip("\r\n"))
            raise ValueError(
                f"net/http: HTTP/1.x transport connection broken: malformed HTTP response {said}"
            )
        headers = await _read_headers(reader)
        status = int(match[1])
        if not 100 <= status < 200 or status == 101:
            return status, headers


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEAD_LINES):
        line = await reader.readline()
        if not line:
            raise EOFError("unexpected EOF")
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError(
                "net/http: HTTP/1.x transport connection broken: malformed MIME header line: "
                + line.decode("latin-1").rstrip("\r\n")
            )
        headers.setdefault(name.strip().lower(), value.strip())
    raise ValueError("net/http: server response headers exceeded the limit; aborted")


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], status: int) -> bytes:
    """Read the body, its first bytes where it is long. Raises BodyFailure."""
    if status in (204, 304):
        return b""
    try:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await _chunks(reader)
        length = headers.get("content-length")
        if length is not None and length.isdigit():
            return await reader.readexactly(min(int(length), MAX_BODY))
        received = b""
        while len(received) < MAX_BODY and (chunk := await reader.read(MAX_BODY)):
            received += chunk
        return received[:MAX_BODY]
    except asyncio.IncompleteReadError:
        raise BodyFailure("unexpected EOF") from None
    except ValueError as exc:
        raise BodyFailure(str(exc)) from None
    except OSError as exc:
        raise BodyFailure(f"read: {reason(exc)}") from None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    received = b""
    while len(received) < MAX_BODY:
        line = await reader.readline()
        if not line:
            raise asyncio.IncompleteReadError(b"", 1)
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise ValueError("invalid byte in chunk length") from None
        if size <= 0:
            break
        received += await reader.readexactly(min(size, MAX_BODY - len(received)))
        if len(received) < MAX_BODY:
            await reader.readexactly(2)
    return received


def _location(url: str, status: int, headers: Mapping[str, str]) -> str | None:
    """Where an answer leads to; None where it is an answer. Raises HttpFailure."""
    if status not in _REDIRECTS:
        return None
    location = headers.get("location", "")
    if not location:
        if status in (307, 308):
            return None
        raise _failure(url, f"{status} response missing Location header")
    try:
        onwards = urljoin(url, location)
        return onwards if urlsplit(onwards).port != 0 else None
    except ValueError:
        said = f"failed to parse Location header {quote(location)}"
        raise _failure(url, said) from None


def _redirected(made: Request, headers: Mapping[str, str]) -> Request:
    """A Host header that was asked for holds on as long as locations are relative."""
    absolute = bool(urlsplit(headers["location"]).netloc)
    return Request(made.url, made.headers, "" if absolute else made.host)


def _hostname(url: str) -> str:
    return urlsplit(url).hostname or ""


def _request_uri(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _failure(url: str, text: str) -> HttpFailure:
    return HttpFailure(f"Get {quote(url)}: {text}")


def _tls_text(exc: ssl.SSLError) -> str:
    if exc.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "http: server gave HTTP response to HTTPS client"
    return f"remote error: tls: {(exc.reason or str(exc)).replace('_', ' ').lower()}"


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """TLS without a look at certificates: a probe asks whether somebody answers, not who."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context
