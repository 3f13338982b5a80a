"""Bytes between a process and a peer, in every direction at once, until the process has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from podium.kit.spdy.session import PeerGone
from podium.kubelet.streaming import protocol
from podium.kubelet.streaming.protocol import Channel, Size
from podium.runtime.port import RuntimeFailure
from podium.runtime.stream_port import AttachedProcess

logger = logging.getLogger(__name__)


class Peer(Protocol):
    """Who asked for the streams. Its calls raise PeerGone."""

    async def gone(self) -> None:
        """Return when the connection has gone."""
        ...

    async def read_stdin(self) -> bytes:
        """Return what comes next, b"" at the end."""
        ...

    async def read_size(self) -> Size:
        """Return the next size of its terminal."""
        ...

    async def write(self, channel: Channel, data: bytes) -> None:
        """Return when the connection takes more."""
        ...

    async def finish(self, status: bytes) -> None:
        """Say how it ended."""
        ...


async def serve(
    peer: Peer, process: AttachedProcess, cmd: Sequence[str] | None, *, stdin: bool, tty: bool
) -> None:
    """Move bytes until the process has ended and all it wrote is sent; then say how it ended.

    *cmd* is None for a container that is only attached: its end is a success whatever its code.
    Returns early, without a word, when the peer has gone.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            inward = [tasks.create_task(_notice(peer))]
            if stdin:
                inward.append(tasks.create_task(_feed(peer, process)))
            if tty:
                inward.append(tasks.create_task(_resize(peer, process)))
            status = await _outward(peer, process, cmd)
            for task in inward:
                task.cancel()
            await peer.finish(status)
    except* PeerGone:
        logger.debug("the other end of a stream has gone")


async def _outward(peer: Peer, process: AttachedProcess, cmd: Sequence[str] | None) -> bytes:
    async with asyncio.TaskGroup() as tasks:
        code = tasks.create_task(_code(process))
        tasks.create_task(_drain(peer, Channel.STDOUT, process.read_stdout))
        tasks.create_task(_drain(peer, Channel.STDERR, process.read_stderr))
    failure = code.result()
    if isinstance(failure, RuntimeFailure):
        return protocol.failed(f"error executing command in container: {failure}")
    return protocol.success() if cmd is None else protocol.exited(failure, cmd)


async def _code(process: AttachedProcess) -> int | RuntimeFailure:
    try:
        return await process.wait()
    except RuntimeFailure as exc:
        return exc


async def _drain(peer: Peer, channel: Channel, read: Callable[[], Awaitable[bytes]]) -> None:
    while data := await read():
        await peer.write(channel, data)


async def _notice(peer: Peer) -> None:
    """A command that neither reads nor writes has to end with its client, too."""
    await peer.gone()
    raise PeerGone


async def _feed(peer: Peer, process: AttachedProcess) -> None:
    while data := await peer.read_stdin():
        try:
            await process.write_stdin(data)
        except BrokenPipeError:
            return  # it reads no more; what it has to say is still to come
    process.close_stdin()


async def _resize(peer: Peer, process: AttachedProcess) -> None:
    while True:
        size = await peer.read_size()
        process.resize(size.width, size.height)
