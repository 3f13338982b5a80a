"""One process at a time uses a runtime's root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

from podium.kit.clock import Clock
from podium.runtime.port import RuntimeFailure

#: A killed holder may leave a child between fork and exec, which has the lock until it gets there:
#: how often to look again, and for how long, in seconds.
_PATIENCE = 2.0
_PAUSE = 0.02


@contextlib.asynccontextmanager
async def lock(root: Path, clock: Clock) -> AsyncIterator[None]:
    """Hold the lock of the runtime at *root*; it goes with the process, however that ends.

    Raises RuntimeFailure when another process has it and keeps it.
    """
    descriptor = _open(root)
    try:
        give_up = clock.monotonic() + _PATIENCE
        while not _try(descriptor):
            if clock.monotonic() >= give_up:
                raise RuntimeFailure(f"another process uses the runtime at {root}")
            await clock.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _open(root: Path) -> int:
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
