"""Whether a file system answers that is not our own.

Whoever touches a dead one (a network file system without its server) hangs in the kernel, and with
the event loop all Pods would. So the first touch is a thread's, and what has hung once is not
touched by another, however often it is asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from podium.kit.bounded import in_daemon_thread

#: Seconds that a file system gets to answer.
PATIENCE = 5.0
_AT_ONCE = 1.0

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
    """Return those of *paths* that do not answer.

    One thread touches them all, as they nearly always answer at once; where it does not come to an
    end, each is asked by itself, as are those that somebody waits for already.
    """
    different = set(paths)
    alone = different & _asked.keys()
    together = different - alone
    if together:
        try:
            await in_daemon_thread(_AT_ONCE, lambda: _ask(*together))
        except TimeoutError:
            alone = different
    asked = list(alone)
    answered = await asyncio.gather(*(answers(path, patience) for path in asked))
    return {path for path, answer in zip(asked, answered, strict=True) if not answer}


def _ask(*paths: str) -> None:
    for path in paths:
        os.path.exists(path)
