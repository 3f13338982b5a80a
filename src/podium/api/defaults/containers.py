"""Defaults of containers, their probes and hooks."""

from __future__ import annotations

from podium.api.defaults.resources import round_requirements
from podium.api.types.core_v1 import (
    Container,
    EphemeralContainer,
    HTTPGetAction,
    LifecycleHandler,
    ObjectFieldSelector,
    Probe,
)

TERMINATION_MESSAGE_PATH = "/dev/termination-log"


def set_defaults_container(container: Container | EphemeralContainer) -> None:
    container.image_pull_policy = container.image_pull_policy or default_pull_policy(
        container.image
    )
    container.termination_message_path = (
        container.termination_message_path or TERMINATION_MESSAGE_PATH
    )
    container.termination_message_policy = container.termination_message_policy or "File"
    round_requirements(container.resources)
    for port in container.ports:
        port.protocol = port.protocol or "TCP"
    for variable in container.env:
        if variable.value_from is not None and variable.value_from.field_ref is not None:
            set_defaults_field_ref(variable.value_from.field_ref)
    for probe in (container.liveness_probe, container.readiness_probe, container.startup_probe):
        if probe is not None:
            _set_defaults_probe(probe)
    if container.lifecycle is not None:
        for hook in (container.lifecycle.post_start, container.lifecycle.pre_stop):
            _set_defaults_hook(hook)


def default_pull_policy(image: str) -> str:
    """``Always`` for the tag ``latest``, also where no tag is written; else ``IfNotPresent``."""
    name, at, _digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not image or (at and not tag):
        return "IfNotPresent"
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def set_defaults_field_ref(reference: ObjectFieldSelector) -> None:
    reference.api_version = reference.api_version or "v1"


def _set_defaults_probe(probe: Probe) -> None:
    probe.timeout_seconds = probe.timeout_seconds or 1
    probe.period_seconds = probe.period_seconds or 10
    probe.success_threshold = probe.success_threshold or 1
    probe.failure_threshold = probe.failure_threshold or 3
    if probe.grpc is not None and probe.grpc.service is None:
        probe.grpc.service = ""
    _set_defaults_http_get(probe.http_get)


def _set_defaults_hook(hook: LifecycleHandler | None) -> None:
    if hook is not None:
        _set_defaults_http_get(hook.http_get)


def _set_defaults_http_get(action: HTTPGetAction | None) -> None:
    if action is not None:
        action.path = action.path or "/"
        action.scheme = action.scheme or "HTTP"
