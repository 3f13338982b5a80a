"""The one place where a bug is caught: a worker's, so that it costs a turn and not the process."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

logger = logging.getLogger(__name__)


async def guarded(turn: Awaitable[None], what: str, **context: object) -> bool:
    """Await *turn*; log an exception nobody expected, with its traceback, and return False.

    Failures that are part of the job must have been handled in *turn*. *context* says what was
    being worked on (``pod="default/web"``).
    """
    try:
        await turn
    except Exception:
        logger.exception("%s failed unexpectedly", what, extra=context)
        return False
    return True
