"""The garbage collector, kept away from objects that have come to stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Spare the garbage collector what the body makes: modules, or a cache's content.

    It would go through all of it again and again while it grows, which takes as long as loading
    modules does and several times as long as reading objects; afterwards, too, there is nothing
    for it to find in them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
