"""What is allowed in a Service, and yet has no effect or is written oddly.

Follows ``pkg/api/service/warnings.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.field import Path
from podium.api.types.core_v1 import Service, ServiceSpec
from podium.api.validation.services import is_headless
from podium.registry.strategies.address_warnings import address_warnings, range_warnings

_HINTS = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"
_SPEC = Path("spec")


def service_warnings(service: Service) -> Iterator[str]:
    spec = service.spec
    if _HINTS in service.metadata.annotations:
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    if spec.type != "ExternalName" and not is_headless(spec):
        yield from _addresses("clusterIPs", spec.cluster_ips)
    if spec.type == "ClusterIP" and is_headless(spec):
        yield from _ignored_by_headless(spec)
    yield from _addresses("externalIPs", spec.external_ips)
    if spec.load_balancer_ip:
        yield from address_warnings(_SPEC.child("loadBalancerIP"), spec.load_balancer_ip)
    for i, text in enumerate(spec.load_balancer_source_ranges):
        yield from range_warnings(_SPEC.child("loadBalancerSourceRanges").index(i), text)
    if spec.type == "ExternalName" and spec.external_ips:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if spec.type != "ExternalName" and spec.external_name:
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.traffic_distribution == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _addresses(name: str, texts: list[str]) -> Iterator[str]:
    for i, text in enumerate(texts):
        yield from address_warnings(_SPEC.child(name).index(i), text)


def _ignored_by_headless(spec: ServiceSpec) -> Iterator[str]:
    for name, is_set in (
        ("loadBalancerIP", bool(spec.load_balancer_ip)),
        ("externalIPs", bool(spec.external_ips)),
        ("SessionAffinity", spec.session_affinity != "None"),
    ):
        if is_set:
            yield f"spec.{name} is ignored for headless services"
