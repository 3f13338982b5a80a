"""Requests made to break a server: every answer is a refusal in upstream's form, at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from support.apiserver import RunningApiServer

CONFIGS = "/api/v1/namespaces/default/configmaps"
NINES = "9" * 5000
BODY = b'{"metadata":{"name":"x"}}'


async def exchange(api: RunningApiServer, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send *parts* as they are; return code, headers and body of the last answer."""
    context = api.ssl_context(api.pair())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)
    try:
        for part in parts:
            writer.write(part)
        async with asyncio.timeout(60):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
                status, *lines = head.strip().split("\r\n")
                code = int(status.split()[1])
                if code >= 200:
                    break
            fields = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in fields}
            return code, headers, await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()


async def get(api: RunningApiServer, target: str, *headers: str) -> tuple[int, Any]:
    lines = [f"GET {target} HTTP/1.1", "Host: x", *headers, "", ""]
    code, found, body = await exchange(api, "\r\n".join(lines).encode("latin1"))
    is_json = found["content-type"] == "application/json"
    return code, json.loads(body).get("message", "") if is_json else body.decode()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"limit={NINES}", f'strconv.ParseInt: parsing "{NINES}": value out of range'),
        (f"timeoutSeconds={NINES}", f'strconv.ParseInt: parsing "{NINES}": value out of range'),
        (f"resourceVersion={NINES}", f'resourceVersion: Invalid value: "{NINES}": '
         f'strconv.ParseUint: parsing "{NINES}": value out of range'),
        (f"watch=1&resourceVersion={NINES}", f'resourceVersion: Invalid value: "{NINES}": '
         f'strconv.ParseUint: parsing "{NINES}": value out of range'),
        ("continue=" + "A" * 50_000, "invalid continue token: continue key is not valid: invalid "
         "character '\\x00' looking for beginning of value"),
        ("labelSelector=" + ",".join(f"k{number}" for number in range(9000)),
         "a selector may have at most 1000 requirements"),
        ("fieldSelector=" + ",".join("metadata.name=x" for _ in range(2000)),
         "a selector may have at most 1000 requirements"),
        ("labelSelector=" + "(" * 60_000, "found '(', expected: !, identifier, or 'end of string'"),
    ],
    ids=lambda value: value[:24],
)  # fmt: skip
async def test_absurd_options_are_refused(api: RunningApiServer, query: str, message: str) -> None:
    assert await get(api, f"{CONFIGS}?{query}") == (400, message)


@pytest.mark.parametrize("text", ["%zz", "%", "%2", "%%41", "%-1"])
async def test_bad_percent_encoding_is_refused(api: RunningApiServer, text: str) -> None:
    """In a query, too: a selector that is passed over would stand for everything."""
    for target in (f"/api/v1/namespaces/{text}/pods", f"{CONFIGS}?labelSelector={text}"):
        assert await get(api, target) == (400, "400 Bad Request")


async def test_bytes_that_are_no_text_name_nothing(api: RunningApiServer) -> None:
    code, message = await get(api, f"{CONFIGS}/%ff%fe")
    assert (code, message) == (404, 'configmaps "\ufffd\ufffd" not found')
    code, message = await get(api, f"{CONFIGS}/a%00b")
    assert (code, message) == (404, 'configmaps "a\\x00b" not found')


async def test_many_parameters_are_read_and_not_minded(api: RunningApiServer) -> None:
    query = "&".join(f"a{number}=b" for number in range(7000))
    assert (await get(api, f"{CONFIGS}?{query}"))[0] == 200


