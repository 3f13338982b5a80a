"""The embedded Pod network: a bridge per cluster, an address and a veth pair per Pod.

Pods reach each other over the bridge, the host at the bridge's address, which is their gateway, and
the rest of the world through the host by masquerading. All names derive from the cluster's
link name and the sandbox ID, so that whatever a crash leaves behind can be found again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import ipaddress
import logging
import os
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from podium.kit.threads import run_in_thread
from podium.runtime import linux
from podium.runtime.network import rtnetlink
from podium.runtime.network.addresses import AddressPool
from podium.runtime.network.conflicts import conflicts, default_link
from podium.runtime.network.conntrack import forget_udp
from podium.runtime.network.forwarding import IPForwarding
from podium.runtime.network.host_ports import HostPorts
from podium.runtime.network.interfaces import POD_LINK, interfaces, seen_from_inside
from podium.runtime.network.nft import RuleWriter, nft
from podium.runtime.network.ruleset import (
    DnsRule,
    HostPortRule,
    Rules,
    ServiceRule,
    remove,
    ruleset,
)
from podium.runtime.port import PortMapping, RuntimeFailure
from podium.runtime.stats_port import NetworkInterfaceUsage

logger = logging.getLogger(__name__)

_CONF = Path("/proc/sys/net/ipv4/conf")
_SYS_NET = Path("/sys/class/net")


class BridgeNetwork:
    """The Pod network of the cluster whose bridge and nft table are called *name*.

    *state_dir* keeps the addresses and the node's ports in use; *shared_dir* is where the clusters
    of the machine agree on IP forwarding; *service* is the ``kubernetes`` Service and where it
    leads, *dns* the address that Pods look for DNS at and what answers there.
    """

    def __init__(
        self,
        name: str,
        pod_cidr: str,
        state_dir: Path,
        *,
        service: ServiceRule | None = None,
        dns: DnsRule | None = None,
        shared_dir: Path = Path("/run/podium-shared"),
    ) -> None:
        network = ipaddress.IPv4Network(pod_cidr)
        self.name, self.pod_cidr = name, pod_cidr
        self.gateway = str(network[1])
        self._prefix_length = network.prefixlen
        self._broadcast = str(network.broadcast_address)
        self._service, self._dns = service, dns
        self._forwarding = IPForwarding(shared_dir)
        self._state_dir = state_dir
        self._pool: AddressPool | None = None
        self._host_ports: HostPorts | None = None
        self._rules = RuleWriter(self._render)
        self._mtu = 1500

    async def setup(self) -> None:
        """Make the bridge, the rules and the forwarding. Repeatable, also after a crash.

        Raises RuntimeFailure when the CIDR overlaps a route of the host.
        """
        clash = conflicts(self.pod_cidr, own_link=self.name)
        if clash:
            raise RuntimeFailure(f"Pod CIDR {self.pod_cidr} overlaps {clash}")
        self._mtu = _link_mtu(default_link())
        with rtnetlink.Route() as route:
            with _ignored(errno.EEXIST):
                route.send(rtnetlink.add_bridge(self.name, _mac(self.gateway), self._mtu))
            index = socket.if_nametoindex(self.name)
            route.send(
                rtnetlink.set_up(index),
                rtnetlink.add_address(index, self.gateway, self._prefix_length, self._broadcast),
            )
        (_CONF / self.name / "route_localnet").write_text("1\n")
        self._forwarding.need(self.name)
        await self._rules.write()

    async def set_name_server(self, server: str) -> None:
        """Have *server* answer at the address that Pods look for DNS at; nobody where it is ""."""
        if self._dns is not None:
            self._dns = DnsRule(self._dns.address, server)
            await self._rules.write()

    async def teardown(self) -> None:
        """Remove everything, the addresses in use included. Repeatable."""
        for link in [*self._ports(), self.name]:
            await asyncio.to_thread(_delete_link, link)
        await nft(remove(self.name))
        for sandbox_id in self._ports_of_node().owners():
            self._ports_of_node().drop(sandbox_id)
        self._forwarding.release(self.name)
        pool = self._addresses()
        for sandbox_id in pool.owners():
            pool.release(sandbox_id)

    async def attach(
        self, netns_path: str, sandbox_id: str, ports: Iterable[PortMapping] = ()
    ) -> str:
        """Give the namespace ``eth0``, an address, the way out and in; return the address.

        In a thread: a millisecond's work, but the kernel's rtnetlink lock may be taken for 50.
        Whoever is cancelled waits for it: what is undone must not come into being afterwards.
        """
        address = self._addresses().allocate(sandbox_id)
        try:
            await run_in_thread(partial(self._connect, netns_path, sandbox_id, address))
            if ports:
                self._ports_of_node().put(sandbox_id, address, ports)
                await self._rules.write()
                await self._forget_flows(self._ports_of_node().of(sandbox_id))
        except (asyncio.CancelledError, RuntimeFailure):
            await self.detach(sandbox_id)
            raise
        except OSError as exc:
            await self.detach(sandbox_id)
            raise RuntimeFailure(
                f'failed to setup network for sandbox "{sandbox_id}": {exc.strerror}'
            ) from exc
        return address

    async def detach(self, sandbox_id: str) -> None:
        if self._addresses().address_of(sandbox_id) is None:
            return
        led = self._ports_of_node().drop(sandbox_id)
        if led:
            await self._rules.write()
            await self._forget_flows(led)
        await asyncio.to_thread(_delete_link, link_name(sandbox_id))
        self._addresses().release(sandbox_id)

    async def reconcile(self, live: Collection[str]) -> None:
        self._pool = self._host_ports = None  # what another process has written since counts
        pool = self._addresses()
        for sandbox_id in self._ports_of_node().owners():
            if sandbox_id not in pool.owners():
                self._ports_of_node().drop(sandbox_id)
        for sandbox_id in pool.owners():
            if sandbox_id not in live:
                await self.detach(sandbox_id)
        known = {link_name(sandbox_id) for sandbox_id in live}
        for link in self._ports():
            if link not in known:
                await asyncio.to_thread(_delete_link, link)

    def usage(self, sandbox_ids: Iterable[str]) -> Mapping[str, NetworkInterfaceUsage]:
        links = interfaces(Path("/proc/net/dev").read_text())
        found = {wanted: links.get(link_name(wanted)) for wanted in sandbox_ids}
        return {wanted: seen_from_inside(link) for wanted, link in found.items() if link}

    def ready(self) -> str:
        return "" if (_SYS_NET / self.name).exists() else f"the bridge {self.name} is missing"

    def _addresses(self) -> AddressPool:
        if self._pool is None:
            self._pool = AddressPool(self.pod_cidr, self._state_dir / "addresses")
        return self._pool

    def _ports_of_node(self) -> HostPorts:
        if self._host_ports is None:
            self._host_ports = HostPorts(self._state_dir / "host-ports")
        return self._host_ports

    def _render(self) -> str:
        return ruleset(
            Rules(
                self.name,
                self.pod_cidr,
                self.gateway,
                self._service,
                self._dns if self._dns and self._dns.server else None,
                self._ports_of_node().rules(),
            )
        )

    async def _forget_flows(self, rules: Iterable[HostPortRule]) -> None:
        ports = {rule.host_port for rule in rules if rule.protocol == "udp"}
        if ports:
            try:
                await asyncio.to_thread(forget_udp, ports)
            except OSError as exc:  # then the flows go when they have been silent for a while
                logger.warning("stale flows could not be forgotten", extra={"error": exc})

    def _ports(self) -> list[str]:
        try:
            return os.listdir(_SYS_NET / self.name / "brif")
        except FileNotFoundError:
            return []

    def _connect(self, netns_path: str, sandbox_id: str, address: str) -> None:
        host = link_name(sandbox_id)
        if (_SYS_NET / host).exists():  # of an attempt that was cut off
            _delete_link(host)
        namespace = os.open(netns_path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with rtnetlink.Route() as route:
                route.send(
                    rtnetlink.add_veth(
                        rtnetlink.VethEnd(host, _mac(sandbox_id)),
                        socket.if_nametoindex(self.name),
                        rtnetlink.VethEnd(POD_LINK, _mac(address)),
                        namespace,
                        self._mtu,
                    )
                )
                route.send(rtnetlink.set_hairpin(socket.if_nametoindex(host)))
        finally:
            os.close(namespace)
        linux.in_network_namespace(netns_path, partial(self._configure, address))

    def _configure(self, address: str) -> None:
        index = socket.if_nametoindex(POD_LINK)
        with rtnetlink.Route() as route:
            route.send(
                rtnetlink.set_up(index),
                rtnetlink.add_address(index, address, self._prefix_length, self._broadcast),
                rtnetlink.add_default_route(index, self.gateway),
            )


def link_name(sandbox_id: str) -> str:
    """Name of the host's end of a sandbox's veth pair: ``veth`` and 11 letters, 15 in all."""
    return "veth" + hashlib.sha256(sandbox_id.encode()).hexdigest()[:11]


def _mac(seed: str) -> bytes:
    """A locally administered address that depends on *seed* alone.

    A Pod's is made from its IP address, so that a neighbour's ARP entry is right for the next Pod
    with that address too.
    """
    return b"\x0a\x58" + hashlib.sha256(seed.encode()).digest()[:4]


def _link_mtu(link: str) -> int:
    try:
        return int((_SYS_NET / link / "mtu").read_text()) if link else 1500
    except FileNotFoundError:
        return 1500


def _delete_link(name: str) -> None:
    with rtnetlink.Route() as route, _ignored(errno.ENODEV):
        route.send(rtnetlink.delete_link(name))


@contextlib.contextmanager
def _ignored(code: int) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno != code:
            raise
