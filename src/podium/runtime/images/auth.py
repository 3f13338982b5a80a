"""Getting into a registry: challenges of ``WWW-Authenticate`` and the tokens they ask for.

Follows RFC 7235 and the "Token Authentication Specification" of the distribution project.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from podium.runtime.image_port import AuthConfig
from podium.runtime.images.transport import Transport
from podium.runtime.port import RuntimeFailure

_MAX_TOKEN_BYTES = 1024 * 1024
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?:,|$)')
_SCHEME = re.compile(rf"\s*,?\s*({_TOKEN})(?:\s+|$)")

DENIED = "pull access denied, repository does not exist or may require authorization"


class Challenge(msgspec.Struct, frozen=True):
    scheme: str  #: in lower case
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class _TokenResponse(msgspec.Struct):
    token: str = ""
    access_token: str = ""


class Authorizer:
    """Answers the challenges of one registry host during one pull.

    Credentials go to the host that asks for them, and to the token server it names over TLS (over
    plain HTTP only where the registry itself is spoken to like that).
    """

    def __init__(self, transport: Transport, auth: AuthConfig | None, repository: str) -> None:
        self._transport = transport
        self._auth = auth or AuthConfig()
        self._scope = f"repository:{repository}:pull"
        self._lock = asyncio.Lock()
        self.header = ""  #: for ``Authorization``; empty until asked for

    async def answer(self, url: str, headers: Sequence[str], used: str, *, again: bool) -> None:
        """Take the ``WWW-Authenticate`` *headers* that a request to *url* got with the header
        *used*; set a new :attr:`header`. *again* says that a fresh one was refused.

        Raises RuntimeFailure when there is nothing to answer with.
        """
        challenges = [c for header in headers for c in parse_challenges(header)]
        async with self._lock:
            if self.header != used:
                return  # another request has answered meanwhile
            for challenge in challenges:
                error = challenge.parameters.get("error", "")
                if again and error:
                    raise RuntimeFailure(f"{DENIED}: server message: {error}: authorization failed")
                if again:
                    continue
                if challenge.scheme == "bearer":
                    token = await self._fetch_token(url, challenge.parameters)
                    self.header = f"Bearer {token}"
                    return
                if challenge.scheme == "basic":
                    self.header = self._basic_header()
                    return
        raise RuntimeFailure(f"{DENIED}: authorization failed")

    def _basic_header(self) -> str:
        if not (self._auth.username and self._auth.password):
            raise RuntimeFailure(f"{DENIED}: authorization failed: no basic auth credentials")
        return _basic(self._auth)

    async def _fetch_token(self, url: str, parameters: dict[str, str]) -> str:
        realm, service = parameters.get("realm", ""), parameters.get("service", "")
        scheme = _scheme(realm)
        if scheme not in ("http", "https"):
            raise RuntimeFailure(f"failed to authorize: no usable realm in challenge: {realm!r}")
        if scheme == "http" and url.startswith("https:") and self._auth != AuthConfig():
            raise RuntimeFailure(
                f"failed to authorize: credentials are not sent to {realm} without TLS"
            )
        query = {"scope": self._scope} | ({"service": service} if service else {})
        headers: dict[str, str] = {}
        form: dict[str, str] | None = None
        if self._auth.identity_token:
            form = query | {
                "grant_type": "refresh_token",
                "refresh_token": self._auth.identity_token,
                "client_id": "podium",
            }
            query = {}
        elif self._auth.username:
            headers["Authorization"] = _basic(self._auth)
        kind = "anonymous" if self._auth == AuthConfig() else "oauth"
        try:
            answer = await self._transport.fetch_small(
                realm, query, headers, form=form, limit=_MAX_TOKEN_BYTES
            )
            token = msgspec.json.decode(answer, type=_TokenResponse)
        except RuntimeFailure as exc:
            raise RuntimeFailure(
                f"failed to authorize: failed to fetch {kind} token: {exc}"
            ) from None
        except msgspec.DecodeError as exc:
            raise RuntimeFailure(
                f"failed to authorize: failed to fetch {kind} token: unable to decode: {exc}"
            ) from None
        text = token.token or token.access_token
        if not text or not text.isascii() or not text.isprintable():
            raise RuntimeFailure(
                "failed to authorize: authorization server did not include a token in the response"
            )
        return text


def _scheme(realm: str) -> str:
    """The scheme of a URL; "" for what is none, or names no host."""
    try:
        parts = urlsplit(realm)
    except ValueError:
        return ""
    return parts.scheme if parts.hostname else ""


def parse_challenges(header: str) -> list[Challenge]:
    """Split a ``WWW-Authenticate`` header, which may hold several challenges."""
    found: list[Challenge] = []
    position = 0
    while match := _SCHEME.match(header, position):
        parameters: dict[str, str] = {}
        position = match.end()
        while parameter := _PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        found.append(Challenge(match[1].lower(), parameters))
    return found


def _basic(auth: AuthConfig) -> str:
    return "Basic " + base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
