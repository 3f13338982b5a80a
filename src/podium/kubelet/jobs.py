"""Slow work on behalf of one Pod: pulls, mounts, kills. Each end wakes the Pod's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Jobs:
    """Tasks by key, all owned by one TaskGroup. A job that raises ends the whole group."""

    def __init__(self, group: asyncio.TaskGroup, wake: Callable[[], None]) -> None:
        self._group, self.wake = group, wake
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, key: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *work*, unless a job of that key is under way."""
        if key in self._tasks:
            return
        task = self._group.create_task(work(), name=key)
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    def running(self, key: str) -> bool:
        return key in self._tasks

    async def cancel(self, *, keep: tuple[str, ...] = ()) -> bool:
        """Cancel all jobs but those whose key begins as *keep* says, and wait until they are gone;
        tell whether there were any.
        """
        doomed = [task for key, task in self._tasks.items() if not key.startswith(keep)]
        for task in doomed:
            task.cancel()
        if doomed:
            await asyncio.wait(doomed)
        return bool(doomed)

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        self.wake()
