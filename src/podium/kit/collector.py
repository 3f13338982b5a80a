"""The garbage collector, kept away from objects that have come to stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects, beyond those that have gone again, before the collector looks through them.
_MANY = 10_000


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


def seldom() -> None:
    """Have the garbage collector look when many objects have come, not a few hundred.

    Some requests at a time hold more than that, and what they make goes with their answers. It
    would look through all of it again and again, for nothing, in a tenth of the time of a create.
    """
    _, *older = gc.get_threshold()
    gc.set_threshold(_MANY, *older)
