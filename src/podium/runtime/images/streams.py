"""Reading a layer: forward only, decompressed, counted and hashed on the way, with an end."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol, cast

from podium.runtime.images.spec import InvalidImage

CHUNK = 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW = 128 * 1024 * 1024  # what `zstd --long` writes; more is refused by the library


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class HashingReader:
    """Pass bytes through from *source*, hashing them.

    *checkpoint* is called before each read; it may raise to end the reading (cancellation).
    """

    def __init__(self, source: Readable, checkpoint: Callable[[], None] | None = None) -> None:
        self._source, self._checkpoint = source, checkpoint
        self._hash = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        if self._checkpoint is not None:
            self._checkpoint()
        data = self._source.read(size)
        self._hash.update(data)
        self.count += len(data)
        return data

    def drain(self) -> str:
        """Read what is left; return the digest of everything."""
        while self.read(CHUNK):
            pass
        return f"sha256:{self._hash.hexdigest()}"


class TarStream:
    """The uncompressed bytes of a layer, as the file object that ``tarfile`` wants.

    Seeking goes forward only. More than *limit* bytes are refused with InvalidImage, and so are
    data that do not decompress.
    """

    def __init__(self, source: Readable, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._hash = hashlib.sha256()
        self._position = 0
        #: How many bytes may be read from here on; None for any number. Bounds what tarfile reads
        #: into memory for one entry's headers.
        self.budget: int | None = None

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            raise InvalidImage("negative size in a header")
        data = self._read_fully(size)
        self._position += len(data)
        if self.budget is not None:
            self.budget -= len(data)
            if self.budget < 0:
                raise InvalidImage("headers of an entry are too large")
        if self._position > self._limit:
            raise InvalidImage(f"layer is larger than {self._limit} bytes when unpacked")
        self._hash.update(data)
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, whence: int = 0, /) -> int:
        if whence != 0 or position < self._position:
            raise InvalidImage("layer is not a tar archive that can be read in order")
        while self._position < position:
            if not self.read(min(CHUNK, position - self._position)):
                raise InvalidImage("layer ends in the middle of a file")
        return position

    def drain(self) -> str:
        """Read what follows the archive's end; return the digest of everything (the diff ID)."""
        while self.read(CHUNK):
            pass
        return f"sha256:{self._hash.hexdigest()}"

    def _read_fully(self, size: int) -> bytes:
        """A decompressor may return less than asked for; tarfile takes that for the end."""
        data = read_chunk(self._source, size)
        if len(data) == size or not data:
            return data
        parts = [data]
        missing = size - len(data)
        while missing:
            data = read_chunk(self._source, missing)
            if not data:
                break
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with *head* (four bytes) is gzip or zstd."""
    return head.startswith(_GZIP) or head == _ZSTD


def read_chunk(source: Readable, size: int = CHUNK) -> bytes:
    """Read from what :func:`decompressed` returned; raises InvalidImage for broken compression."""
    try:
        return source.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise InvalidImage(f"does not decompress: {exc}") from None


def decompressed(source: Readable) -> Readable:
    """Return *source* without its compression (gzip, zstd or none), told by the first bytes."""
    pushed_back = _Peeked(source)
    if pushed_back.head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=cast(BinaryIO, pushed_back), mode="rb")
    if pushed_back.head == _ZSTD:
        return _Zstd(pushed_back)
    return pushed_back


class _Peeked:
    """*source*, with its first four bytes looked at."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.head = b""
        while len(self.head) < 4:
            more = source.read(4 - len(self.head))
            if not more:
                break
            self.head += more
        self._left = self.head

    def read(self, size: int = -1, /) -> bytes:
        if not self._left:
            return self._source.read(size)
        if size < 0:
            data, self._left = self._left + self._source.read(), b""
        else:
            data, self._left = self._left[:size], self._left[size:]
        return data


class _Zstd:
    def __init__(self, source: Readable) -> None:
        import zstandard  # few layers need it

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._reader = decompressor.stream_reader(cast(BinaryIO, source), read_across_frames=True)

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._reader.read(size)
        except self._error as exc:
            raise InvalidImage(f"does not decompress: {exc}") from None
