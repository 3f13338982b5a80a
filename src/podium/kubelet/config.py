"""``KubeletConfiguration`` (kubelet.config.k8s.io/v1beta1): the fields that are served.

A field that is not served is refused by name, so that nobody believes in a setting that does
nothing. https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

API_VERSION = "kubelet.config.k8s.io/v1beta1"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class ConfigError(ValueError):
    """The configuration cannot be used; the text names the field."""


@dataclass(frozen=True, slots=True)
class KubeletConfiguration:
    """Durations are in seconds."""

    max_pods: int = 110
    node_status_update_frequency: float = 10.0
    node_status_report_frequency: float = 300.0
    node_lease_duration_seconds: int = 40
    resolv_conf: str = "/etc/resolv.conf"
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    allowed_unsafe_sysctls: tuple[str, ...] = ()
    user_namespace_ids_per_pod: int = 65536
    container_log_max_size: int = 10 << 20  #: bytes
    container_log_max_files: int = 5
    container_log_monitor_interval: float = 10.0
    system_reserved: dict[str, str] = field(default_factory=dict)
    kube_reserved: dict[str, str] = field(default_factory=dict)


def load(path: str | Path) -> KubeletConfiguration:
    """Read a YAML or JSON file. Raises ConfigError."""
    import yaml  # only where a file is given

    try:
        document = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    try:
        return parse(document)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from exc


def parse(document: Any) -> KubeletConfiguration:
    """Read a configuration from plain values. Raises ConfigError."""
    if not isinstance(document, dict):
        raise ConfigError("not a KubeletConfiguration")
    rest = dict(document)
    kind, version = rest.pop("kind", None), rest.pop("apiVersion", None)
    if kind != "KubeletConfiguration" or version != API_VERSION:
        raise ConfigError(f"kind must be KubeletConfiguration and apiVersion {API_VERSION}")
    values: dict[str, Any] = {}
    for name, value in rest.items():
        if name not in _READERS:
            served = ", ".join(sorted(_READERS))
            raise ConfigError(f"{name}: this field is not served; those that are: {served}")
        attribute, read = _READERS[name]
        values[attribute] = read(name, value)
    return KubeletConfiguration(**values)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name}: must be a whole number of at least 1")
    return value


def _duration(name: str, value: Any) -> float:
    if isinstance(value, str) and value and not _DURATION.sub("", value):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(value))
        if seconds > 0:
            return seconds
    raise ConfigError(f"{name}: must be a duration such as 10s or 5m")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name}: must be a string")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"{name}: must be a list of strings")
    return tuple(value)


def _sysctls(name: str, value: Any) -> tuple[str, ...]:
    from podium.domain.pods.sysctls import SysctlAllowlist

    patterns = _texts(name, value)
    try:
        SysctlAllowlist.of(patterns)
    except ValueError as exc:
        raise ConfigError(f"{name}: {exc}") from exc
    return patterns


def _user_namespaces(name: str, value: Any) -> int:
    if not isinstance(value, dict) or set(value) - {"idsPerPod"}:
        raise ConfigError(f"{name}: the one field that is served is idsPerPod")
    count = value.get("idsPerPod", 65536)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1 or count % 65536:
        raise ConfigError(f"{name}.idsPerPod: must be a multiple of 65536")
    return count


def _quantities(name: str, value: Any) -> dict[str, str]:
    from podium.api import quantity

    if not isinstance(value, dict):
        raise ConfigError(f"{name}: must be a map of resources to quantities")
    amounts: dict[str, str] = {}
    for resource, amount in value.items():
        if resource not in ("cpu", "memory", "ephemeral-storage"):
            raise ConfigError(f"{name}[{resource}]: this resource is not served")
        try:
            amounts[resource] = quantity.canonical(str(amount))
        except ValueError as exc:
            raise ConfigError(f"{name}[{resource}]: {exc}") from exc
    return amounts


def _size(name: str, value: Any) -> int:
    from podium.api import quantity

    try:
        size = int(quantity.parse(str(value)))
    except ValueError as exc:
        raise ConfigError(f"{name}: {exc}") from exc
    if size < 1:
        raise ConfigError(f"{name}: must be a positive size such as 10Mi")
    return size


def _files(name: str, value: Any) -> int:
    if _count(name, value) < 2:
        raise ConfigError(f"{name}: must be greater than 1")
    return int(value)


_READERS = {
    "containerLogMaxSize": ("container_log_max_size", _size),
    "containerLogMaxFiles": ("container_log_max_files", _files),
    "containerLogMonitorInterval": ("container_log_monitor_interval", _duration),
    "maxPods": ("max_pods", _count),
    "nodeStatusUpdateFrequency": ("node_status_update_frequency", _duration),
    "nodeStatusReportFrequency": ("node_status_report_frequency", _duration),
    "nodeLeaseDurationSeconds": ("node_lease_duration_seconds", _count),
    "resolvConf": ("resolv_conf", _text),
    "clusterDNS": ("cluster_dns", _texts),
    "clusterDomain": ("cluster_domain", _text),
    "allowedUnsafeSysctls": ("allowed_unsafe_sysctls", _sysctls),
    "userNamespaces": ("user_namespace_ids_per_pod", _user_namespaces),
    "systemReserved": ("system_reserved", _quantities),
    "kubeReserved": ("kube_reserved", _quantities),
}
