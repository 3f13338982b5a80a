"""A token dies with its service account, and with the object it is bound to.

Follows ``pkg/serviceaccount/claims.go`` and ``legacy.go`` (``Validate``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from typing import Protocol

from podium.api.go_text import quote
from podium.api.scheme import NODES, PODS, SECRETS, SERVICEACCOUNTS, Resource
from podium.api.types.core_v1 import Secret
from podium.apiserver.auth.tokens import Claims, InvalidToken, Ref

logger = logging.getLogger(__name__)

#: Set on a Secret whose token must not be used any more, and to the day of a token's last use.
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
LAST_USED = "kubernetes.io/legacy-token-last-used"


class ObjectReader(Protocol):
    """The objects that tokens are bound to."""

    async def uid(self, resource: Resource, namespace: str, name: str) -> str | None:
        """Return the uid of an object that exists and is not past its deletion time."""
        ...

    async def secret(self, namespace: str, name: str) -> Secret | None: ...

    async def note_use(self, secret: Secret) -> None:
        """Have the label :data:`LAST_USED` of *secret* say today."""
        ...


async def check(claims: Claims, token: str, objects: ObjectReader) -> None:
    """Raises InvalidToken where what *token* claims is no longer so."""
    await _check_account(claims, objects)
    namespace = claims.namespace
    if claims.legacy:
        await _check_legacy(claims, token, objects)
    elif claims.pod:
        await _check_bound(PODS, namespace, claims.pod, objects)
    elif claims.secret:
        await _check_bound(SECRETS, namespace, claims.secret, objects)
    elif claims.node:
        await _check_bound(NODES, "", claims.node, objects)


async def _check_account(claims: Claims, objects: ObjectReader) -> None:
    account = claims.service_account
    uid = await objects.uid(SERVICEACCOUNTS, claims.namespace, account.name)
    if uid is None:
        raise InvalidToken(f"serviceaccounts {quote(account.name)} not found")
    if uid != account.uid:
        raise InvalidToken(f"service account UID ({uid}) does not match claim ({account.uid})")


async def _check_bound(resource: Resource, namespace: str, ref: Ref, objects: ObjectReader) -> None:
    uid = await objects.uid(resource, namespace, ref.name)
    if uid is None:
        raise InvalidToken("service account token has been invalidated")
    if uid != ref.uid:
        raise InvalidToken(
            f"{resource.singular} UID ({uid}) does not match service account "
            f"{resource.singular} ref claim ({ref.uid})"
        )


async def _check_legacy(claims: Claims, token: str, objects: ObjectReader) -> None:
    """The Secret has to hold this very token: one that was made anew ends the former."""
    assert claims.secret is not None
    name = claims.secret.name
    secret = await objects.secret(claims.namespace, name)
    if secret is None or secret.metadata.deletion_timestamp is not None:
        raise InvalidToken("Token has been invalidated")
    if not hmac.compare_digest(_token_in(secret), token.encode()):
        raise InvalidToken("Token does not match server's copy")
    if secret.metadata.labels.get(INVALID_SINCE):
        raise InvalidToken(
            f"the token in secret {claims.namespace}/{name} for service account "
            f"{claims.namespace}/{claims.service_account.name} has been marked invalid. Use tokens "
            "from the TokenRequest API or manually created secret-based tokens, or remove the "
            f"'{INVALID_SINCE}' label from the secret to temporarily allow use of this token"
        )
    await objects.note_use(secret)


def _token_in(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.data.get("token", ""))
    except binascii.Error:
        return b""
