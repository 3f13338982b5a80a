"""Whether a file system answers that is not the kubelet's own.

Whoever touches a dead one (a network file system without its server) hangs in the kernel, and with
the event loop all Pods would. So the first touch is a thread's, one for each path.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

from podium.kit.bounded import in_daemon_thread

#: Seconds that a file system gets to answer.
PATIENCE = 5.0

_asked: dict[str, asyncio.Task[None]] = {}


async def answers(path: str) -> bool:
    """Whether something can be said of *path*, be it that it is not there."""
    asking = _asked.get(path)
    if asking is None:
        asking = _asked[path] = asyncio.ensure_future(in_daemon_thread(None, lambda: _ask(path)))
        asking.add_done_callback(lambda _: _asked.pop(path, None))
    done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
    return bool(done)


def _ask(path: str) -> None:
    with contextlib.suppress(OSError):
        os.stat(path)
