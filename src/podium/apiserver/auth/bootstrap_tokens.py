"""Bootstrap tokens: Secrets in kube-system by which new nodes introduce themselves. Pure.

Follows ``plugin/pkg/auth/authenticator/token/bootstrap`` and ``k8s.io/cluster-bootstrap``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import datetime

from podium.api.go_time import parse_time
from podium.api.types.core_v1 import Secret
from podium.api.user import UserInfo
from podium.apiserver.auth.tokens import InvalidToken

NAMESPACE = "kube-system"
TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def secret_name(token: str) -> str:
    """Return the name of the Secret behind *token*, "" where it is no bootstrap token."""
    match = _TOKEN.fullmatch(token)
    return f"bootstrap-token-{match[1]}" if match else ""


def user(token: str, secret: Secret, now: datetime) -> UserInfo:
    """Return whom *secret* makes of the bearer of *token*. Raises InvalidToken."""
    token_id, _, token_secret = token.partition(".")
    if secret.metadata.deletion_timestamp is not None:
        raise InvalidToken("bootstrap token is being deleted")
    if secret.type != TYPE:
        raise InvalidToken(f"bootstrap token's secret is not of type {TYPE}")
    if not hmac.compare_digest(_value(secret, "token-secret").encode(), token_secret.encode()):
        raise InvalidToken("bootstrap token has another secret")
    if _value(secret, "token-id") != token_id:
        raise InvalidToken("bootstrap token has another id")
    if _has_expired(_value(secret, "expiration"), now):
        raise InvalidToken("bootstrap token has expired")
    if _value(secret, "usage-bootstrap-authentication") != "true":
        raise InvalidToken("bootstrap token is not for authentication")
    return UserInfo(f"system:bootstrap:{token_id}", _groups(secret))


def _has_expired(expiration: str, now: datetime) -> bool:
    """A time that cannot be read has passed."""
    if not expiration:
        return False
    try:
        return parse_time(expiration) <= now
    except ValueError:
        return True


def _groups(secret: Secret) -> tuple[str, ...]:
    groups = {GROUP}
    extra = _value(secret, "auth-extra-groups")
    for group in extra.split(",") if extra else ():
        if not _EXTRA_GROUP.fullmatch(group):
            raise InvalidToken(f"bootstrap group {group!r} is invalid")
        groups.add(group)
    return tuple(sorted(groups))


def _value(secret: Secret, key: str) -> str:
    try:
        return base64.b64decode(secret.data.get(key, "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
