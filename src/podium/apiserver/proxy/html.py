"""Links in pages: what a backend has at its root, browsers have to find below our path. Pure.

A page is read as it comes, tag by tag, and written back byte for byte but for the links. Follows
``k8s.io/apimachinery/pkg/util/proxy`` (``transport.go``).
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

_LINKS: dict[bytes, frozenset[bytes]] = {
    tag.encode(): frozenset(attribute.encode() for attribute in attributes.split())
    for tag, attributes in {
        "a": "href",
        "applet": "codebase",
        "area": "href",
        "audio": "src",
        "base": "href",
        "blockquote": "cite",
        "body": "background",
        "button": "formaction",
        "command": "icon",
        "del": "cite",
        "embed": "src",
        "form": "action",
        "frame": "longdesc src",
        "head": "profile",
        "html": "manifest",
        "iframe": "longdesc src",
        "img": "longdesc src usemap",
        "input": "src usemap formaction",
        "ins": "cite",
        "link": "href",
        "object": "classid codebase data usemap",
        "q": "cite",
        "script": "src",
        "source": "src",
        "video": "poster src",
    }.items()
}
#: Elements whose content is no markup.
_RAW = {
    name: re.compile(rb"</" + name, re.IGNORECASE)
    for name in (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noframes")
}
#: Gives nothing back that it has taken: who is not a tag is found out in one go.
_TAG = re.compile(rb"""<([a-zA-Z][^\s/>]*+)((?:"[^"]*+"|'[^']*+'|[^'">]++)*+)>""")
_ATTRIBUTE = re.compile(
    rb"""([\s/"'])([^\s"'>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)""", re.DOTALL
)
#: A tag or comment longer than this (bytes) is passed on without a look.
_LONGEST = 8 * 1024
#: Bytes that are unpacked at a time.
_PART = 64 * 1024

Rewrite = Callable[[str], str]


class LinkRewriter:
    """Feed it a page piece by piece; *rewrite* is given each link and returns the one to write.

    *encoding* is ``gzip``, ``deflate`` or neither; what comes back has the same.
    """

    def __init__(self, rewrite: Rewrite, encoding: str = "") -> None:
        self._rewrite, self._rest, self._raw = rewrite, b"", b""
        self._unpack, self._pack = _CODECS.get(encoding, (_Plain, _Plain))
        self._in, self._out = self._unpack(), self._pack()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what can be written by now. Raises zlib.error for what is not packed as it says."""
        for part in self._in.feed(piece):
            yield from self._out.feed(self._take(part, last=False))

    def close(self) -> Iterator[bytes]:
        """Yield what is left."""
        yield from self._out.feed(self._take(b"", last=True))
        yield from self._out.close()

    def _take(self, piece: bytes, *, last: bool) -> bytes:
        data, done = self._rest + piece, []
        at = 0
        while at < len(data):
            found, written = self._next(data, at, last)
            if found == at:
                break
            done.append(data[at:found] if written is None else written)
            at = found
        self._rest = data[at:]
        if last:
            done.append(self._rest)
            self._rest = b""
        return b"".join(done)

    def _next(self, data: bytes, at: int, last: bool) -> tuple[int, bytes | None]:
        """Return where the next part of the page ends (*at* when more has to come), and what to
        write for it, None for the part as it is."""
        if self._raw:
            return self._skip_raw(data, at), None
        if data[at] != 0x3C:  # "<"
            end = data.find(b"<", at)
            return (len(data) if end < 0 else end), None
        if data.startswith(b"<!--", at):
            end = data.find(b"-->", at)
            return (end + 3 if end >= 0 else self._wait(data, at)), None
        near = at + _LONGEST
        match = _TAG.match(data, at, near) if data.find(b">", at, near) > 0 else None
        if match is not None:
            return match.end(), self._tag(match)
        may_become_one = len(data) - at < 4 or data[at + 1 : at + 2].isalpha() or data[at + 1] == 33
        return (self._wait(data, at) if may_become_one and not last else at + 1), None

    def _wait(self, data: bytes, at: int) -> int:
        return at if len(data) - at < _LONGEST else at + 1

    def _skip_raw(self, data: bytes, at: int) -> int:
        """Return where the raw element's content ends, or up to where it surely does not."""
        match = _RAW[self._raw].search(data, at)
        if match is None:
            return max(at, len(data) - len(self._raw) - 1)
        self._raw = b""
        return match.start() + 2  # go on behind the "</"

    def _tag(self, match: re.Match[bytes]) -> bytes | None:
        name = match[1].lower()
        if name in _RAW and not match[2].endswith(b"/"):
            self._raw = name
        links = _LINKS.get(name)
        if not links:
            return None
        start = match.start(2) - match.start()
        whole = match[0]
        return whole[:start] + _ATTRIBUTE.sub(lambda m: self._attribute(m, links), whole[start:])

    def _attribute(self, match: re.Match[bytes], links: frozenset[bytes]) -> bytes:
        before, name, equals, value = match.groups()
        if name.lower() not in links:
            return match[0]
        quote = value[:1] if value[:1] in (b'"', b"'") else b""
        text = value[1:-1] if quote else value
        link = html.unescape(text.decode("utf-8", "surrogateescape"))
        wanted = self._rewrite(link)
        if wanted == link:
            return match[0]
        escaped = html.escape(wanted).encode("utf-8", "surrogateescape")
        return before + name + equals + (quote or b'"') + escaped + (quote or b'"')


class _Codec(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def close(self) -> Iterator[bytes]: ...


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def close(self) -> Iterator[bytes]:
        yield from ()


class _Inflate:
    """Unpacks in parts of bounded size: a little may become very much."""

    bits = -zlib.MAX_WBITS

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(self.bits)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inflate.eof:
            yield self._inflate.decompress(data, _PART)
            data = self._inflate.unconsumed_tail

    def close(self) -> Iterator[bytes]:
        yield from ()


class _Gunzip(_Inflate):
    bits = 16 + zlib.MAX_WBITS


class _Deflate:
    bits = -zlib.MAX_WBITS

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(wbits=self.bits)

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._deflate.compress(data)

    def close(self) -> Iterator[bytes]:
        yield self._deflate.flush()


class _Gzip(_Deflate):
    bits = 16 + zlib.MAX_WBITS


_CODECS: dict[str, tuple[type[_Codec], type[_Codec]]] = {
    "gzip": (_Gunzip, _Gzip),
    "deflate": (_Inflate, _Deflate),
}
