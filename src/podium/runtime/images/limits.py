"""How much one image may cost."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """What one layer may come to; more is refused before the disk is full of it."""

    bytes: int = 128 * 1024**3  #: of the uncompressed archive, and of its files
    entries: int = 5_000_000
    free: int = 64 * 1024**2  #: what has to stay free on the file system