async def test_the_whole_address_may_stand_in_the_request_line(api: RunningApiServer) -> None:
    assert (await get(api, f"https://example.org:443{CONFIGS}?limit=1"))[0] == 200
    assert (await get(api, "http://example.org"))[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /version\r\n\r\n", id="http-0.9"),
        pytest.param(b"GET /version HTTP/3.7\r\n\r\n", id="http-3.7"),
        pytest.param(b"GET /version HTTP/1.1\r\n\r\n", id="no-host"),
        *(
            pytest.param(b"POST " + CONFIGS.encode() + b" HTTP/1.1\r\nHost: x\r\n" + lines, id=name)
            for name, lines in {
                "negative-length": b"Content-Length: -5\r\n\r\n",
                "length-in-words": b"Content-Length: five\r\n\r\n",
                "absurd-length": b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
                "two-lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                "length-and-chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "other-coding": b"Transfer-Encoding: odd\r\n\r\n0\r\n\r\n",
                "chunk-size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
                "chunk-end": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
                "absurd-chunk": b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n",
            }.items()
        ),
    ],
)
async def test_what_is_not_http_is_a_bad_request(api: RunningApiServer, head: bytes) -> None:
    code, _, body = await exchange(api, head)
    assert (code, body) == (400, b"400 Bad Request")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_compressed_bodies_are_not_unpacked(api: RunningApiServer, encoding: str) -> None:
    head = (
        f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Encoding: {encoding}\r\nContent-Length: 4\r\n\r\n"
    )
    code, _, body = await exchange(api, head.encode() + b"\x1f\x8b\x08\x00")
    message = json.loads(body)["message"]
    assert code == 400
    assert message.startswith("the object provided is unrecognized (must be of type ConfigMap): ")


async def test_a_body_that_is_announced_too_long_is_not_waited_for(api: RunningApiServer) -> None:
    head = (
        f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 4294967296\r\n\r\n"
    )
    code, _, body = await exchange(api, head.encode())
    assert (code, json.loads(body)["message"]) == (
        413, "Request entity too large: limit is 3145728"
    )  # fmt: skip


async def test_chunks_beyond_the_limit_are_refused(api: RunningApiServer) -> None:
    head = (
        f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    code, _, _ = await exchange(api, head.encode(), *[chunk] * 4)
    assert code == 413


@pytest.mark.parametrize("chunked", [False, True])
async def test_the_rest_of_a_body_that_is_refused_is_no_header(
    api: RunningApiServer, *, chunked: bool
) -> None:
    """It is thrown away, and the next request is answered."""
    piece, count = b"GET / HTTP/1.1\r\n\r\n".ljust(0x10000), 80
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(piece) * count}"
    context = api.ssl_context(api.pair())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)
    head = f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{how}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(60):
        for _ in range(count):
            writer.write(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n" * chunked + b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        for code in (b"413", b"200"):
            told = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert told.startswith(b"http/1.1 " + code)
            await reader.readexactly(int(told.partition(b"content-length: ")[2].split()[0]))
    writer.close()


async def test_who_asks_whether_to_send_a_body_is_told_to(api: RunningApiServer) -> None:
    """And is spared the body where it would be refused."""
    context = api.ssl_context(api.pair())
    for length, first in ((len(BODY), b"HTTP/1.1 100 Continue\r\n"), (4_000_000, b"HTTP/1.1 413 ")):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)
        head = (
            f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
        writer.write(head.encode())
        async with asyncio.timeout(60):
            assert (await reader.readline()).startswith(first)
            if length == len(BODY):
                await reader.readline()
                writer.write(BODY)
                assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        writer.close()


# ---------------------------------------------------------------------- headers


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"A: " + b"x" * 60_000 + b"\r\n"] * 30, id="many-long-ones"),
        pytest.param([b"A" * 60_000 + b": x\r\n"] * 30, id="long-names"),
    ],
)
async def test_headers_may_not_be_longer_than_upstream_takes_them(
    api: RunningApiServer, lines: list[bytes]
) -> None:
    """A megabyte together, whether they ever end or not."""
    code, _, body = await exchange(api, b"GET /version HTTP/1.1\r\nHost: x\r\n", *lines)
    assert (code, body) == (431, b"431 Request Header Fields Too Large")


async def test_many_small_requests_at_once_are_no_long_header(api: RunningApiServer) -> None:
    count = 4_000  # two megabytes, together
    context = api.ssl_context(api.pair())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)

    async def send() -> None:
        request = b"GET /livez/ping HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 500 + b"\r\n\r\n"
        for _ in range(count // 10):
            writer.write(request * 10)
            await writer.drain()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        for _ in range(count):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(2) == b"ok"
    writer.close()


async def test_a_client_that_goes_after_its_refusal_is_no_fault_of_ours(
    api: RunningApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it still sends is thrown away, and it may be gone before all of that has come."""
    head = f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n".encode()
    for _ in range(5):
        code, _, _ = await exchange(api, head + b" " * 3_900_000)
        assert code == 413
    assert (await get(api, "/version"))[0] == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
