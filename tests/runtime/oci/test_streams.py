"""Exec, attach and port-forward in real containers: what the contract does not say."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import socket
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from contracts.runtime import ended
from podium.runtime.port import ContainerState, RuntimeFailure
from podium.runtime.stream_port import AttachedProcess, StreamOptions
from support.oci import OciHarness

pytestmark = pytest.mark.e2e

ALL = StreamOptions(stdin=True, stdout=True, stderr=True)
TERMINAL = StreamOptions(stdin=True, stdout=True, tty=True)
PATIENCE = 60.0


@asynccontextmanager
async def running(
    harness: OciHarness, script: str, **given: bool
) -> AsyncIterator[tuple[str, str]]:
    sandbox = harness.sandbox("p")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = replace(harness.command("c", script), **given)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    yield sandbox_id, container_id
    await harness.runtime.remove_pod_sandbox(sandbox_id)


async def until(process: AttachedProcess, text: bytes) -> bytes:
    """Read until *text* comes."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while text not in seen:
            piece = await process.read_stdout()
            assert piece, seen
            seen += piece
    return seen


async def test_many_megabytes_come_back_bit_by_bit(harness: OciHarness):
    data = os.urandom(1 << 20) * 16
    async with (
        running(harness, "sleep 1000") as (_, container_id),
        harness.runtime.exec(container_id, ["cat"], ALL) as process,
        asyncio.TaskGroup() as group,
    ):

        async def feed() -> None:
            for begin in range(0, len(data), 100_000):
                await process.write_stdin(data[begin : begin + 100_000])
            process.close_stdin()

        group.create_task(feed())
        said, complained, code = await ended(process)
    assert (hashlib.sha256(said).digest(), complained, code) == (
        hashlib.sha256(data).digest(),
        b"",
        0,
    )


async def test_a_terminal_has_a_size_and_one_stream(harness: OciHarness):
    script = "trap 'stty size' WINCH; stty size; while ! [ -e /over ]; do sleep 0.02; done; exit 5"
    async with (
        running(harness, "sleep 1000") as (_, container_id),
        harness.runtime.exec(container_id, ["sh", "-c", script], TERMINAL) as process,
    ):
        await until(process, b"\r\n")
        process.resize(101, 37)
        assert b"37 101" in await until(process, b"37 101\r\n")
        async with harness.runtime.exec(container_id, ["touch", "/over"], ALL) as touch:
            await ended(touch)
        assert (await ended(process))[2] == 5


async def test_keys_of_a_terminal_reach_the_command(harness: OciHarness):
    async with (
        running(harness, "sleep 1000") as (_, container_id),
        harness.runtime.exec(container_id, ["sleep", "1000"], TERMINAL) as process,
    ):
        await until_pids(harness, container_id, "sleep\x001000", 2)
        await process.write_stdin(b"\x03")
        assert (await ended(process))[2] == 130


async def test_keys_that_come_before_the_command_are_its_own(harness: OciHarness):
    """No terminal on the way echoes them, or makes signals of them."""
    read = ["sh", "-c", "read line; echo $line"]
    async with (
        running(harness, "sleep 1000") as (_, container_id),
        harness.runtime.exec(container_id, read, TERMINAL) as process,
    ):
        await process.write_stdin(b"words\n")
        assert (await ended(process))[:1] == (b"words\r\nwords\r\n",)


async def test_leaving_before_the_command_runs_leaves_nothing(harness: OciHarness):
    async with running(harness, "sleep 1000") as (_, container_id):
        for _ in range(3):
            async with harness.runtime.exec(container_id, ["sleep", "4322"], ALL):
                await asyncio.sleep(0)
        await until_pids(harness, container_id, "sleep\x004322", 0)


async def test_leaving_kills_the_command_and_leaves_nothing(harness: OciHarness):
    bundle = None
    async with running(harness, "sleep 1000") as (_, container_id):
        async with harness.runtime.exec(container_id, ["sleep", "4321"], ALL):
            await until_pids(harness, container_id, "sleep\x004321", 1)
        await until_pids(harness, container_id, "sleep\x004321", 0)
        bundle = harness.options.container(container_id).bundle
        assert not list(bundle.glob("exec-*"))


async def test_a_command_killed_by_a_signal_ends_with_128_and_it(harness: OciHarness):
    async with (
        running(harness, "sleep 1000") as (_, container_id),
        harness.runtime.exec(container_id, ["sh", "-c", "kill -9 $$"], ALL) as process,
    ):
        assert (await ended(process))[2] == 137


async def test_attached_a_container_reads_and_is_heard(harness: OciHarness):
    script = "read line; echo got $line; echo bad >&2; read line; echo then $line; exit 4"
    async with (
        running(harness, script, stdin=True) as (_, container_id),
        harness.runtime.attach(container_id, ALL) as process,
    ):
        await process.write_stdin(b"hello\n")
        assert await until(process, b"\n") == b"got hello\n"
        await process.write_stdin(b"world\n")
        assert await ended(process) == (b"then world\n", b"bad\n", 4)


async def test_input_that_is_open_once_ends_with_who_attached(harness: OciHarness):
    async with (
        running(harness, "cat; exit 6", stdin=True, stdin_once=True) as (_, container_id),
        harness.runtime.attach(container_id, ALL) as process,
    ):
        await process.write_stdin(b"all of it\n")
        assert await until(process, b"\n") == b"all of it\n"
        process.close_stdin()
        assert (await ended(process))[2] == 6


