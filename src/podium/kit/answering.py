"""Whether a file system answers that is not our own.

Whoever touches a dead one (a network file system without its server) hangs in the kernel, and with
the event loop all Pods would. So the first touch is a thread's: one for each path, however often it
is asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from podium.kit.bounded import in_daemon_thread

#: Seconds that a file system gets to answer.
PATIENCE = 5.0

_asked: dict[str, asyncio.Task[None]] = {}


async def answers(path: str, patience: float = PATIENCE) -> bool:
    """Whether something can be said of *path*, be it that it is not there."""
    asking = _asked.get(path)
    if asking is None:
        asking = _asked[path] = asyncio.ensure_future(in_daemon_thread(None, lambda: _ask(path)))
        asking.add_done_callback(lambda _: _asked.pop(path, None))
    done, _ = await asyncio.wait({asking}, timeout=patience)
    return bool(done)


async def silent(paths: Iterable[str], patience: float = PATIENCE) -> set[str]:
    """Return those of *paths*, all asked at once, that do not answer."""
    different = list(set(paths))
    answered = await asyncio.gather(*(answers(path, patience) for path in different))
    return {path for path, answer in zip(different, answered, strict=True) if not answer}


def _ask(path: str) -> None:
    os.path.exists(path)
