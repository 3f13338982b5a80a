"""Keeps the history of the last minutes, for watches that resume and lists in pages.

As upstream's compactor of etcd: every interval, forget what was history an interval ago.
"""

from __future__ import annotations

import logging

from podium.kit.clock import Clock
from podium.store.port import Store, StoreFailed

logger = logging.getLogger(__name__)

INTERVAL = 300.0


async def run(store: Store, clock: Clock, interval: float = INTERVAL) -> None:
    """Compact until cancelled."""
    keep = await store.revision()
    while True:
        await clock.sleep(interval)
        current = await store.revision()
        try:
            await store.compact(keep)
        except StoreFailed as failure:
            logger.warning("the store was not compacted", extra={"error": str(failure)})
        keep = current
