"""Users of client certificates: CN is the name, each O a group.

Follows ``k8s.io/apiserver/pkg/authentication/request/x509`` (``CommonNameUserConversion``).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from podium.api.user import AUTHENTICATED, CREDENTIAL_ID, UserInfo

#: The attribute of a subject that holds the user's uid.
_UID = "1.3.6.1.4.1.57683.2"


class ClientCertificate(msgspec.Struct, frozen=True):
    """A certificate that the handshake has verified. ``user`` is None where it names nobody."""

    user: UserInfo | None
    expires: datetime


def read(told: Mapping[str, Any], der: bytes) -> ClientCertificate:
    """Return what *told*, ``ssl``'s own reading of the certificate in *der*, says."""
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
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
