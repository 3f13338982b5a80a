"""Answers that go on for long (watches, logs), and their end when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Streams:
    """The long answers that are being given."""

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()
        self.are_stopping = False

    def __len__(self) -> int:
        return len(self._open)

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """Leave the body, where it waits, when the server stops; leaving this way is no error."""
        scope = asyncio.timeout(None)
        try:
            async with scope:
                if self.are_stopping:
                    scope.reschedule(0)
                self._open.add(scope)
                try:
                    yield
                finally:
                    self._open.discard(scope)
        except TimeoutError:
            if not scope.expired():
                raise

    def stop(self) -> None:
        """End all of them, and those that are still to come."""
        self.are_stopping = True
        for scope in tuple(self._open):
            scope.reschedule(0)
