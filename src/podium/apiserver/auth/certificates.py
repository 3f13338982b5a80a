"""Users of client certificates: CN is the name, each O a group.

Follows ``k8s.io/apiserver/pkg/authentication/request/x509`` (``CommonNameUserConversion``).
"""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from podium.api.user import AUTHENTICATED, CREDENTIAL_ID, UserInfo
from podium.kit.metrics import PROCESS

#: Follows ``k8s.io/apiserver/pkg/authentication/request/x509``, but counts each connection once.
_REMAINING = PROCESS.histogram(
    "apiserver_client_certificate_expiration_seconds",
    "For how long certificates were valid when clients showed them.",
    (
        0.0, 1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0, 172800.0, 345600.0, 604800.0,
        2592000.0, 7776000.0, 15552000.0, 31104000.0,
    ),
)  # fmt: skip

#: The attribute of a subject that holds the user's uid.
_UID = "1.3.6.1.4.1.57683.2"


class ClientCertificate(msgspec.Struct, frozen=True):
    """A certificate that the handshake has verified. ``user`` is None where it names nobody."""

    user: UserInfo | None
    expires: datetime


def read(told: Mapping[str, Any], der: bytes) -> ClientCertificate:
    """Return what *told*, ``ssl``'s own reading of the certificate in *der*, says."""
    until = ssl.cert_time_to_seconds(told["notAfter"])
    expires = datetime.fromtimestamp(until, UTC)
    _REMAINING.observe(until - time.time())
    name, uid, groups = "", "", []
    for attributes in told.get("subject", ()):
        for key, value in attributes:
            if key == "commonName":
                name = value
            elif key == "organizationName":
                groups.append(value)
            elif key == _UID:
                uid = value
    if not name:
        return ClientCertificate(None, expires)
    extra = {CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)}
    return ClientCertificate(UserInfo(name, (*groups, AUTHENTICATED), uid, extra), expires)
