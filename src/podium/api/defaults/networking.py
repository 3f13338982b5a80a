"""Defaults of ``networking.k8s.io`` and ``discovery.k8s.io``."""

from __future__ import annotations

from podium.api.types.discovery_v1 import EndpointSlice
from podium.api.types.networking_v1 import IngressClass, NetworkPolicy


def set_defaults_network_policy(obj: NetworkPolicy) -> None:
    """A policy is about what comes in, and about what goes out if it says anything of that."""
    spec = obj.spec
    incoming = [port for rule in spec.ingress for port in rule.ports]
    outgoing = [port for rule in spec.egress for port in rule.ports]
    for port in (*incoming, *outgoing):
        port.protocol = port.protocol or "TCP"
    if not spec.policy_types:
        spec.policy_types = ["Ingress", "Egress"] if spec.egress else ["Ingress"]


def set_defaults_ingress_class(obj: IngressClass) -> None:
    parameters = obj.spec.parameters
    if parameters is not None and parameters.scope is None:
        parameters.scope = "Cluster"


def set_defaults_endpoint_slice(obj: EndpointSlice) -> None:
    """Lists that are empty are none: the store of upstream does not tell them apart."""
    obj.endpoints, obj.ports = obj.endpoints or None, obj.ports or None
    for port in obj.ports or ():
        port.name = port.name or ""
        port.protocol = port.protocol or "TCP"
