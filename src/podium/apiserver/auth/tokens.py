"""Service account tokens: signed statements of who a Pod is, bound to what they were made for.

Claims follow ``k8s.io/kubernetes/pkg/serviceaccount/claims.go``. Signing is ES256 by the server's
own key; the same key is the only one that is trusted.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ALGORITHM = "ES256"


class InvalidToken(Exception):
    """The text is no token of ours, or one that holds no longer; the message says why."""


@dataclass(frozen=True, slots=True)
class Ref:
    """An object as a token knows it."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. ``expires`` is aware, in UTC."""

    namespace: str
    service_account: Ref
    audiences: tuple[str, ...]
    expires: datetime
    pod: Ref | None = None
    secret: Ref | None = None
    node: Ref | None = None
    id: str = ""

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.service_account.name}"


class TokenSigner:
    """Signs and verifies with the key of *key_file* (PEM, an EC P-256 private key).

    The key is read when it is first needed: cryptography takes a tenth of a second to import,
    and a server has to answer before it has to sign.
    """

    def __init__(self, key_file: Path, issuer: str) -> None:
        self._key_file, self.issuer = key_file, issuer
        self._loaded: tuple[EllipticCurvePrivateKey, str] | None = None

    def sign(self, claims: Claims, now: datetime) -> str:
        import jwt

        key, key_id = self._key()
        bound: dict[str, Any] = {
            "namespace": claims.namespace,
            "serviceaccount": _plain(claims.service_account),
        }
        for kind in ("pod", "secret", "node"):
            ref: Ref | None = getattr(claims, kind)
            if ref is not None:
                bound[kind] = _plain(ref)
        body = {
            "iss": self.issuer,
            "sub": claims.subject,
            "aud": list(claims.audiences),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(claims.expires.timestamp()),
            "jti": claims.id or str(uuid.uuid4()),
            "kubernetes.io": bound,
        }
        return jwt.encode(body, key, ALGORITHM, headers={"kid": key_id})

    def verify(self, token: str, audiences: Sequence[str], now: datetime) -> Claims:
        """Return what *token* says, if it is ours, still holds, and is for one of *audiences*.

        Whether its objects still exist is for the caller to find out. Raises InvalidToken.
        """
        import jwt

        key, _ = self._key()
        try:
            body = jwt.decode(
                token,
                key.public_key(),
                [ALGORITHM],
                audience=list(audiences),
                issuer=self.issuer,
                # Times are compared below, against the clock that was handed in.
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "require": ["exp", "nbf", "sub", "aud", "iss"],
                },
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
        moment = now.timestamp()
        if _seconds(body, "exp") <= moment:
            raise InvalidToken("service account token has expired")
        if _seconds(body, "nbf") > moment + 60:
            raise InvalidToken("service account token is not valid yet")
        return _claims(body, now)

    def public_keys(self) -> dict[str, Any]:
        """The JSON Web Key Set by which others may verify our tokens."""
        from jwt.algorithms import ECAlgorithm

        key, key_id = self._key()
        web_key = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {"keys": [{"use": "sig", "kid": key_id, "alg": ALGORITHM, **web_key}]}

    def _key(self) -> tuple[EllipticCurvePrivateKey, str]:
        if self._loaded is None:
            self._loaded = _load(self._key_file)
        return self._loaded


def _load(file: Path) -> tuple[EllipticCurvePrivateKey, str]:
    """Return the key and its id: the SHA-256 of the public key, as upstream names keys."""
    import base64
    import hashlib

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"{file}: not an elliptic curve private key")
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashlib.sha256(public).digest()
    return key, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _plain(ref: Ref) -> dict[str, str]:
    return {"name": ref.name, "uid": ref.uid}


def _seconds(body: Mapping[str, Any], name: str) -> float:
    value = body[name]
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
    audience = body["aud"]
    claims = Claims(
        namespace=namespace,
        service_account=account,
        audiences=(audience,) if isinstance(audience, str) else tuple(audience),
        expires=now + timedelta(seconds=_seconds(body, "exp") - now.timestamp()),
        pod=_ref(bound, "pod"),
        secret=_ref(bound, "secret"),
        node=_ref(bound, "node"),
        id=str(body.get("jti", "")),
    )
    if body["sub"] != claims.subject:
        raise InvalidToken("token's subject is not its service account")
    return claims


def _ref(bound: Mapping[str, Any], kind: str) -> Ref | None:
    value = bound.get(kind)
    if not isinstance(value, dict):
        return None
    return Ref(str(value.get("name", "")), str(value.get("uid", "")))
