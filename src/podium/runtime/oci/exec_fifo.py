"""``runc start`` without a process of runc's, which takes a good part of a Pod's start.

What runc's own does, and no more (``libcontainer/container_linux.go``: ``exec``): a created
container waits at the FIFO ``exec.fifo`` beside its state. It executes its command once somebody
reads what it writes there. That the FIFO is gone is how runc tells a running container from a
created one. Other low-level runtimes have ways of their own.
"""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

NAME = "exec.fifo"


async def let_go(state: Path, pid: int) -> bool:
    """Have the container with the directory *state*, whose first process is *pid*, execute its
    command; tell whether it does.

    False where it does not wait there, and where it has died: runc's own start can say why. When
    cancelled, the container may run: the caller deletes it.
    """
    fifo = state / NAME
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        try:
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            if not stat.S_ISFIFO(os.fstat(reader).st_mode) or not await _read(reader, process):
                return False
        finally:
            os.close(reader)
    finally:
        os.close(process)
    fifo.unlink()
    return True


async def _read(reader: int, process: int) -> bytes:
    """Return what is written until the writer closes; nothing where *process* ends before that."""
    loop = asyncio.get_running_loop()
    news = asyncio.Event()
    said = b""
    loop.add_reader(reader, news.set)
    loop.add_reader(process, news.set)
    try:
        while True:
            await news.wait()
            news.clear()
            try:
                chunk = os.read(reader, 4096)
            except BlockingIOError:  # it has opened the FIFO and not written yet
                continue
            if not chunk:
                return said
            said += chunk
    finally:
        loop.remove_reader(reader)
        loop.remove_reader(process)
