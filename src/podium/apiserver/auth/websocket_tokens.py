"""Bearer tokens of browsers, which can set no header but the protocols of a WebSocket. Pure.

Follows ``k8s.io/apiserver/pkg/authentication/request/websocket``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from multidict import CIMultiDict, CIMultiDictProxy

HEADER = "Sec-WebSocket-Protocol"
_PREFIX = "base64url.bearer.authorization.k8s.io."

Headers = CIMultiDictProxy[str] | CIMultiDict[str]


class BadProtocols(Exception):
    """The header carries tokens, but not as it should; the message says why."""


def token(headers: Headers) -> str:
    """Return the token among a WebSocket's protocols, "" for none. Raises BadProtocols."""
    if headers.get("Upgrade", "").lower() != "websocket" or HEADER not in headers:
        return ""
    named = list(_protocols(headers))
    found = [name for name in named if name.startswith(_PREFIX)]
    if not found:
        return ""
    if len(found) > 1:
        raise BadProtocols("multiple base64.bearer.authorization tokens specified")
    if len(named) == 1:
        raise BadProtocols("missing additional subprotocol")
    encoded = found[0].removeprefix(_PREFIX)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadProtocols("invalid base64.bearer.authorization token encoding") from error


def without_token(headers: Headers) -> CIMultiDict[str]:
    """Return *headers* as everybody else may see them."""
    kept = CIMultiDict(headers)
    named = [name for name in _protocols(headers) if not name.startswith(_PREFIX)]
    kept[HEADER] = ", ".join(named)
    return kept


def _protocols(headers: Headers) -> Iterable[str]:
    for value in headers.getall(HEADER):
        yield from (name.strip() for name in value.split(","))
