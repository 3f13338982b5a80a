"""Who asks: by a client certificate, by a bearer token that the API server knows, or nobody."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from podium.api.scheme import TOKENREVIEWS
from podium.api.types.authentication_v1 import TokenReview, TokenReviewSpec
from podium.api.user import ANONYMOUS, AUTHENTICATED, CREDENTIAL_ID, UserInfo
from podium.client.client import Client
from podium.kit.clock import Clock
from podium.kubelet.auth.memory import Memory
from podium.kubelet.auth.settings import AuthSettings

_MOST = 4096
_SCHEME = "bearer "


class Unauthenticated(Exception):
    """The request says of nobody known that they ask."""


class Authenticator:
    def __init__(self, client: Client, settings: AuthSettings, clock: Clock) -> None:
        self._client, self._settings = client, settings
        self._known: Memory[UserInfo | str] = Memory(clock, _MOST)
        self._secret = secrets.token_bytes(32)  # what is kept is no token

    async def authenticate(
        self, certificate: Mapping[str, Any] | None, der: bytes, authorization: str
    ) -> UserInfo:
        """Return who asks; *certificate* has been verified. Raises Unauthenticated, and what the
        client raises where the API server does not answer."""
        user = user_of(certificate, der) if certificate else None
        if user is not None:
            return user
        if self._settings.tokens and authorization.lower().startswith(_SCHEME):
            return await self._by_token(authorization[len(_SCHEME) :].strip())
        if self._settings.anonymous and not authorization:
            return ANONYMOUS
        raise Unauthenticated("no credentials")

    async def _by_token(self, token: str) -> UserInfo:
        key = hmac.digest(self._secret, token.encode("utf-8", "surrogateescape"), "sha256")
        known = self._known.get(key)
        if known is None:
            known = await self._review(token)
            self._known.put(key, known, self._settings.token_ttl)
        if isinstance(known, str):
            raise Unauthenticated(known)
        return known

    async def _review(self, token: str) -> UserInfo | str:
        """Return the token's user, or why it has none."""
        review = TokenReview(spec=TokenReviewSpec(token=token))
        status = (await self._client.create(TOKENREVIEWS, review)).status
        if not status.authenticated:
            return status.error or "invalid bearer token"
        told = status.user
        groups = _authenticated(told.groups)
        extra = {name: tuple(values) for name, values in told.extra.items()}
        return UserInfo(told.username, groups, told.uid, extra)


def user_of(certificate: Mapping[str, Any], der: bytes) -> UserInfo | None:
    """Return the user of a certificate: its common name, each organization a group."""
    name, groups = "", list[str]()
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                name = value
            elif key == "organizationName":
                groups.append(value)
    if not name:
        return None
    extra = {CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)}
    return UserInfo(name, _authenticated(groups), "", extra)


def _authenticated(groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*groups, AUTHENTICATED)))
