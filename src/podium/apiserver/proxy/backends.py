"""Connections to what is proxied to: nodes' doors as ourselves, everything else as nobody."""

from __future__ import annotations

import errno
import os
import ssl
from typing import TYPE_CHECKING

from podium.api.errors import ApiError
from podium.apiserver.proxy.locations import Location, unavailable

if TYPE_CHECKING:
    from aiohttp import ClientSession

#: Seconds to reach a backend; what it then sends may take any time.
CONNECT_TIMEOUT = 30.0


def anonymous_session() -> ClientSession:
    """Return a session that shows nothing and, as upstream's, takes any certificate: nobody can
    know who signs those of Pods. Connections are not kept: there are too many Pods for that."""
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector

    return ClientSession(
        connector=TCPConnector(ssl=anonymous_tls(), limit=0, force_close=True),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
    )


def anonymous_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def check_port(location: Location) -> None:
    """Raises ApiError (503) for a port that nothing can listen on, in the words of Go's dialer."""
    port = location.port
    if not port:
        return
    if not (port.isascii() and port.isdigit()):
        raise _unreachable(f"dial tcp: lookup tcp/{port}: unknown port")
    if len(port) > len("65535") or int(port) > 65535:  # int refuses some thousand digits
        raise _unreachable(f"dial tcp: address {port}: invalid port")


def unreachable(location: Location, error: BaseException) -> ApiError:
    """Return the answer to a request whose backend gave none."""
    where = location.authority if location.port else f"{location.authority}:{usual_port(location)}"
    number = getattr(error, "errno", None) or getattr(error, "os_error", error)
    if isinstance(number, OSError):
        number = number.errno
    if isinstance(error, TimeoutError):
        return _unreachable(f"dial tcp {where}: i/o timeout")
    if isinstance(number, int) and number in errno.errorcode:
        return _unreachable(f"dial tcp {where}: connect: {os.strerror(number).lower()}")
    return _unreachable(str(error) or "EOF")


def usual_port(location: Location) -> str:
    return "443" if location.scheme == "https" else "80"


def _unreachable(why: str) -> ApiError:
    return unavailable(f"error trying to reach service: {why}")
