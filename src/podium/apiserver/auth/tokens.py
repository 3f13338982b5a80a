"""Service account tokens: signed statements of who a Pod is, bound to what they were made for.

Claims follow ``k8s.io/kubernetes/pkg/serviceaccount/claims.go``, and ``legacy.go`` for those that
live in Secrets and never expire. The server's own key is the only one that is trusted.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from podium.api.go_text import quote
from podium.kit.signing_key import ALGORITHM, BadSignature, BadToken, SigningKey

__all__ = ["ALGORITHM", "Claims", "ForeignToken", "InvalidToken", "Ref", "TokenSigner"]

#: Whom tokens in Secrets name as their issuer, whatever the server's own name is.
LEGACY_ISSUER = "kubernetes/serviceaccount"
_NEVER = datetime.max.replace(tzinfo=UTC)


class InvalidToken(Exception):
    """The text is no token of ours, or one that holds no longer; the message says why."""


class ForeignToken(InvalidToken):
    """The text does not so much as say that it is ours."""


class Ref(msgspec.Struct, frozen=True):
    """An object as a token knows it."""

    name: str
    uid: str


class Claims(msgspec.Struct, frozen=True):
    """What a token says. ``expires`` is aware, in UTC.

    A *legacy* token is the one in the Secret *secret*, whose uid it does not know.
    """

    namespace: str
    service_account: Ref
    audiences: tuple[str, ...]
    expires: datetime
    pod: Ref | None = None
    secret: Ref | None = None
    node: Ref | None = None
    id: str = ""
    legacy: bool = False

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.service_account.name}"


class TokenSigner:
    """Signs and verifies with the key of *key_file* (PEM, an EC P-256 private key)."""

    def __init__(self, key_file: Path, issuer: str) -> None:
        self._key, self.issuer = SigningKey(key_file), issuer

    def sign(self, claims: Claims, now: datetime) -> str:
        bound: dict[str, Any] = {
            "namespace": claims.namespace,
            "serviceaccount": _plain(claims.service_account),
        }
        for kind in ("pod", "secret", "node"):
            ref: Ref | None = getattr(claims, kind)
            if ref is not None:
                bound[kind] = _plain(ref)
        return self._key.sign(
            {
                "iss": self.issuer,
                "sub": claims.subject,
                "aud": list(claims.audiences),
                "iat": int(now.timestamp()),
                "nbf": int(now.timestamp()),
                "exp": int(claims.expires.timestamp()),
                "jti": claims.id or str(uuid.uuid4()),
                "kubernetes.io": bound,
            }
        )

    def verify(self, token: str, audiences: Sequence[str], now: datetime) -> Claims:
        """Return what *token* says, if it is ours, still holds, and is for one of *audiences*.

        Whether its objects still exist is for the caller to find out. Raises InvalidToken.
        """
        if _said_issuer(token) not in (LEGACY_ISSUER, self.issuer):
            raise ForeignToken("token is of another issuer")
        try:
            body = self._key.verify(token)
        except BadSignature as error:
            raise InvalidToken("go-jose/go-jose: error in cryptographic primitive") from error
        except BadToken as error:
            raise ForeignToken(str(error)) from error
        if body.get("iss") == LEGACY_ISSUER:
            claims = _legacy_claims(body, self.issuer)
        else:
            _check_times(body, now)
            claims = _claims(body, now)
        if not set(claims.audiences) & set(audiences):
            theirs, ours = _quoted(claims.audiences), _quoted(audiences)
            raise InvalidToken(
                f"token audiences {theirs} is invalid for the target audiences {ours}"
            )
        if body.get("sub") != claims.subject:
            raise InvalidToken("token's subject is not its service account")
        return claims

    def public_keys(self) -> dict[str, Any]:
        """The JSON Web Key Set by which others may verify our tokens."""
        return self._key.public_keys()


def _said_issuer(token: str) -> Any:
    """Return who has issued *token*, as it says itself; None where it says nothing."""
    parts = token.split(".", 3)
    if len(parts) != 3:
        return None
    try:
        body = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="))
    except (ValueError, RecursionError):
        return None
    return body.get("iss") if isinstance(body, dict) else None


def _plain(ref: Ref) -> dict[str, str]:
    return {"name": ref.name, "uid": ref.uid}


def _quoted(values: Sequence[str]) -> str:
    return f"[{' '.join(quote(value) for value in values)}]"


def _check_times(body: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    if _seconds(body, "exp") <= moment:
        raise InvalidToken("service account token has expired")
    if _seconds(body, "nbf") > moment + 60:
        raise InvalidToken("service account token is not valid yet")


def _seconds(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"claim {name} is not a time")
    return value


def _claims(body: Mapping[str, Any], now: datetime) -> Claims:
    bound = body.get("kubernetes.io")
    if not isinstance(bound, dict):
        raise InvalidToken("token has no kubernetes.io claim")
    account = _ref(bound, "serviceaccount")
    namespace = bound.get("namespace")
    if account is None or not isinstance(namespace, str):
        raise InvalidToken("token names no service account")
    audience = body.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    return Claims(
        namespace=namespace,
        service_account=account,
        audiences=tuple(each for each in named if isinstance(each, str)),
        expires=now + timedelta(seconds=_seconds(body, "exp") - now.timestamp()),
        pod=_ref(bound, "pod"),
        secret=_ref(bound, "secret"),
        node=_ref(bound, "node"),
        id=str(body.get("jti", "")),
    )


def _legacy_claims(body: Mapping[str, Any], issuer: str) -> Claims:
    """A token in a Secret names no audience: it is for the server alone."""

    def text(name: str) -> str:
        value = body.get(f"kubernetes.io/serviceaccount/{name}")
        if not value or not isinstance(value, str):
            raise InvalidToken(f"{name.removeprefix('service-account.')} claim is missing")
        return value

    return Claims(
        namespace=text("namespace"),
        service_account=Ref(text("service-account.name"), text("service-account.uid")),
        audiences=(issuer,),
        expires=_NEVER,
        secret=Ref(text("secret.name"), ""),
        legacy=True,
    )


def _ref(bound: Mapping[str, Any], kind: str) -> Ref | None:
    value = bound.get(kind)
    if not isinstance(value, dict):
        return None
    return Ref(str(value.get("name", "")), str(value.get("uid", "")))
