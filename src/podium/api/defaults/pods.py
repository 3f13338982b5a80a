"""Defaults of Pods."""

from __future__ import annotations

from podium.api.defaults.containers import set_defaults_container
from podium.api.defaults.resources import round_requirements, rounded
from podium.api.defaults.volumes import set_defaults_volume
from podium.api.quantity import format_bytes, format_milli
from podium.api.resources import (
    container_limits,
    container_requests,
    is_huge_page,
    supports_pod_level,
)
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
    _complete_pod_resources(pod)
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
    spec.overhead = rounded(spec.overhead)
    if spec.resources is not None:
        round_requirements(spec.resources)
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


def _complete_pod_resources(pod: Pod) -> None:
    """Complete ``spec.resources``, where it says anything.

    Huge pages that only containers limit are limited for the Pod, too. Without any limit, one
    follows from the containers' where each of them has one; with one, a request follows from the
    containers' sum, else from the limit.
    """
    resources = pod.spec.resources
    if resources is None or not (resources.limits or resources.requests):
        return
    limits, requests = dict(resources.limits), dict(resources.requests)
    sums = container_limits(pod)
    for name, amount in sums.items():
        if is_huge_page(name) and name not in requests:
            limits.setdefault(name, format_bytes(amount // 1000))
    if not limits:
        containers = (*pod.spec.containers, *pod.spec.init_containers)
        for name in _OVERCOMMITTED:
            if name in sums and all(name in c.resources.limits for c in containers):
                limits[name] = _text(name, sums[name])
    if limits:
        for name, amount in container_requests(pod).items():
            if name in _OVERCOMMITTED:
                requests.setdefault(name, _text(name, amount))
        for name, limit in limits.items():
            if supports_pod_level(name):
                requests.setdefault(name, limit)
    resources.limits, resources.requests = limits, requests


_OVERCOMMITTED = ("cpu", "memory")


def _text(name: str, amount: int) -> str:
    return format_bytes(-(-amount // 1000)) if name == "memory" else format_milli(amount)


def _take_host_ports(container: Container) -> None:
    """On the host's network a container port is a host port."""
    for port in container.ports:
        port.host_port = port.host_port or port.container_port
