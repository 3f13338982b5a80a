"""A private key that signs JSON Web Tokens, and the public half by which they are verified.

ES256: an EC key on P-256. The key is read when it is first needed: cryptography takes a tenth of a
second to import, and who has to answer soon may not have to sign soon.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ALGORITHM = "ES256"


class BadToken(Exception):
    """The text is no token, or not one of this key's; the message says why."""


class BadSignature(BadToken):
    """It is a token, and not this key's."""


class SigningKey:
    """The key in *file* (PEM)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loaded: tuple[EllipticCurvePrivateKey, str] | None = None

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token that says *claims*."""
        import jwt

        key, key_id = self._key()
        return jwt.encode(dict(claims), key, ALGORITHM, headers={"kid": key_id})

    def verify(self, token: str) -> dict[str, Any]:
        """Return what *token* says, which is the caller's to judge. Raises BadToken."""
        import jwt

        key, _ = self._key()
        try:
            found: dict[str, Any] = jwt.decode(
                token,
                key.public_key(),
                [ALGORITHM],
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
            raise BadSignature(str(error)) from error
        except jwt.InvalidTokenError as error:
            raise BadToken(str(error)) from error
        return found

    def public_keys(self) -> dict[str, Any]:
        """The JSON Web Key Set by which others may verify what we sign."""
        from jwt.algorithms import ECAlgorithm

        key, key_id = self._key()
        web_key = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {"keys": [{"use": "sig", "kid": key_id, "alg": ALGORITHM, **web_key}]}

    def _key(self) -> tuple[EllipticCurvePrivateKey, str]:
        if self._loaded is None:
            self._loaded = _load(self._file)
        return self._loaded


def _load(file: Path) -> tuple[EllipticCurvePrivateKey, str]:
    """Return the key and its id: the SHA-256 of the public key, as Kubernetes names keys."""
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
