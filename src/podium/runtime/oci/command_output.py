"""What a command says, through a pipe that it shares with us.

Who writes to a pipe, or moves a file's pages into it, holds the pipe's lock meanwhile, and may hang
so, as on a file system that does not answer: who reads or closes the other end hangs, too. Both is
left to threads; whether there is anything to read can be asked without the lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import threading

from podium.kit.bounded import THREAD


class Output:
    """The reading end of a pipe; a bounded part of what comes is kept, while somebody wants it."""

    def __init__(self, descriptor: int, most: int) -> None:
        self._descriptor, self._most = descriptor, most
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._news = asyncio.Event()
        self._following = self._reading = self._over = self._closed = False
        self.received = b""

    async def begin(self) -> None:
        """Keep what comes from now on; what came before is nobody's."""
        await self._catch_up()
        self.received = b""
        self._following = True
        self._follow()

    async def end(self) -> None:
        """Return once all that has come is kept, or this is closed."""
        self._following = False
        if not (self._reading or self._over or self._closed):
            self._loop.remove_reader(self._descriptor)
        await self._catch_up()

    async def _catch_up(self) -> None:
        # Once it is closed the descriptor is another's, perhaps.
        while not self._closed and (self._reading or (not self._over and self._poll.poll(0))):
            if not self._reading:
                self._read()
            self._news.clear()
            await self._news.wait()

    def _follow(self) -> None:
        if not self._over and not self._closed:
            self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._reading = True
        threading.Thread(target=self._read_apart, name=THREAD, daemon=True).start()

    def _read_apart(self) -> None:
        try:
            chunk = os.read(self._descriptor, 65536)
        except BlockingIOError:
            chunk = None
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants it
            self._loop.call_soon_threadsafe(self._take, chunk)

    def _take(self, chunk: bytes | None) -> None:
        self._reading = False
        if self._closed:
            self._let_go()
            return
        self._over = chunk == b""
        self.received += (chunk or b"")[: self._most - len(self.received)]
        self._news.set()
        if self._following:
            self._follow()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(RuntimeError):  # the loop is closed, and its readers with it
            self._news.set()
            if not self._reading:
                self._loop.remove_reader(self._descriptor)
        if not self._reading:  # else that ends first, if it ever does
            self._let_go()

    def _let_go(self) -> None:
        threading.Thread(
            target=os.close, args=(self._descriptor,), name=THREAD, daemon=True
        ).start()
