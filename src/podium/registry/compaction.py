"""Keeps the history of the last minutes, for watches that resume and lists in pages.

As upstream's compactor of etcd: every interval, forget what was history an interval ago. The first
revisions of a new store are forgotten soon, so that a resourceVersion that clients make up (1) is
too old there, as it is everywhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from podium.kit.clock import Clock
from podium.store.port import Store, StoreFailed

logger = logging.getLogger(__name__)

INTERVAL = 300.0


#: Seconds after which a new store has its first objects, and the revision that is kept then.
_BEGINNING, _FIRST_KEPT = 1.0, 3


async def run(
    store: Store,
    clock: Clock,
    since: int,
    forget: Callable[[int], None],
    interval: float = INTERVAL,
) -> None:
    """Compact until cancelled.

    *since* is the revision at the start; *forget* is told the oldest revision that is kept.
    """
    keep = since
    pause = interval
    if keep < _FIRST_KEPT:
        await clock.sleep(_BEGINNING)
        pause -= _BEGINNING
        await _compact(store, min(_FIRST_KEPT, await store.revision()), forget)
    while True:
        await clock.sleep(pause)
        pause = interval
        current = await store.revision()
        await _compact(store, keep, forget)
        keep = current


async def _compact(store: Store, keep: int, forget: Callable[[int], None]) -> None:
    try:
        await store.compact(keep)
        forget(keep)
    except StoreFailed as failure:
        logger.warning("the store was not compacted", extra={"error": str(failure)})
