"""Tells when the machine as a whole was out of memory and the kernel has killed a process for it.

That a container was out of its own memory is told with its end; this is about all else.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
from collections.abc import Callable

from podium.api.types.core_v1 import Node
from podium.client.events import EventRecorder

logger = logging.getLogger(__name__)

KERNEL_LOG = "/dev/kmsg"
_RECORD = 8192  #: bytes of the longest record
_KILL = re.compile(r"oom-kill:.*\bglobal_oom\b.*\btask=(.*),pid=(\d+),uid=\d+")


def victim(record: str) -> tuple[str, int] | None:
    """Return name and pid of what a record of the kernel's log says was killed for the machine's
    sake, None where it says nothing of the kind."""
    found = _KILL.search(record)
    return (found[1], int(found[2])) if found else None


class SystemOomWatcher:
    """Follows the kernel's log; an event about the node for each victim, as upstream's."""

    def __init__(
        self, events: EventRecorder, node: Callable[[], Node], path: str = KERNEL_LOG
    ) -> None:
        self._events, self._node, self._path = events, node, path

    async def run(self) -> None:
        """Watch until cancelled; return at once where the log cannot be read."""
        try:
            log = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            logger.info("the kernel's log is not watched", extra={"error": exc})
            return
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        try:
            with contextlib.suppress(OSError):
                os.lseek(log, 0, os.SEEK_END)
            loop.add_reader(log, self._look, log, over)
            await over.wait()
        finally:
            loop.remove_reader(log)
            os.close(log)

    def _look(self, log: int, over: asyncio.Event) -> None:
        if not self._read(log):
            over.set()

    def _read(self, log: int) -> bool:
        """Read what there is; tell whether there may be more some time."""
        while True:
            try:
                record = os.read(log, _RECORD)
            except BlockingIOError:
                return True
            except OSError as exc:
                if exc.errno == errno.EPIPE:  # some records were overwritten before they were read
                    continue
                logger.warning("the kernel's log is watched no more", extra={"error": exc})
                return False
            if not record:
                return False
            for line in record.decode(errors="replace").splitlines():
                self._tell(line)

    def _tell(self, line: str) -> None:
        found = victim(line)
        if found is not None:
            name, pid = found
            text = f"System OOM encountered, victim process: {name}, pid: {pid}"
            self._events.event(self._node(), "Warning", "SystemOOM", text)
