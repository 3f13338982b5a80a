"""Forgetting what the kernel remembers of flows whose way has changed (nfnetlink_conntrack).

A flow keeps the way that its first packet took. For UDP, where a sender may go on for ever from the
same port, that would be the way from before a rule came or went.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Collection, Iterator

import msgspec

_NETLINK_NETFILTER = 12
_CT_NEW, _CT_GET, _CT_DELETE = 0x100, 0x101, 0x102
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_NESTED = 0x8000
_TUPLE_ORIG, _TUPLE_IP, _TUPLE_PROTO = 1, 1, 2
_IP_SRC, _IP_DST = 1, 2
_PROTO_NUM, _PROTO_SRC_PORT, _PROTO_DST_PORT = 1, 2, 3
_UDP = 17


class Flow(msgspec.Struct, frozen=True):
    """The first direction of a UDP flow."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int


def forget_udp(ports: Collection[int]) -> int:
    """Forget the flows to the UDP *ports*; return how many there were. Raises OSError."""
    if not ports:
        return 0
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        netlink.send(message(_CT_GET, _REQUEST | _DUMP))
        stale = [flow for flow in _answers(netlink) if flow.destination_port in ports]
        for flow in stale:
            netlink.send(message(_CT_DELETE, _REQUEST | _ACK, tuple_of(flow)))
            list(_answers(netlink))
    return len(stale)


def message(kind: int, flags: int, payload: bytes = b"") -> bytes:
    body = struct.pack("=BBH", socket.AF_INET, 0, 0) + payload
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def tuple_of(flow: Flow) -> bytes:
    """The attribute that names *flow*."""
    addresses = _attribute(_IP_SRC, flow.source) + _attribute(_IP_DST, flow.destination)
    ports = (
        _attribute(_PROTO_NUM, bytes([_UDP]))
        + _attribute(_PROTO_SRC_PORT, struct.pack(">H", flow.source_port))
        + _attribute(_PROTO_DST_PORT, struct.pack(">H", flow.destination_port))
    )
    inner = _attribute(_TUPLE_IP | _NESTED, addresses) + _attribute(_TUPLE_PROTO | _NESTED, ports)
    return _attribute(_TUPLE_ORIG | _NESTED, inner)


def parse_flow(payload: bytes) -> Flow | None:
    """Read a flow from the attributes of one message; None where it is not one of UDP."""
    whole = dict(_attributes(payload))
    inner = dict(_attributes(whole.get(_TUPLE_ORIG, b"")))
    addresses = dict(_attributes(inner.get(_TUPLE_IP, b"")))
    ports = dict(_attributes(inner.get(_TUPLE_PROTO, b"")))
    if ports.get(_PROTO_NUM) != bytes([_UDP]) or not addresses.keys() >= {_IP_SRC, _IP_DST}:
        return None
    source, destination = (
        int.from_bytes(ports[which], "big") for which in (_PROTO_SRC_PORT, _PROTO_DST_PORT)
    )
    return Flow(addresses[_IP_SRC], addresses[_IP_DST], source, destination)


def _answers(netlink: socket.socket) -> Iterator[Flow]:
    """Read to the end of an answer; yield the UDP flows in it."""
    while True:
        data = netlink.recv(1 << 16)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind == _DONE:
                return
            if kind == _ERROR:
                code = -struct.unpack_from("=i", data, 16)[0]
                if code not in (0, errno.ENOENT):  # gone by itself meanwhile
                    raise OSError(code, "conntrack")
                return
            flow = parse_flow(data[20:length])
            if flow is not None:
                yield flow
            data = data[(length + 3) & ~3 :]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3 :]
