"""URLs, as much of them as a short command needs; ``urllib`` takes longer to load than to use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
_IN_SCHEMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."
_IN_PATHS = _UNRESERVED | frozenset(b"/:@!$&'()*+,;=%")


class Url:
    """An absolute URL in parts; *port* is the scheme's where none is given, *authority* as it is
    written, without who asks."""

    __slots__ = ("authority", "host", "password", "path", "port", "scheme", "user")

    def __init__(self, text: str, scheme: str = "http") -> None:
        """Raises ValueError in Go's words."""
        given, separator, rest = text.partition("://")
        if separator and given.strip(_IN_SCHEMES):
            raise ValueError("first path segment in URL cannot contain colon")
        self.scheme = given.lower() if separator else scheme
        rest = rest if separator else given
        authority, slash, path = rest.partition("/")
        authority = authority.partition("?")[0].partition("#")[0]
        self.path = (slash + path.partition("?")[0].partition("#")[0]).rstrip("/")
        credentials, _, place = authority.rpartition("@")
        user, _, password = credentials.partition(":")
        self.user, self.password = unquote(user), unquote(password)
        if place.startswith("["):
            self.host, _, port = place[1:].partition("]")
            port = port.removeprefix(":")
        else:
            self.host, _, port = place.partition(":")
        if port and not (port.isascii() and port.isdigit()):
            raise ValueError(f'invalid port ":{port}" after host')
        _check_characters(self.host, self.path)
        self.authority = place.removesuffix(":")
        self.port = int(port) if port else (443 if self.scheme == "https" else 80)

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _check_characters(host: str, path: str) -> None:
    if " " in host:
        raise ValueError('invalid character " " in host name')
    for part in path.split("%")[1:]:
        if len(part) < 2 or part[:2].strip("0123456789abcdefABCDEF"):
            raise ValueError(f'invalid URL escape "%{part[:2]}"')


def quote_path(path: str) -> str:
    return _quoted(path, _IN_PATHS)


def query_string(query: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in query)


def quote(text: str) -> str:
    """Return *text* as it may stand anywhere."""
    return _quoted(text, _UNRESERVED)


def unquote(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote as decoded

    return decoded(text)


def _quoted(text: str, safe: frozenset[int]) -> str:
    data = text.encode(errors="surrogateescape")
    if safe.issuperset(data):
        return text
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in data)
