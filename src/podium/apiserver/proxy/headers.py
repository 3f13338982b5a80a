"""Headers of requests and answers that are passed on. Pure.

Follows ``net/http/httputil`` (``ReverseProxy``) and ``k8s.io/apimachinery/pkg/util/proxy``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from multidict import CIMultiDict

#: Between two neighbours only (RFC 9110), as ``Connection`` may name more of them.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "proxy-connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: What browsers grant to other sites is for us to say, not for what is behind us.
_CORS = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
    }
)
#: What proves to us who asks, and is nobody else's business.
_OURS = frozenset({"authorization", "expect"})
_OURS_TOO = "impersonate-"
_PATH_SAFE = "/:@!$&'()*+,;=~"

Headers = Iterable[tuple[str, str]]


class Place(msgspec.Struct, frozen=True):
    """Where in our paths a backend's root is (*prefix*), and the path that it is asked for."""

    prefix: str
    path: str


def place(path: str, rest: str) -> Place:
    """Return the place of a request for *path*, whose part for the backend is *rest*; decoded."""
    inner = joined("", rest)
    if path.endswith("/") and not inner.endswith("/"):
        inner += "/"
    prefix = path.removesuffix(inner) if inner else path
    return Place(prefix, inner)


def joined(base: str, path: str) -> str:
    """Return *path* below *base*, without dots and empty parts, its last slash kept."""
    found = posixpath.normpath("/" + path).replace("//", "/") if path.strip("/") else "/"
    if found == "/":
        found = ""
    if path.endswith("/"):
        found += "/"
    return base.rstrip("/") + found


def encoded(path: str) -> str:
    return quote(path, safe=_PATH_SAFE)


def for_backend(headers: Headers, client: str, where: Place) -> CIMultiDict[str]:
    """Return what a backend gets of a request's *headers*, and where it came from."""
    passed = _without(headers, _HOP_BY_HOP | _OURS, _OURS_TOO)
    note_client(passed, client)
    passed["X-Forwarded-Uri"] = encoded(where.prefix + where.path)
    return passed


def for_upgrade(headers: Headers, client: str) -> CIMultiDict[str]:
    """The same for a request to speak another protocol, which has no body: how, is for the
    backend to read."""
    left_out = _OURS | {"content-length", "transfer-encoding"}
    passed = CIMultiDict(
        (name, value)
        for name, value in headers
        if name.lower() not in left_out and not name.lower().startswith(_OURS_TOO)
    )
    note_client(passed, client)
    return passed


def note_client(headers: CIMultiDict[str], client: str) -> None:
    before = headers.popall("X-Forwarded-For", [])
    headers["X-Forwarded-For"] = ", ".join([*before, client]) if client else ", ".join(before)


def for_client(headers: Headers) -> CIMultiDict[str]:
    """Return what the client gets of an answer's *headers*."""
    return _without(headers, _HOP_BY_HOP | _CORS)


def _without(headers: Headers, left_out: frozenset[str], prefix: str = "\n") -> CIMultiDict[str]:
    listed = list(headers)
    named = {
        token.strip().lower()
        for name, value in listed
        if name.lower() == "connection"
        for token in value.split(",")
    }
    return CIMultiDict(
        (name, value)
        for name, value in listed
        if name.lower() not in left_out
        and name.lower() not in named
        and not name.lower().startswith(prefix)
    )


def rewritten(url: str, where: Place, backend: str, asked: str) -> str:
    """Return a link of a backend's as our clients have to follow it.

    *backend* is the authority that was connected to, *asked* the ``Host`` that the client named.
    Links to other hosts and relative ones stay as they are. Raises ValueError for no URL.
    """
    parts = urlsplit(url)
    elsewhere = parts.netloc not in ("", backend, asked)
    if elsewhere or not parts.path.startswith("/"):
        return url
    path, prefix = parts.path, encoded(where.prefix)
    if not path.startswith(prefix):
        path = posixpath.normpath(prefix + path) + ("/" if path.endswith("/") else "")
    netloc = asked if parts.netloc == asked else ""
    scheme = parts.scheme if netloc else ""
    return urlunsplit((scheme, netloc, path, parts.query, parts.fragment))
