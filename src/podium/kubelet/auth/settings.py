"""``authentication`` and ``authorization`` of KubeletConfiguration."""

from __future__ import annotations

from typing import Any

import msgspec

from podium.kubelet.config_readers import ConfigError

ALWAYS_ALLOW, WEBHOOK = "AlwaysAllow", "Webhook"


class AuthSettings(msgspec.Struct, frozen=True):
    """``tokens``: whether the API server is asked about bearer tokens. Times are in seconds."""

    anonymous: bool = False
    tokens: bool = True
    mode: str = WEBHOOK
    token_ttl: float = 120.0
    authorized_ttl: float = 300.0
    unauthorized_ttl: float = 30.0


def mode(name: str, value: Any) -> str:
    """Read ``authorization.mode``. Raises ConfigError."""
    if value not in (ALWAYS_ALLOW, WEBHOOK):
        raise ConfigError(f"{name}: must be {ALWAYS_ALLOW} or {WEBHOOK}")
    return str(value)
