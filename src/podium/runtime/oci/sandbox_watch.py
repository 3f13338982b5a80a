"""Noticing that a sandbox has lost the first process of its process namespace.

Without it the namespace takes no process any more: the sandbox is over, and its Pod needs another.
"""

from __future__ import annotations

import asyncio
import os

import msgspec

from podium.runtime.oci import namespace_init
from podium.runtime.oci.engine import Engine, LiveSandbox
from podium.runtime.port import ContainerEventType


class InitWatch:
    """Calls :func:`_lost` in the event loop once the process is gone."""

    def __init__(self, engine: Engine, live: LiveSandbox, descriptor: int) -> None:
        self._engine, self._live, self._descriptor = engine, live, descriptor
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._fire)

    def close(self) -> None:
        """Stop watching. Repeatable."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _fire(self) -> None:
        self.close()
        _lost(self._engine, self._live)


def watch(engine: Engine, live: LiveSandbox) -> None:
    """Watch over a sandbox that shares its processes; one that has lost its first process already
    is over at once."""
    for pid in namespace_init.find(str(engine.sandbox_paths(live.record.id).run)):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        live.watch = InitWatch(engine, live, descriptor)
        return
    _lost(engine, live)


def _lost(engine: Engine, live: LiveSandbox) -> None:
    live.watch = None
    record = live.record
    if record.stopped or engine.sandboxes.get(record.id) is not live:
        return
    engine.save_sandbox(msgspec.structs.replace(record, stopped=True))
    engine.publish(ContainerEventType.STOPPED, record.id, record.id)
