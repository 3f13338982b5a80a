"""What trees of files take on disk. du counts: no tree can lead it astray or exhaust it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from podium.kit import process


class DiskUsage(msgspec.Struct, frozen=True):
    bytes: int
    inodes: int


async def disk_usage(paths: Iterable[str], patience: float) -> dict[str, DiskUsage]:
    """Count each of *paths*, on its own file system; those that are not there are left out.

    What is linked to more than once counts once. Raises TimeoutError after *patience* seconds.
    """
    wanted = list(dict.fromkeys(paths))
    if not wanted:
        return {}
    sizes = await _du(wanted, "--block-size=1", patience)
    inodes = await _du(wanted, "--inodes", patience)
    return {path: DiskUsage(sizes[path], inodes[path]) for path in sizes if path in inodes}


async def _du(paths: list[str], what: str, patience: float) -> dict[str, int]:
    """It complains about what vanishes under it, and has counted the rest."""
    done = await process.run("du", "-0sx", what, "--", *paths, timeout=patience, check=False)
    found = {}
    for line in done.stdout.decode(errors="surrogateescape").split("\0"):
        number, _, path = line.partition("\t")
        if number.isdigit():
            found[path] = int(number)
    return found
