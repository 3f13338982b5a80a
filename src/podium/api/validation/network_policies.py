"""Checks of NetworkPolicies. Follows ``pkg/apis/networking/validation`` of Kubernetes."""

from __future__ import annotations

import ipaddress

from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.types.networking_v1 import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from podium.api.validation.common import Errors, port_number, port_number_or_name
from podium.api.validation.scheduling import validate_label_selector

SPEC = Path("spec")
PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICY_TYPES = ("Egress", "Ingress")
_BAD_CIDR = "not a valid CIDR"


def validate_network_policy(obj: NetworkPolicy) -> list[FieldError]:
    spec = obj.spec
    errors = list(validate_label_selector(SPEC.child("podSelector"), spec.pod_selector))
    for i, ingress in enumerate(spec.ingress):
        at = SPEC.child("ingress").index(i)
        errors.extend(_rule(at, ingress.ports, "from", ingress.from_))
    for i, egress in enumerate(spec.egress):
        at = SPEC.child("egress").index(i)
        errors.extend(_rule(at, egress.ports, "to", egress.to))
    at = SPEC.child("policyTypes")
    if len(spec.policy_types) > 2:
        text = "may not specify more than two policyTypes"
        errors.append(invalid(at, spec.policy_types, text))
        return errors
    for i, kind in enumerate(spec.policy_types):
        if kind not in POLICY_TYPES:
            errors.append(not_supported(at.index(i), kind, POLICY_TYPES))
    return errors


def _rule(
    path: Path, ports: list[NetworkPolicyPort], name: str, peers: list[NetworkPolicyPeer]
) -> Errors:
    for i, port in enumerate(ports):
        yield from _port(path.child("ports").index(i), port)
    for i, peer in enumerate(peers):
        yield from _peer(path.child(name).index(i), peer)


def _port(path: Path, port: NetworkPolicyPort) -> Errors:
    if port.protocol is not None and port.protocol not in PROTOCOLS:
        yield not_supported(path.child("protocol"), port.protocol, PROTOCOLS)
    if port.port is None:
        if port.end_port is not None:
            text = "may not be specified when `port` is not specified"
            yield invalid(path.child("endPort"), port.end_port, text)
        return
    if isinstance(port.port, str) and port.end_port is not None:
        text = "may not be specified when `port` is non-numeric"
        yield invalid(path.child("endPort"), port.end_port, text)
    yield from port_number_or_name(path.child("port"), port.port)
    if port.end_port is None or isinstance(port.port, str):
        return
    if port.end_port < port.port:
        # Upstream reports the port here, not the end of the range.
        yield invalid(path.child("endPort"), port.port, "must be greater than or equal to `port`")
    yield from port_number(path.child("endPort"), port.end_port)


def _peer(path: Path, peer: NetworkPolicyPeer) -> Errors:
    count = 0
    if peer.pod_selector is not None:
        count += 1
        yield from validate_label_selector(path.child("podSelector"), peer.pod_selector)
    if peer.namespace_selector is not None:
        count += 1
        at = path.child("namespaceSelector")
        yield from validate_label_selector(at, peer.namespace_selector)
    if peer.ip_block is not None:
        count += 1
        yield from _ip_block(path.child("ipBlock"), peer.ip_block)
    if not count:
        yield required(path, "must specify a peer")
    elif peer.ip_block is not None and count > 1:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _ip_block(path: Path, block: IPBlock) -> Errors:
    if not block.cidr:
        yield required(path.child("cidr"))
        return
    network = _network(block.cidr)
    if network is None:
        yield invalid(path.child("cidr"), block.cidr, _BAD_CIDR)
        return
    for i, text in enumerate(block.except_):
        at = path.child("except").index(i)
        hole = _network(text)
        if hole is None:
            yield invalid(at, text, _BAD_CIDR)
            return
        if hole.version != network.version or not (
            network.network_address <= hole.network_address  # type: ignore[operator]
            and hole.prefixlen > network.prefixlen
            and hole.broadcast_address <= network.broadcast_address  # type: ignore[operator]
        ):
            yield invalid(at, text, "must be a strict subset of `cidr`")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
