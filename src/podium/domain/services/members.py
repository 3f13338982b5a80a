"""Which Pods are behind a Service, under which address, name and port.

Follows ``k8s.io/endpointslice/util`` and ``k8s.io/kubernetes/pkg/api/v1/pod``.
"""

from __future__ import annotations

from collections.abc import Iterable

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import ObjectReference, Pod, Service, ServicePort
from podium.domain.pods.readiness import is_ready

HEADLESS_LABEL = "service.kubernetes.io/headless"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"
_OVER = ("Succeeded", "Failed")


def selects(service: Service, pod: Pod) -> bool:
    """Whether *pod* is one of *service*'s; a Service without a selector has none."""
    selector, labels = service.spec.selector, pod.metadata.labels
    return (
        bool(selector)
        and service.metadata.namespace == pod.metadata.namespace
        and all(labels.get(key) == value for key, value in selector.items())
    )


def is_served(service: Service) -> bool:
    """Whether anybody but its owner keeps the endpoints of *service*."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def is_headless(service: Service) -> bool:
    return service.spec.cluster_ip == "None"


def can_be_endpoint(pod: Pod, *, terminating: bool) -> bool:
    """Whether *pod* has an address and runs, or will; with *terminating* also one that ends."""
    if pod.status.phase in _OVER or not pod_ips(pod):
        return False
    return terminating or pod.metadata.deletion_timestamp is None


def pod_ips(pod: Pod) -> list[str]:
    ips = [each.ip for each in pod.status.pod_ips]
    return ips or ([pod.status.pod_ip] if pod.status.pod_ip else [])


def address(pod: Pod, family: str) -> str:
    """Return *pod*'s address of *family* (``IPv4``, ``IPv6``), "" when it has none."""
    return next((ip for ip in pod_ips(pod) if (":" in ip) == (family == "IPv6")), "")


def families(service: Service) -> list[str]:
    """The address families of *service*, the first one first."""
    if service.spec.ip_families:
        return service.spec.ip_families
    return ["IPv6" if ":" in service.spec.cluster_ip else "IPv4"]


def hostname(pod: Pod, service: Service) -> str:
    """The name that DNS gives *pod* below that of *service*, "" for none."""
    return pod.spec.hostname if pod.spec.subdomain == service.metadata.name else ""


def target_reference(pod: Pod) -> ObjectReference:
    metadata = pod.metadata
    return ObjectReference(
        kind="Pod", namespace=metadata.namespace, name=metadata.name, uid=metadata.uid
    )


def port_number(pod: Pod, port: ServicePort) -> int | None:
    """Return which of *pod*'s ports *port* leads to; None where the Pod has none of that name."""
    target = port.target_port
    if not isinstance(target, str):
        return target or port.port
    sidecars = (c for c in pod.spec.init_containers if is_sidecar(c))
    for container in (*pod.spec.containers, *sidecars):
        for declared in container.ports:
            if declared.name == target and (declared.protocol or "TCP") == port.protocol:
                return declared.container_port
    return None


def looks_different(old: Pod | None, new: Pod | None) -> bool:
    """Whether anything that endpoints say of a Pod has changed."""
    return _seen(old) != _seen(new)


def _seen(pod: Pod | None) -> object:
    if pod is None:
        return None
    return (
        pod.metadata.uid,
        pod.metadata.labels,
        pod.metadata.deletion_timestamp is None,
        pod.spec.node_name,
        pod_ips(pod),
        pod.status.phase in _OVER,
        is_ready(pod),
    )


def selected(service: Service, pods: Iterable[Pod]) -> list[Pod]:
    return [pod for pod in pods if selects(service, pod)]
