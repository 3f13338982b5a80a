"""HTTP and TCP probes against servers on loopback: requests to the byte, failures to the word."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from podium.api.types.core_v1 import (
    Container,
    ContainerPort,
    HTTPGetAction,
    HTTPHeader,
    Probe,
    TCPSocketAction,
)
from podium.domain.pods.probes import Outcome, Result
from podium.kubelet.probing.handlers import Target, attempt
from support.loop_time import jumping
from support.pki import Authority
from support.tcp import tcp_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[bytes], bytes | None]


@contextlib.asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers each request as told, and never where told None; yields its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = answer(await reader.readuntil(b"\r\n\r\n"))
        if said is None:
            await asyncio.Event().wait()
        else:
            writer.write(said)
            await writer.drain()

    async with tcp_server(handle, tls) as port:
        yield port


async def probe(port: int | str, timeout: int = 60, **action: Any) -> Outcome:
    made = Probe(http_get=HTTPGetAction(**{"path": "/", "port": port, **action}))
    return await run(made, timeout)


async def run(made: Probe, timeout: int = 60, container: Container | None = None) -> Outcome:
    made.timeout_seconds = timeout
    target = Target(container or Container(name="c"), "id", "127.0.0.1")
    runtime: Any = None  # only commands need one
    return await attempt(runtime, target, made)()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens there, nor can."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


HEADERS = [HTTPHeader(name="X-Custom", value="yes"), HTTPHeader(name="x-lower-case", value="a b")]
OWN = [
    HTTPHeader(name="Host", value="example.test"),
    HTTPHeader(name="User-Agent", value="mine/1"),
    HTTPHeader(name="Accept", value=""),
]


@pytest.mark.parametrize(
    ("path", "headers", "request_text"),
    [
        pytest.param(
            "/a/b?c=d",
            HEADERS,
            "GET /a/b?c=d HTTP/1.1\nHost: 127.0.0.1:PORT\nUser-Agent: kube-probe/1.37\n"
            "Accept: */*\nX-Custom: yes\nX-Lower-Case: a b\nConnection: close\n\n",
            id="as-recorded",
        ),
        pytest.param(
            "/",
            OWN,
            "GET / HTTP/1.1\nHost: example.test\nUser-Agent: mine/1\nConnection: close\n\n",
            id="own-host-agent-and-no-accept",
        ),
        pytest.param(
            "/",
            [HTTPHeader(name="Host", value="a\r\nX-Other: b\r\n\r\nPOST /c HTTP/1.1\r\nHost: d")],
            "GET / HTTP/1.1\nHost: \nUser-Agent: kube-probe/1.37\nAccept: */*\n"
            "Connection: close\n\n",
            id="what-is-no-host",
        ),
        pytest.param(
            "healthy and well",
            [],
            "GET /healthy%20and%20well HTTP/1.1\nHost: 127.0.0.1:PORT\n"
            "User-Agent: kube-probe/1.37\nAccept: */*\nConnection: close\n\n",
            id="no-leading-slash",
        ),
    ],
)
async def test_the_request_as_a_server_gets_it(
    path: str, headers: list[HTTPHeader], request_text: str
):
    requests: list[bytes] = []
    async with serving(lambda request: requests.append(request) or OK) as port:
        outcome = await probe(port, path=path, http_headers=headers)
    assert outcome == Outcome(Result.SUCCESS, "ok")
    expected = request_text.replace("PORT", str(port)).replace("\n", "\r\n").encode()
    assert requests == [expected]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        pytest.param(200, Outcome(Result.SUCCESS, "ok"), id="200"),
        pytest.param(299, Outcome(Result.SUCCESS, "ok"), id="299"),
        pytest.param(
            304,
            Outcome(Result.WARNING, "Probe terminated redirects, Response body: "),
            id="300-to-399-is-a-success",
        ),
        pytest.param(
            400, Outcome(Result.FAILURE, "HTTP probe failed with statuscode: 400"), id="400"
        ),
        pytest.param(
            500, Outcome(Result.FAILURE, "HTTP probe failed with statuscode: 500"), id="500"
        ),
    ],
)
async def test_status_codes(status: int, outcome: Outcome):
    answer = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status
    async with serving(lambda _: answer) as port:
        assert await probe(port) == outcome


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Length: 5\r\n\r\nhello", id="length"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", id="chunks"
        ),
        pytest.param(b"\r\nhello", id="until-the-end"),
    ],
)
async def test_bodies(body: bytes):
    async with serving(lambda _: b"HTTP/1.1 200 OK\r\n" + body) as port:
        assert await probe(port) == Outcome(Result.SUCCESS, "hello")


async def test_of_a_long_body_only_the_beginning_is_read():
    async with serving(lambda _: b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1_000_000) as port:
        assert len((await probe(port)).text) == 10240


async def test_an_answer_that_announces_another_is_passed_over():
    async with serving(lambda _: b"HTTP/1.1 100 Continue\r\n\r\n" + OK) as port:
        assert (await probe(port)).result is Result.SUCCESS


async def test_redirects_on_the_same_host_are_followed():
    def answer(request: bytes) -> bytes:
        if request.startswith(b"GET /healthy%20and%C3%A4?a=%20 HTTP/1.1\r\n"):
            return OK
        location = "/healthy and\u00e4?a=%20".encode()
        return b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location

    async with serving(answer) as port:
        assert await probe(port, path="/old") == Outcome(Result.SUCCESS, "ok")


async def test_a_redirect_to_another_protocol_is_a_failure():
    answer = b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    async with serving(lambda _: answer) as port:
        outcome = await probe(port)
    text = 'Get "ftp://127.0.0.1/": unsupported protocol scheme "ftp"'
    assert outcome == Outcome(Result.FAILURE, text)


async def test_a_redirect_to_another_host_is_a_success_with_a_warning():
    body = b'<a href="http://127.0.0.9/">Found</a>.\n\n'
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9/\r\nContent-Length: %d\r\n\r\n"
    async with serving(lambda _: head % len(body) + body) as port:
        outcome = await probe(port)
    text = 'Probe terminated redirects, Response body: <a href="http://127.0.0.9/">Found</a>.\n\n'
    assert outcome == Outcome(Result.WARNING, text)


async def test_redirects_end():
    answer = b"HTTP/1.1 301 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    async with serving(lambda _: answer) as port:
        outcome = await probe(port)
    text = f'Get "http://127.0.0.1:{port}/again": stopped after 10 redirects'
    assert outcome == Outcome(Result.FAILURE, text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(b"", "EOF", id="nothing"),
        pytest.param(
            b"hello\r\n",
            'net/http: HTTP/1.x transport connection broken: malformed HTTP response "hello"',
            id="no-http",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\r\n", "unexpected EOF", id="half-a-head"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\n\r\n", "302 response missing Location header", id="nowhere"
        ),
    ],
)
async def test_what_is_no_answer(answer: bytes, text: str):
    async with serving(lambda _: answer) as port:
        outcome = await probe(port)
    assert outcome == Outcome(Result.FAILURE, f'Get "http://127.0.0.1:{port}/": {text}')


async def test_a_body_that_breaks_off_is_no_result():
    async with serving(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi") as port:
        assert await probe(port) == Outcome(Result.UNKNOWN, "unexpected EOF")


async def test_nobody_listens(closed_port: int):
    url = f"http://127.0.0.1:{closed_port}/"
    text = f'Get "{url}": dial tcp 127.0.0.1:{closed_port}: connect: connection refused'
    assert await probe(closed_port) == Outcome(Result.FAILURE, text)


async def test_hosts_by_name(closed_port: int):
    async with serving(lambda _: OK) as port:
        assert (await probe(port, host="localhost")).result is Result.SUCCESS
    outcome = await probe(closed_port, host="localhost")
    assert outcome.result is Result.FAILURE
    assert outcome.text.startswith(f'Get "http://localhost:{closed_port}/": dial tcp ')
    assert outcome.text.endswith(f":{closed_port}: connect: connection refused")
    unknown = 'Get "http://a..b:80/": dial tcp: lookup a..b: no such host'
    assert await probe(80, host="a..b") == Outcome(Result.FAILURE, unknown)


async def test_a_request_that_cannot_be_made():
    header = HTTPHeader(name="X-A", value="a\r\nX-B: b")
    text = 'Get "http://127.0.0.1:80/": net/http: invalid header field value for "X-A"'
    assert await probe(80, http_headers=[header]) == Outcome(Result.FAILURE, text)
    assert (await probe(80, host="[")).result is Result.FAILURE


async def test_a_long_request():
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2_100_000)
        writer.write(OK)
        await writer.drain()

    values = [HTTPHeader(name=f"X-{number}", value="a" * 50_000) for number in range(42)]
    async with tcp_server(handle) as port:
        assert (await probe(port, http_headers=values)).result is Result.SUCCESS


async def test_a_server_that_never_stops_talking():
    with jumping() as jump:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            jump(60)
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
            await writer.drain()

        async with tcp_server(handle) as port:
            outcome = await probe(port, timeout=60)
    assert outcome.text.endswith("(Client.Timeout exceeded while awaiting headers)")


async def test_no_answer_in_time():
    with jumping() as jump:
        async with serving(lambda _: jump(60)) as port:
            outcome = await probe(port, path="/shell?cmd=sleep%205", timeout=60)
    text = (
        f'Get "http://127.0.0.1:{port}/shell?cmd=sleep%205": context deadline exceeded '
        "(Client.Timeout exceeded while awaiting headers)"
    )
    assert outcome == Outcome(Result.FAILURE, text)


async def test_https_asks_nobody_for_a_certificate_it_would_trust(tmp_path: Any):
    pair = Authority(tmp_path).server("somebody-else")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    async with serving(lambda _: OK, context) as port:
        assert await probe(port, scheme="HTTPS") == Outcome(Result.SUCCESS, "ok")


async def test_https_where_http_is_spoken():
    async with tcp_server(_plain) as port:
        outcome = await probe(port, scheme="HTTPS")
    text = f'Get "https://127.0.0.1:{port}/": http: server gave HTTP response to HTTPS client'
    assert outcome == Outcome(Result.FAILURE, text)


async def test_https_where_somebody_leaves_at_once():
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with tcp_server(handle) as port:
        outcome = await probe(port, scheme="HTTPS")
    assert outcome == Outcome(Result.FAILURE, f'Get "https://127.0.0.1:{port}/": EOF')


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def test_named_ports():
    async with serving(lambda _: OK) as port:
        container = Container(name="c", ports=[ContainerPort(name="web", container_port=port)])
        made = Probe(http_get=HTTPGetAction(path="/", port="web"))
        assert (await run(made, container=container)).result is Result.SUCCESS
        assert (await probe(str(port))).result is Result.SUCCESS


async def test_a_port_that_has_no_such_name():
    text = 'strconv.Atoi: parsing "nosuch": invalid syntax'
    assert await probe("nosuch") == Outcome(Result.UNKNOWN, text)


class TestTcp:
    async def test_somebody_listens(self):
        async with serving(lambda _: OK) as port:
            outcome = await run(Probe(tcp_socket=TCPSocketAction(port=port)))
        assert outcome == Outcome(Result.SUCCESS)

    async def test_nobody_does(self, closed_port: int):
        outcome = await run(Probe(tcp_socket=TCPSocketAction(port=closed_port)))
        text = f"dial tcp 127.0.0.1:{closed_port}: connect: connection refused"
        assert outcome == Outcome(Result.FAILURE, text)