async def test_input_that_stays_open_outlives_who_attached(harness: OciHarness):
    async with running(harness, "cat", stdin=True) as (_, container_id):
        for word in (b"first\n", b"second\n"):
            async with harness.runtime.attach(container_id, ALL) as process:
                await process.write_stdin(word)
                assert await until(process, b"\n") == word
                process.close_stdin()
        status = await harness.runtime.container_status(container_id)
        assert status.state is ContainerState.RUNNING


async def test_an_attached_terminal_has_a_size(harness: OciHarness):
    script = "trap 'stty size; exit 3' WINCH; while true; do echo ready; sleep 0.05; done"
    async with (
        running(harness, script, stdin=True, tty=True) as (_, container_id),
        harness.runtime.attach(container_id, TERMINAL) as process,
    ):
        await until(process, b"ready")
        process.resize(90, 33)
        assert b"33 90" in await until(process, b"33 90\r\n")


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
async def test_a_port_of_a_pod_on_either_loopback(harness: OciHarness, address: str):
    script = f"echo hi > /tmp/index.html; httpd -f -p {address}:8080 -h /tmp"
    async with running(harness, script) as (sandbox_id, _):
        connection = await forwarded(harness, sandbox_id, 8080)
        loop = asyncio.get_running_loop()
        with connection:
            await loop.sock_sendall(connection, b"GET /index.html HTTP/1.0\r\n\r\n")
            answer = b""
            async with asyncio.timeout(PATIENCE):
                while piece := await loop.sock_recv(connection, 1000):
                    answer += piece
        assert answer.endswith(b"hi\n")


async def forwarded(harness: OciHarness, sandbox_id: str, port: int) -> socket.socket:
    """Connect once something listens."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await harness.runtime.port_forward(sandbox_id, port)
            except RuntimeFailure:
                await asyncio.sleep(0.01)


async def until_pids(harness: OciHarness, container_id: str, words: str, count: int) -> None:
    """Wait until *count* processes of the container have *words* in their command line."""

    def is_it(pid: int) -> bool:
        try:
            return words.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False

    async with asyncio.timeout(PATIENCE):
        while sum(map(is_it, harness.processes(container_id))) != count:
            await asyncio.sleep(0.01)


@pytest.fixture
def distroless(harness: OciHarness) -> OciHarness:
    """An image with a shell and neither ``tar`` nor ``test``."""
    for name in ("tar", "test"):
        assert not (harness.images.layer / "bin" / name).exists()
    return harness


async def test_tar_is_lent_where_the_image_has_none(distroless: OciHarness):
    made = "mkdir -p /tmp/d && echo hi > /tmp/d/f; sleep 1000"
    async with running(distroless, made) as (_, container_id):
        await until_exists(distroless, container_id, "/tmp/d/f")
        async with distroless.runtime.exec(container_id, ["tar", "cf", "-", "/tmp/d"], ALL) as tar:
            archive, _, code = await ended(tar)
        assert code == 0
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            assert packed.extractfile("tmp/d/f").read() == b"hi\n"
        unpack = ["tar", "-xmf", "-", "-C", "/tmp"]
        async with distroless.runtime.exec(container_id, unpack, ALL) as tar:
            await tar.write_stdin(archive)
            tar.close_stdin()
            assert (await ended(tar))[2] == 0
        await until_exists(distroless, container_id, "/tmp/tmp/d/f")


async def test_test_is_lent_to_ask_for_a_directory(distroless: OciHarness):
    async with running(distroless, "sleep 1000") as (_, container_id):
        for path, code in (("/tmp", 0), ("/tmp/nosuch", 1)):
            wanted = ["test", "-d", path]
            async with distroless.runtime.exec(container_id, wanted, ALL) as process:
                assert (await ended(process))[2] == code


@pytest.mark.parametrize(
    "cmd", [["test", "-f", "/tmp"], ["/bin/tar", "cf", "-", "/tmp"], ["wc", "/etc/passwd"]]
)
async def test_nothing_else_is_lent(distroless: OciHarness, cmd: list[str]):
    async with (
        running(distroless, "sleep 1000") as (_, container_id),
        distroless.runtime.exec(container_id, cmd, ALL) as process,
    ):
        with pytest.raises(RuntimeFailure, match=r"no such file|not found"):
            await process.wait()


async def test_a_lent_tar_sees_nothing_of_the_node_and_changes_nothing(distroless: OciHarness):
    async with running(distroless, "sleep 1000") as (_, container_id):
        for path in ("/proc/self/fd/3/..", "/proc/self/fd/3"):
            pack = ["tar", "cf", "-", "-C", path, "."]
            async with distroless.runtime.exec(container_id, pack, ALL) as tar:
                archive, _, _ = await ended(tar)
            with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
                names = {name.removeprefix("./") for name in packed.getnames()} - {"."}
            assert names == {"tar", "test", "ash"}
        spoil = ["tar", "xf", "-", "-C", "/proc/self/fd/3"]
        async with distroless.runtime.exec(container_id, spoil, ALL) as tar:
            with suppress(BrokenPipeError):  # it has given up already
                await tar.write_stdin(archive)
            tar.close_stdin()
            _, complaint, code = await ended(tar)
        assert code != 0
        assert b"Read-only file system" in complaint


async def until_exists(harness: OciHarness, container_id: str, path: str) -> None:
    (pid, *_) = harness.processes(container_id)
    async with asyncio.timeout(PATIENCE):
        while not Path(f"/proc/{pid}/root{path}").exists():
            await asyncio.sleep(0.01)
