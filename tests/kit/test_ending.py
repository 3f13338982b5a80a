"""Ends of connections that are not read."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

import pytest

from podium.kit import ending
from support.tcp import tcp_server


def info(unacknowledged: int, since_answer: int) -> bytes:
    """As ``struct tcp_info`` begins."""
    return struct.pack("8B13I", *range(8), *range(4), unacknowledged, *range(7), since_answer)


@pytest.mark.parametrize(
    ("unacknowledged", "since_answer", "silent"),
    [
        pytest.param(0, 900_000, False, id="nothing-was-said-to-it"),
        pytest.param(1, 59_000, False, id="slow-to-acknowledge"),
        pytest.param(1, 61_000, True, id="vanished"),
    ],
)
def test_a_peer_that_acknowledges_nothing(unacknowledged: int, since_answer: int, silent: bool):
    assert ending.silent(info(unacknowledged, since_answer)) is silent


def test_where_the_kernel_tells_it():
    """A peer that does not read has acknowledged what it has room for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            near.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    near.send(bytes(1 << 20))
            found = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 60)
    since_answer = struct.unpack_from("I", found, 56)[0]
    assert since_answer < 10_000
    assert not ending.silent(found)


async def test_what_was_written_is_taken_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "STUCK", 0.1)
    reading = asyncio.Event()

    async def read(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reading.wait()
        while await reader.read(1 << 20):
            pass

    async with asyncio.timeout(60), tcp_server(read) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(20 << 20))
        assert not await ending.taken(writer.transport)
        reading.set()
        monkeypatch.setattr(ending, "STUCK", 60)
        assert await ending.taken(writer.transport)
        writer.close()
        await writer.wait_closed()


async def test_a_connection_that_is_broken_off_is_known_to_be_unread() -> None:
    known = asyncio.Event()

    async def hear(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await ending.broken(writer.transport)
        known.set()

    async with asyncio.timeout(60), tcp_server(hear) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(20 << 20))
        await asyncio.sleep(0)
        assert not known.is_set()
        ending.break_off(writer.transport)
        await known.wait()


async def test_what_is_no_tcp_is_read_to_its_end(tmp_path: Path) -> None:
    met: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await met.put(writer)

    path = str(tmp_path / "socket")
    async with asyncio.timeout(60), await asyncio.start_unix_server(meet, path):
        reader, writer = await asyncio.open_unix_connection(path)
        far = await met.get()
        broken = asyncio.ensure_future(ending.broken(writer.transport))
        far.write(b"last words")
        far.close()
        assert await reader.read() == b"last words"
        assert not broken.done()
        broken.cancel()
        writer.close()
