"""Defaults of Services and Endpoints."""

from __future__ import annotations

from podium.api.types.core_v1 import ClientIPConfig, Endpoints, Service, SessionAffinityConfig

CLIENT_IP_TIMEOUT_SECONDS = 10800


def set_defaults_service(service: Service) -> None:
    spec = service.spec
    spec.session_affinity = spec.session_affinity or "None"
    if spec.session_affinity == "None":
        spec.session_affinity_config = None
    elif spec.session_affinity == "ClientIP":
        config = spec.session_affinity_config or SessionAffinityConfig()
        config.client_ip = config.client_ip or ClientIPConfig()
        if config.client_ip.timeout_seconds is None:
            config.client_ip.timeout_seconds = CLIENT_IP_TIMEOUT_SECONDS
        spec.session_affinity_config = config
    spec.type = spec.type or "ClusterIP"
    for port in spec.ports:
        port.protocol = port.protocol or "TCP"
        if port.target_port in (None, 0, ""):
            port.target_port = port.port
    _set_defaults_traffic(service)


def _set_defaults_traffic(service: Service) -> None:
    spec = service.spec
    if spec.type in ("NodePort", "LoadBalancer") or (
        spec.type == "ClusterIP" and spec.external_ips
    ):
        spec.external_traffic_policy = spec.external_traffic_policy or "Cluster"
    if spec.internal_traffic_policy is None and spec.type != "ExternalName":
        spec.internal_traffic_policy = "Cluster"
    if spec.type == "LoadBalancer":
        if spec.allocate_load_balancer_node_ports is None:
            spec.allocate_load_balancer_node_ports = True
        for ingress in service.status.load_balancer.ingress:
            if ingress.ip and ingress.ip_mode is None:
                ingress.ip_mode = "VIP"


def set_defaults_endpoints(endpoints: Endpoints) -> None:
    for subset in endpoints.subsets:
        for port in subset.ports:
            port.protocol = port.protocol or "TCP"
