"""Defaults of Pods."""

from __future__ import annotations

from podium.api.defaults.containers import set_defaults_container
from podium.api.defaults.volumes import set_defaults_volume
from podium.api.quantity import format_milli
from podium.api.resources import container_requests, supports_pod_level
from podium.api.types.core_v1 import Container, Pod, PodSecurityContext, PodSpec

DEFAULT_SCHEDULER = "default-scheduler"
TERMINATION_GRACE_PERIOD_SECONDS = 30


def set_defaults_pod(pod: Pod) -> None:
    """Fill in what a Pod leaves out; limits without requests become requests."""
    spec = pod.spec
    set_defaults_pod_spec(spec)
    for container in (*spec.containers, *spec.init_containers):
        _complete_requests(container)
        if spec.host_network:
            _take_host_ports(container)
    _complete_pod_requests(pod)
    if spec.enable_service_links is None:
        spec.enable_service_links = True


def set_defaults_pod_spec(spec: PodSpec) -> None:
    """Fill in what Pods and Pod templates have in common."""
    spec.dns_policy = spec.dns_policy or "ClusterFirst"
    spec.restart_policy = spec.restart_policy or "Always"
    spec.scheduler_name = spec.scheduler_name or DEFAULT_SCHEDULER
    if spec.security_context is None:
        spec.security_context = PodSecurityContext()
    if spec.termination_grace_period_seconds is None:
        spec.termination_grace_period_seconds = TERMINATION_GRACE_PERIOD_SECONDS
    name_service_account(spec)
    for volume in spec.volumes:
        set_defaults_volume(volume)
    for container in (*spec.containers, *spec.init_containers):
        set_defaults_container(container)
    for ephemeral in spec.ephemeral_containers:
        set_defaults_container(ephemeral)


def name_service_account(spec: PodSpec) -> None:
    """Keep ``serviceAccount``, the old name of ``serviceAccountName``, equal to it."""
    spec.service_account_name = spec.service_account_name or spec.service_account
    spec.service_account = spec.service_account_name


def _complete_requests(container: Container) -> None:
    resources = container.resources
    if resources.limits:
        resources.requests = {**resources.limits, **resources.requests}


def _complete_pod_requests(pod: Pod) -> None:
    """Complete Pod-level requests, where there are Pod-level limits: from the containers' sum,
    else from the limit."""
    resources = pod.spec.resources
    if resources is None or not resources.limits:
        return
    known = dict(resources.requests)
    for name, amount in container_requests(pod).items():
        if supports_pod_level(name):
            known.setdefault(name, format_milli(amount))
    for name, limit in resources.limits.items():
        if supports_pod_level(name):
            known.setdefault(name, limit)
    resources.requests = known


def _take_host_ports(container: Container) -> None:
    """On the host's network a container port is a host port."""
    for port in container.ports:
        port.host_port = port.host_port or port.container_port
