"""kit.passing: what is answered by who does not change the protocol."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from podium.kit.passing import NotReached, Target, pass_on
from support.tcp import tcp_server


@pytest.mark.parametrize(
    ("length", "body"),
    [
        pytest.param("²", "", id="what-only-looks-like-a-digit"),
        pytest.param("9" * 5000, "", id="what-no-number-can-be"),
        pytest.param("10", "half", id="it-breaks-off"),
    ],
)
async def test_a_refusal_that_is_broken_is_an_error_and_no_bug(length: str, body: str):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n"
        writer.write((head + body).encode("latin-1"))
        await writer.drain()

    async with tcp_server(refuse) as port, asyncio.timeout(60):
        request = make_mocked_request("GET", "/")
        with pytest.raises(NotReached, match="error dialing backend: "):
            await pass_on(request, Target("127.0.0.1", port, "/"), CIMultiDict())
