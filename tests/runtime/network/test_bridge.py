"""runtime.network.bridge on the real kernel: links, addresses, routes, rules, two clusters."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from podium.runtime import linux
from podium.runtime.network.bridge import BridgeNetwork, link_name
from podium.runtime.network.ruleset import DnsRule, ServiceRule
from podium.runtime.port import PortMapping, RuntimeFailure
from support.leaks import leaked, snapshot
from support.ports import free_port

pytestmark = pytest.mark.e2e

Make = Callable[..., BridgeNetwork]
#: Seconds for an answer; far beyond what it should take.
PATIENCE = 60


@pytest.fixture
def cidrs() -> tuple[str, str]:
    first, second = 150 + os.getpid() % 50, os.getpid() // 50 % 125
    return f"10.{first}.{second * 2}.0/24", f"10.{first}.{second * 2 + 1}.0/24"


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[BridgeNetwork] = []
    before = snapshot("podium-n")

    def network(
        cidr: str, service: ServiceRule | None = None, dns: DnsRule | None = None
    ) -> BridgeNetwork:
        name = f"podium-n{secrets.token_hex(3)}"
        made.append(BridgeNetwork(name, cidr, tmp_path / name, service=service, dns=dns))
        return made[-1]

    yield network
    for each in made:
        await each.teardown()
    assert leaked(before, "podium-n") == {}


@contextlib.contextmanager
def namespace(path: Path) -> Iterator[str]:
    """A network namespace pinned at *path*."""
    path.touch()

    def pin() -> None:
        linux.unshare(linux.CLONE_NEWNET)
        own = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        linux.mount(own, str(path), flags=linux.MS_BIND)

    linux.in_own_thread(pin)
    try:
        yield str(path)
    finally:
        linux.umount(str(path))


@contextlib.contextmanager
def listener(netns: str | None, address: str, port: int = 0) -> Iterator[int]:
    """Answer the first connection to *address* with ``hi``; yield the port."""

    def listen() -> socket.socket:
        return socket.create_server((address, port))

    server = linux.in_network_namespace(netns, listen) if netns else listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hi")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        server.close()


def link_exists(sandbox_id: str) -> bool:
    return os.path.exists(f"/sys/class/net/{link_name(sandbox_id)}")


def said(netns: str, address: str, port: int) -> bytes:
    def connect() -> bytes:
        with socket.create_connection((address, port), timeout=PATIENCE) as connection:
            return connection.recv(10)

    return linux.in_network_namespace(netns, connect)


async def test_pods_reach_each_other_and_the_host(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    with namespace(tmp_path / "a") as a, namespace(tmp_path / "b") as b:
        await network.attach(a, "a")
        address = await network.attach(b, "b")
        with listener(b, address) as port:
            assert said(a, address, port) == b"hi"
        with listener(None, network.gateway) as port:
            assert said(b, network.gateway, port) == b"hi"


async def test_the_kubernetes_services_address_leads_to_the_gateway(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    plain = make(cidrs[0])
    await plain.setup()
    with listener(None, plain.gateway) as port:
        plain._service = ServiceRule("10.255.77.1", 443, port)
        await plain.setup()
        with namespace(tmp_path / "a") as a:
            await plain.attach(a, "a")
            assert said(a, "10.255.77.1", 443) == b"hi"


async def test_attaching_again_gives_the_same_address(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    with namespace(tmp_path / "a") as a:
        first = await network.attach(a, "a")
        await network.detach("a")
        assert not link_exists("a")
        await network.detach("a")
        assert await network.attach(a, "a") != first


async def test_a_namespace_that_is_not_there_costs_no_address(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    with pytest.raises(RuntimeFailure, match="failed to setup network for sandbox"):
        await network.attach(str(tmp_path / "nosuch"), "a")
    assert list(network._addresses().owners()) == []


async def test_reconciling_takes_back_what_the_dead_held(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    with namespace(tmp_path / "a") as a, namespace(tmp_path / "b") as b:
        await network.attach(a, "a")
        kept = await network.attach(b, "b")
        await network.reconcile({"b"})
        assert not link_exists("a")
        assert link_exists("b")
        assert network._addresses().address_of("b") == kept


async def test_setting_up_is_repeatable_and_tearing_down_too(make: Make, cidrs: tuple[str, str]):
    network = make(cidrs[0])
    for _ in range(2):
        await network.setup()
    assert network.ready() == ""
    for _ in range(2):
        await network.teardown()
    assert network.ready() == f"the bridge {network.name} is missing"


async def test_two_clusters_side_by_side(make: Make, cidrs: tuple[str, str], tmp_path: Path):
    one, two = make(cidrs[0]), make(cidrs[1])
    await one.setup()
    await two.setup()
    with namespace(tmp_path / "a") as a, namespace(tmp_path / "b") as b:
        await one.attach(a, "a")
        address = await two.attach(b, "b")
        await one.teardown()
        with namespace(tmp_path / "c") as c:
            await two.attach(c, "c")
            with listener(b, address) as port:
                assert said(c, address, port) == b"hi"


async def test_an_overlapping_cidr_is_refused(make: Make, cidrs: tuple[str, str]):
    one = make(cidrs[0])
    await one.setup()
    with pytest.raises(RuntimeFailure, match=f"overlaps the route to .* through {one.name}"):
        await make(cidrs[0]).setup()


def from_host(address: str, port: int) -> bytes:
    with socket.create_connection((address, port), timeout=PATIENCE) as connection:
        return connection.recv(10)


async def test_ports_of_the_node_lead_to_a_pod_and_no_longer(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    everywhere, loopback = free_port(), free_port()
    with namespace(tmp_path / "a") as a, namespace(tmp_path / "b") as b:
        await network.attach(b, "b")
        address = str(ipaddress.ip_network(cidrs[0])[3])
        ports = [
            PortMapping("TCP", 8000, everywhere),
            PortMapping("TCP", 8001, loopback, "127.0.0.1"),
        ]
        assert await network.attach(a, "a", ports) == address
        for way, target in (
            (("127.0.0.1", everywhere), 8000),
            ((network.gateway, everywhere), 8000),
            (("127.0.0.1", loopback), 8001),
        ):
            with listener(a, address, target):
                assert from_host(*way) == b"hi"
        for source in (a, b):  # the Pod itself, and others, by the node's address
            with listener(a, address, 8000):
                assert said(source, network.gateway, everywhere) == b"hi"
        # What is for loopback alone is not to be had from elsewhere.
        with pytest.raises(ConnectionRefusedError):
            said(b, network.gateway, loopback)
        # Another process goes on where this one was.
        again = BridgeNetwork(network.name, cidrs[0], tmp_path / network.name)
        await again.setup()
        with listener(a, address, 8000):
            assert from_host("127.0.0.1", everywhere) == b"hi"
        await again.detach("a")
        with pytest.raises(ConnectionRefusedError):
            from_host("127.0.0.1", everywhere)
        assert list((tmp_path / network.name / "host-ports").iterdir()) == []


async def test_udp_flows_from_before_a_rule_do_not_stay(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    network = make(cidrs[0])
    await network.setup()
    port = free_port()
    with namespace(tmp_path / "a") as a, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        client.send(b"nobody hears this")  # from now on the kernel knows the flow
        with contextlib.suppress(ConnectionRefusedError):
            client.recv(10)
        address = await network.attach(a, "a", [PortMapping("UDP", 9000, port)])

        def listen() -> socket.socket:
            server = socket.socket(type=socket.SOCK_DGRAM)
            server.bind((address, 9000))
            server.settimeout(PATIENCE)
            return server

        with linux.in_network_namespace(a, listen) as server:
            client.send(b"hello")
            said, sender = server.recvfrom(10)
            server.sendto(said.upper(), sender)
            assert client.recv(10) == b"HELLO"


async def test_a_name_server_on_loopback_is_reached_by_its_service_address_alone(
    make: Make, cidrs: tuple[str, str], tmp_path: Path
):
    address, own = "198.18.0.10", f"127.77.{os.getpid() % 250}.1"
    network = make(cidrs[0], dns=DnsRule(address, ""))
    await network.setup()
    with (
        namespace(tmp_path / "a") as a,
        socket.socket(type=socket.SOCK_DGRAM) as server,
        linux.in_network_namespace(a, lambda: socket.socket(type=socket.SOCK_DGRAM)) as client,
    ):
        server.bind((own, 53))
        server.settimeout(PATIENCE)
        client.settimeout(PATIENCE)
        await network.attach(a, "a")
        await network.set_name_server(own)
        client.sendto(b"who?", (address, 53))
        asked, pod = server.recvfrom(10)
        assert pod[0] == str(ipaddress.ip_network(cidrs[0])[2])
        server.sendto(asked.upper(), pod)
        assert client.recvfrom(10) == (b"WHO?", (address, 53))
        with linux.in_network_namespace(
            a, lambda: socket.socket(type=socket.SOCK_RAW, proto=17)
        ) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            header = (5353).to_bytes(2, "big") + (53).to_bytes(2, "big")
            raw.sendto(header + (12).to_bytes(2, "big") + bytes(2) + b"over", (own, 0))
        client.sendto(b"again", (address, 53))
        assert server.recvfrom(10)[0] == b"again"  # and not what went past the rules


def _raw_socket() -> socket.socket:
    return socket.socket(type=socket.SOCK_RAW, proto=socket.IPPROTO_UDP)
