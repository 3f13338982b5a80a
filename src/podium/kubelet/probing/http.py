"""HTTP GET as the kubelet's probes and hooks make it: one request a connection, nothing kept.

The protocol's client side stands here and in ``http_answer`` because of what has to be controlled:
the exact request (Go's order of headers), the words of each failure, and the price of a request,
of which a node makes hundreds a second.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote as percent_encode
from urllib.parse import urljoin, urlsplit

import msgspec

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container, HTTPGetAction, HTTPHeader
from podium.kubelet.probing.dial import (
    Connection,
    DialFailure,
    Late,
    container_port,
    join_host_port,
    moment_in,
    reason,
)
from podium.kubelet.probing.http_answer import Answer, BodyFailure, HeadFailure
from podium.kubelet.probing.secured import Secured

MAX_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: What stands for itself in a URL; all else is encoded.
_PLAIN = "/%:?#[]@!$&'()*+,;=~|"
_HOST = re.compile(r"[0-9A-Za-z!$%&'()*+,\-.:;=\[\]_~]*")


class HttpFailure(Exception):
    """No answer; the text is that of Go's HTTP client."""


class SpeaksNoTls(HttpFailure):
    """Who was asked by HTTPS answers by HTTP."""


class Request(msgspec.Struct, frozen=True):
    """A GET, ready to be sent."""

    url: str
    headers: tuple[tuple[str, str], ...]  #: in the order they are sent, Host left out
    own_host: str  #: value of the Host header where it is not the URL's
    host: str
    port: int
    secure: bool
    head: bytes


def request(action: HTTPGetAction, container: Container, pod_ip: str, agent: str) -> Request:
    """The request that *action* describes. Raises BadPort, HttpFailure."""
    port = container_port(action.port, container)
    address = join_host_port(action.host or pod_ip, port)
    path = percent_encode(action.path, safe=_PLAIN)
    separator = "" if not path or path[0] in "/?#" else "/"
    headers = _headers(action.http_headers)
    host = headers.pop("Host", [""])[0]
    headers.setdefault("User-Agent", [agent])
    if headers.setdefault("Accept", ["*/*"])[0] == "":
        del headers["Accept"]
    agents = [("User-Agent", value) for value in headers.pop("User-Agent")[:1] if value]
    others = [(name, value) for name in sorted(headers) for value in headers[name]]
    url = f"{(action.scheme or 'HTTP').lower()}://{address}{separator}{path}"
    return _ready(url, (*agents, *others), host)


def _ready(url: str, headers: tuple[tuple[str, str], ...], own_host: str) -> Request:
    """Raises HttpFailure."""
    for name, value in headers:
        if _NO_VALUE.search(value):
            raise _failure(url, f"net/http: invalid header field value for {quote(name)}")
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
    except ValueError as exc:
        raise _failure(url, str(exc)) from None
    if parts.scheme not in ("http", "https"):
        raise _failure(url, f"unsupported protocol scheme {quote(parts.scheme)}")
    uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = own_host or parts.netloc
    # What no host can be named is left out, as Go does: it might end the header, and the request.
    lines = [f"GET {uri} HTTP/1.1", f"Host: {named if _HOST.fullmatch(named) else ''}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["Connection: close", "", ""]
    head = "\r\n".join(lines).encode("latin-1", "replace")
    return Request(url, headers, own_host, parts.hostname or "", port, secure, head)


async def get(made: Request, timeout: float | None) -> Answer:
    """Make the request within *timeout* seconds and follow redirects on the same host.

    A redirect to another host is the answer then. Raises HttpFailure, BodyFailure.
    """
    until, first = moment_in(timeout), made
    for _ in range(MAX_REDIRECTS):
        with Connection(until) as connection:
            line, answer = await _asked(made, connection)
            onwards = _location(made.url, answer)
            if onwards is None or _hostname(onwards) != first.host:
                await _read_body(line, answer)
                return answer
            made = _redirected(made, onwards, answer.location)
    raise _failure(made.url, "stopped after 10 redirects")


async def _asked(made: Request, connection: Connection) -> tuple[Connection | Secured, Answer]:
    """Send the request and read the answer's head. Raises HttpFailure."""
    line: Connection | Secured = connection
    answer = Answer()
    try:
        await connection.dial(made.host, made.port)
        if made.secure:
            line = Secured(connection, _trusting(), made.host)
            await line.greet()
        await line.send(made.head)
        while not answer.begun:
            answer.feed(await line.receive())
    except Late:
        text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise _failure(made.url, text) from None
    except (DialFailure, HeadFailure, EOFError) as exc:
        raise _failure(made.url, str(exc)) from None
    except ssl.SSLError as exc:
        raise _tls_failure(made.url, exc) from None
    except OSError as exc:
        where = join_host_port(made.host, made.port)
        raise _failure(made.url, f"read tcp {where}: read: {reason(exc)}") from None
    return line, answer


async def _read_body(line: Connection | Secured, answer: Answer) -> None:
    """Read what is wanted of the body. Raises BodyFailure."""
    try:
        while not answer.complete():
            answer.feed(await line.receive())
    except Late:
        raise BodyFailure(
            "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
        ) from None
    except ssl.SSLError as exc:
        raise BodyFailure(_tls_text(exc)) from None
    except OSError as exc:
        raise BodyFailure(f"read: {reason(exc)}") from None


def _headers(given: Iterable[HTTPHeader]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for header in given:
        name = "-".join(part.capitalize() for part in header.name.split("-"))
        headers.setdefault(name, []).append(header.value)
    return headers


def _location(url: str, answer: Answer) -> str | None:
    """Where an answer leads to; None where it is an answer. Raises HttpFailure."""
    if answer.status not in _REDIRECTS:
        return None
    location = answer.location
    if not location:
        if answer.status in (307, 308):
            return None
        raise _failure(url, f"{answer.status} response missing Location header")
    try:
        onwards = urljoin(url, percent_encode(location.encode("latin-1"), safe=_PLAIN))
        return onwards if urlsplit(onwards).port != 0 else None
    except ValueError:
        said = f"failed to parse Location header {quote(location)}"
        raise _failure(url, said) from None


def _redirected(made: Request, onwards: str, location: str) -> Request:
    """A Host header that was asked for holds on as long as locations are relative."""
    absolute = bool(urlsplit(location).netloc)
    return _ready(onwards, made.headers, "" if absolute else made.own_host)


def _hostname(url: str) -> str:
    return urlsplit(url).hostname or ""


def _failure(url: str, text: str) -> HttpFailure:
    return HttpFailure(f"Get {quote(url)}: {text}")


def _tls_failure(url: str, exc: ssl.SSLError) -> HttpFailure:
    if exc.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        text = "http: server gave HTTP response to HTTPS client"
        return SpeaksNoTls(str(_failure(url, text)))
    return _failure(url, _tls_text(exc))


def _tls_text(exc: ssl.SSLError) -> str:
    return f"remote error: tls: {(exc.reason or str(exc)).replace('_', ' ').lower()}"


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """TLS without a look at certificates: a probe asks whether somebody answers, not who."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context
