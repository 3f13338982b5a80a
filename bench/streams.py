#!/usr/bin/env python3
"""How fast streams into a Pod are, beside a bare ``runc exec``, a bare pipe and a bare socket.

    .venv/bin/python bench/streams.py [--megabytes 200] [--rounds 10]

Round trips: ``true`` by ``runc exec`` in the same container, by a bare WebSocket, by upstream's
kubectl and by ours, in turns; a kubectl's own start is part of its time. Throughput: so many
megabytes of random bytes, each way, each checked to be what was sent; with the most memory that the
API server and the kubelet had meanwhile beyond what they had before. And what a hundred followers
of a log cost to which nothing is written.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from aiohttp import ClientSession, ClientTimeout, TCPConnector  # noqa: E402

from proc import cpu_seconds  # noqa: E402
from support.cluster import KUBECTL, PODIUM, Cluster, cluster, pod, run  # noqa: E402

UPSTREAM, OURS = (str(KUBECTL["1.37"]),), (str(PODIUM), "kubectl")
SERVE = (
    "head -c {size} /dev/zero > /tmp/zero; httpd -p 9000 -h /tmp; "
    "nc -ll -p 9001 -e sh -c 'cat > /tmp/received; echo done'"
)
CHUNK = 1 << 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    size = arguments.megabytes * 1_000_000
    with (
        tempfile.TemporaryDirectory(prefix="podium-bench-") as name,
        cluster(Path(name)) as own,
    ):
        directory = Path(name)
        image = directory / "image.tar"
        run(sys.executable, REPOSITORY / "tools/demo_image.py", str(image))
        own.podium("image", "load", str(image))
        own.apply(pod("s", "sh", "-c", SERVE.format(size=size)))
        own.wait_ready("s")
        os.environ |= own.environment
        talk = f"yes {'x' * 99} | head -c {Ways.LOGGED}; sleep 100000"
        own.apply(pod("talks", "sh", "-c", talk))
        print_round_trips(own, arguments.rounds)
        asyncio.run(print_followers(own))
        data = directory / "payload"
        with data.open("wb") as file:
            for _ in range(arguments.megabytes):
                file.write(os.urandom(1_000_000))
        print_throughput(own, data, size)


# -- round trips


def print_round_trips(own: Cluster, rounds: int) -> None:
    status = own.get("pod", "s")["status"]["containerStatuses"][0]
    container = status["containerID"].partition("//")[2]
    root = Path(own.flags[own.flags.index("--run-dir") + 1]) / "runtime" / "runc"
    ways: dict[str, Callable[[], object]] = {
        "runc exec": lambda: run("runc", "--root", str(root), "exec", container, "true"),
        "a WebSocket": lambda: asyncio.run(exec_true(own)),
        "kubectl 1.37": lambda: run(*UPSTREAM, "exec", "s", "--", "true"),
        "podium kubectl": lambda: run(*OURS, "exec", "s", "--", "true"),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.monotonic()
            way()
            if number:  # the first one warms up
                times[name].append((time.monotonic() - began) * 1000)
    print(f"exec true, {rounds} in turns, ms    min   median     max")
    for name, found in times.items():
        row = (min(found), statistics.median(found), max(found))
        print(f"  {name:28}" + "".join(f"{value:8.1f}" for value in row))


async def exec_true(own: Cluster) -> None:
    protocols = ("v5.channel.k8s.io",)
    async with (
        client(own) as session,
        session.ws_connect("s/exec?command=true&stdout=true", protocols=protocols) as socket_,
    ):
        messages = [message.data async for message in socket_]
    assert b'"Success"' in messages[-1], messages


def client(own: Cluster) -> ClientSession:
    """A client whose paths begin with the name of a Pod."""
    pki = own.data_dir / "pki"
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return ClientSession(
        f"https://127.0.0.1:{own.port}/api/v1/namespaces/default/pods/",
        connector=TCPConnector(ssl=tls, limit=0), timeout=ClientTimeout(total=None),
    )  # fmt: skip


# -- followers


async def print_followers(own: Cluster, count: int = 100, seconds: float = 5.0) -> None:
    """Print what followers of a log cost to which nothing is written."""
    pids = [pid for name, pid in own.processes().items() if name != "podium"]

    async def follow(session: ClientSession) -> None:
        async with session.get("s/log?follow=true") as answer:
            assert answer.status == 200
            await answer.content.read()

    async with client(own) as session, asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(follow(session)) for _ in range(count)]
        await asyncio.sleep(2.0)
        before = sum(map(cpu_seconds, pids))
        await asyncio.sleep(seconds)
        used = sum(map(cpu_seconds, pids)) - before
        for task in following:
            task.cancel()
    print(f"\n{count} followers of a quiet log: {used / seconds * 100:.1f}% of a core")


# -- throughput


def print_throughput(own: Cluster, data: Path, size: int) -> None:
    megabytes = size / 1e6
    print(f"\n{megabytes:.0f} MB               MB/s   of the floor   API server   kubelet")
    pipe = megabytes / timed(lambda: shell(f"cat {data} | cat > /dev/null"))
    print(f"  {'a pipe':22}{pipe:8.0f}")
    wire = megabytes / timed(lambda: through_a_socket(data))
    print(f"  {'a socket':22}{wire:8.0f}")
    digest = digest_of(data)
    for name, program in (("kubectl 1.37", UPSTREAM), ("podium kubectl", OURS)):
        print(f" {name}")
        ways = Ways(program, data, digest, size)
        for what, way, floor in (
            ("exec stdin", ways.stdin, pipe),
            ("exec stdout", ways.stdout, pipe),
            ("exec both ways", ways.both, pipe),
            ("cp to", ways.copy_to, pipe),
            ("cp from", ways.copy_from, pipe),
            ("port-forward from", ways.forward_from, wire),
            ("port-forward to", ways.forward_to, wire),
            ("logs", ways.logs, pipe),
        ):
            with memory(own) as grown:
                rate = ways.megabytes(what) / timed(way)
            sizes = "".join(f"{count / 1e6:+10.0f} MB" for count in grown.values())
            print(f"  {what:22}{rate:8.0f}{rate / floor:14.0%} {sizes}")


def timed(way: Callable[[], object]) -> float:
    began = time.monotonic()
    way()
    return time.monotonic() - began


def shell(script: str) -> None:
    subprocess.run(["sh", "-c", script], check=True)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def through_a_socket(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def send() -> None:
            with (
                socket.create_connection(listener.getsockname()) as sender,
                data.open("rb") as file,
            ):
                while piece := file.read(CHUNK):
                    sender.sendall(piece)

        thread = threading.Thread(target=send)
        thread.start()
        with listener.accept()[0] as receiver:
            while receiver.recv(CHUNK):
                pass
        thread.join()


class Ways:
    """Each is one transfer, checked."""

    LOGGED = 20_000_000

    def __init__(self, program: tuple[str, ...], data: Path, digest: str, size: int) -> None:
        self._program, self._data, self._digest, self._size = program, data, digest, size
        self._exec = f"{' '.join(program)} exec -i s --"

    def megabytes(self, what: str) -> float:
        sizes = {"exec both ways": 2 * self._size, "logs": self.LOGGED}
        return sizes.get(what, self._size) / 1e6

    def stdin(self) -> None:
        shell(f"{self._exec} sh -c 'cat > /dev/null' < {self._data}")

    def stdout(self) -> None:
        shell(f"{self._exec} cat /tmp/zero > /dev/null")

    def both(self) -> None:
        back = self._data.with_name("back")
        shell(f"{self._exec} cat < {self._data} > {back}")
        assert digest_of(back) == self._digest

    def copy_to(self) -> None:
        run(*self._program, "cp", str(self._data), "s:/tmp/data")

    def copy_from(self) -> None:
        back = self._data.with_name("back")
        run(*self._program, "cp", "s:/tmp/data", str(back))
        assert digest_of(back) == self._digest

    @contextlib.contextmanager
    def _forwarded(self, port: int) -> Iterator[int]:
        with subprocess.Popen(
            [*self._program, "port-forward", "s", f":{port}", "--address", "127.0.0.1"],
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline().split(" -> ")[0].rpartition(":")[2])
            finally:
                process.kill()

    def forward_from(self) -> None:
        with (
            self._forwarded(9000) as port,
            socket.create_connection(("127.0.0.1", port)) as connection,
        ):
            connection.sendall(b"GET /data HTTP/1.0\r\n\r\n")
            with connection.makefile("rb") as answer:
                while answer.readline().strip():
                    pass
                assert hashlib.file_digest(answer, "sha256").hexdigest() == self._digest

    def forward_to(self) -> None:
        with (
            self._forwarded(9001) as port,
            socket.create_connection(("127.0.0.1", port)) as connection,
            self._data.open("rb") as file,
        ):
            while piece := file.read(CHUNK):
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(5) == b"done\n"
        command = [*self._program, "exec", "s", "--", "sha256sum", "/tmp/received"]
        assert run(*command).stdout.split()[0] == self._digest

    def logs(self) -> None:
        """Written before; a hundred bytes a line."""
        printed = subprocess.run(
            [*self._program, "logs", "talks"], stdout=subprocess.PIPE, check=True
        ).stdout
        assert len(printed) == self.LOGGED


@contextlib.contextmanager
def memory(own: Cluster) -> Iterator[dict[str, int]]:
    """By how much the most memory of each process was more than it had before."""
    pids = {name: pid for name, pid in own.processes().items() if name != "podium"}
    grown: dict[str, int] = {}
    before = {}
    for name, pid in sorted(pids.items()):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        before[name] = _field(pid, "VmRSS")
    yield grown
    for name, pid in sorted(pids.items()):
        grown[name] = _field(pid, "VmHWM") - before[name]


def _field(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(name)


if __name__ == "__main__":
    main()
