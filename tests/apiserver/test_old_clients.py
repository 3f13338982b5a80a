"""Clients that speak HTTP/1.0, as proxies do: answers of unknown length end by closing."""

from __future__ import annotations

import asyncio
import gzip
import json

from support.apiserver import RunningApiServer

CONFIGS = "/api/v1/namespaces/default/configmaps"


async def get(api: RunningApiServer, target: str, *headers: str) -> tuple[str, bytes]:
    """Return the head and the body of the answer, which ends when the server closes, although it
    is asked to keep the connection."""
    context = api.ssl_context(api.pair())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)
    try:
        writer.write(
            "\r\n".join(
                [f"GET {target} HTTP/1.0", "Connection: keep-alive", *headers, "", ""]
            ).encode()
        )
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
            return head.decode(), await reader.read()
    finally:
        writer.close()


async def test_a_watch(api: RunningApiServer) -> None:
    async with api.session() as session:
        (await session.post(CONFIGS, json={"metadata": {"name": "a"}})).release()
    head, body = await get(api, f"{CONFIGS}?watch=1&timeoutSeconds=1")
    assert " 200 " in head
    assert "chunked" not in head.lower()
    [line] = body.splitlines()
    event = json.loads(line)
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")


async def test_a_large_answer(api: RunningApiServer) -> None:
    async with api.session() as session:
        large = {"metadata": {"name": "a"}, "data": {"v": "x" * 200_000}}
        (await session.post(CONFIGS, json=large)).release()
    head, body = await get(api, f"{CONFIGS}/a", "Accept-Encoding: gzip")
    assert " 200 " in head
    assert "chunked" not in head.lower()
    assert json.loads(gzip.decompress(body))["metadata"]["name"] == "a"
