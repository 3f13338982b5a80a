"""Random bytes, bought of the system in bulk.

To ask for a few takes a microsecond, and lets another thread take over the interpreter, which then
has to be won back; who makes several names for each of many requests notices.
"""

from __future__ import annotations

import os
from collections import deque

_SIZE = 16
_STOCK = 256

_ready: deque[bytes] = deque()


def random_bytes() -> bytes:
    """Return 16 bytes that nobody can guess, and nobody else gets."""
    try:
        return _ready.popleft()
    except IndexError:
        stock = os.urandom(_SIZE * _STOCK)
        _ready.extend(stock[at : at + _SIZE] for at in range(_SIZE, len(stock), _SIZE))
        return stock[:_SIZE]


os.register_at_fork(after_in_child=_ready.clear)  # or both would hand out the same
