"""One process at a time uses a runtime's root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from podium.runtime.port import RuntimeFailure


@contextlib.contextmanager
def lock(root: Path) -> Iterator[None]:
    """Hold the lock of the runtime at *root*; it goes with the process, however that ends.

    Raises RuntimeFailure when another process has it.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeFailure(f"another process uses the runtime at {root}") from None
        yield
    finally:
        os.close(descriptor)
