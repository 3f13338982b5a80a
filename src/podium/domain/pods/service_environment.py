"""Environment variables that name Services (``pkg/kubelet/envvars``)."""

from __future__ import annotations

from collections.abc import Iterable

from podium.api.types.core_v1 import Service

MASTER_NAMESPACE = "default"
MASTER_SERVICE = "kubernetes"


def service_environment(
    services: Iterable[Service], namespace: str, *, links: bool
) -> dict[str, str]:
    """Return the variables for a Pod in *namespace*: those of ``kubernetes`` always, those of the
    namespace's own Services when *links* (``enableServiceLinks``) says so."""
    chosen: dict[str, Service] = {}
    for service in services:
        name = service.metadata.name
        if service.spec.cluster_ip in ("", "None"):
            continue
        if service.metadata.namespace == namespace and links:
            chosen[name] = service
        elif service.metadata.namespace == MASTER_NAMESPACE and name == MASTER_SERVICE:
            chosen.setdefault(name, service)
    variables: dict[str, str] = {}
    for name in sorted(chosen):
        variables.update(_variables(chosen[name]))
    return variables


def _variables(service: Service) -> dict[str, str]:
    prefix = _variable_name(service.metadata.name)
    address = service.spec.cluster_ip
    host = f"[{address}]" if ":" in address else address
    variables = {f"{prefix}_SERVICE_HOST": address}
    for number, port in enumerate(service.spec.ports):
        protocol = port.protocol or "TCP"
        url = f"{protocol.lower()}://{host}:{port.port}"
        if number == 0:
            variables[f"{prefix}_SERVICE_PORT"] = str(port.port)
            variables[f"{prefix}_PORT"] = url
        if port.name:
            variables[f"{prefix}_SERVICE_PORT_{_variable_name(port.name)}"] = str(port.port)
        link = f"{prefix}_PORT_{port.port}_{protocol.upper()}"
        variables[link] = url
        variables[f"{link}_PROTO"] = protocol.lower()
        variables[f"{link}_PORT"] = str(port.port)
        variables[f"{link}_ADDR"] = address
    return variables


def _variable_name(name: str) -> str:
    return name.upper().replace("-", "_")
