"""``KubeletConfiguration`` (kubelet.config.k8s.io/v1beta1): the fields that are served.

A field that is not served is refused by name, so that nobody believes in a setting that does
nothing. https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import msgspec
from msgspec.structs import replace

from podium.domain.pods.backoff import RestartBackOff
from podium.domain.pods.cgroups import CpuQuota
from podium.domain.pods.eviction import Threshold, parse_thresholds, with_pods_memory
from podium.domain.pods.garbage import DeadContainerPolicy
from podium.domain.pods.shutdown import ShutdownGrace, by_criticality
from podium.kubelet import config_readers as read
from podium.kubelet.auth import settings as auth_settings
from podium.kubelet.auth.settings import AuthSettings
from podium.kubelet.config_readers import ConfigError, NodeTaint
from podium.kubelet.flags import FLAGS

__all__ = ["API_VERSION", "ConfigError", "KubeletConfiguration", "load", "parse"]

_Group = dict[str, Union[tuple[str, Any], "_Group"]]
API_VERSION = "kubelet.config.k8s.io/v1beta1"

EVICTION_HARD: Mapping[str, str] = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
}


class KubeletConfiguration(msgspec.Struct, frozen=True):
    """Defaults are upstream's. Durations are in seconds."""

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
    system_reserved: dict[str, str] = msgspec.field(default_factory=dict)
    kube_reserved: dict[str, str] = msgspec.field(default_factory=dict)
    static_pod_path: str = ""  #: a directory of manifests, or one manifest
    file_check_frequency: float = 20.0
    shutdown_grace_period: float = 0.0
    shutdown_grace_period_critical_pods: float = 0.0
    shutdown_grace_period_by_pod_priority: tuple[ShutdownGrace, ...] = ()
    #: Waits between restarts of one container: the first, the longest; and how long a run has to
    #: last for the next wait to be the first again.
    restart_back_off_start: float = 10.0
    restart_back_off_maximum: float = 300.0
    restart_back_off_reset: float = 600.0
    restart_back_off_least: float = 1.0
    image_gc_high_threshold_percent: int = 85  #: 100: never
    image_gc_low_threshold_percent: int = 80
    image_minimum_gc_age: float = 120.0
    image_maximum_gc_age: float = 0.0  #: 0: no image is too old
    serialize_image_pulls: bool = True
    max_parallel_image_pulls: int | None = None
    image_pull_credentials_verification_policy: str = "NeverVerifyPreloadedImages"
    preloaded_images_verification_allowlist: tuple[str, ...] = ()
    #: Dead containers that are kept: of one container beside its last run, and of the node; -1: any
    #: number.
    maximum_dead_containers_per_container: int = 1
    maximum_dead_containers: int = -1
    minimum_container_ttl_duration: float = 0.0
    eviction_hard: Mapping[str, str] = msgspec.field(default_factory=lambda: EVICTION_HARD)
    eviction_soft: Mapping[str, str] = msgspec.field(default_factory=dict)
    eviction_soft_grace_period: Mapping[str, float] = msgspec.field(default_factory=dict)
    eviction_minimum_reclaim: Mapping[str, str] = msgspec.field(default_factory=dict)
    eviction_pressure_transition_period: float = 300.0
    eviction_max_pod_grace_period: int = 0
    merge_default_eviction_settings: bool = False
    pod_pids_limit: int = -1  #: of each Pod; -1: none
    single_process_oom_kill: bool = False  #: of a container's processes; with cgroup v1 always so
    address: str = ""  #: where the kubelet's door is; "": the node's address
    port: int = 0  #: 0: what the cluster says
    tls_cert_file: str = ""  #: with its key; "": the cluster's
    tls_private_key_file: str = ""
    register_with_taints: tuple[NodeTaint, ...] = ()  #: of a node that is new
    cpu_cfs_quota: bool = True  #: whether CPU limits are enforced
    cpu_cfs_quota_period: float = 0.1
    enforce_node_allocatable: tuple[str, ...] = ("pods",)
    client_ca_file: str = ""  #: "": the cluster's
    anonymous_auth: bool = False
    token_auth: bool = True  #: whether the API server is asked about bearer tokens
    token_auth_cache_ttl: float = 120.0
    authorization_mode: str = auth_settings.WEBHOOK
    authorized_cache_ttl: float = 300.0
    unauthorized_cache_ttl: float = 30.0

    @property
    def auth(self) -> AuthSettings:
        return AuthSettings(
            self.anonymous_auth,
            self.token_auth,
            self.authorization_mode,
            self.token_auth_cache_ttl,
            self.authorized_cache_ttl,
            self.unauthorized_cache_ttl,
        )

    @property
    def reserved(self) -> dict[str, str]:
        """What is kept from Pods for all else on the node."""
        from podium.api import quantity

        total: dict[str, int] = {}
        for table in (self.system_reserved, self.kube_reserved):
            for name, amount in table.items():
                total[name] = total.get(name, 0) + quantity.to_milli(amount)
        return {name: quantity.canonical(f"{milli}m") for name, milli in total.items()}

    @property
    def cpu_quota(self) -> CpuQuota:
        return CpuQuota(self.cpu_cfs_quota, round(self.cpu_cfs_quota_period * 1e6))

    @property
    def eviction_thresholds(self) -> tuple[Threshold, ...]:
        """Raises ValueError."""
        merge = self.merge_default_eviction_settings
        found = parse_thresholds(
            {**EVICTION_HARD, **self.eviction_hard} if merge else self.eviction_hard,
            self.eviction_soft,
            self.eviction_soft_grace_period,
            self.eviction_minimum_reclaim,
        )
        return with_pods_memory(found) if "pods" in self.enforce_node_allocatable else found

    @property
    def image_pulls_at_once(self) -> int | None:
        """None: any number."""
        return 1 if self.serialize_image_pulls else self.max_parallel_image_pulls

    @property
    def dead_containers(self) -> DeadContainerPolicy:
        return DeadContainerPolicy(
            self.maximum_dead_containers_per_container,
            self.maximum_dead_containers,
            self.minimum_container_ttl_duration,
        )

    @property
    def restart_back_off(self) -> RestartBackOff:
        return RestartBackOff(
            self.restart_back_off_start,
            self.restart_back_off_maximum,
            self.restart_back_off_reset,
            self.restart_back_off_least,
        )

    @property
    def shutdown_classes(self) -> tuple[ShutdownGrace, ...]:
        """What a shutdown gives to Pods, by their priorities; empty where it leaves them alone."""
        return self.shutdown_grace_period_by_pod_priority or by_criticality(
            self.shutdown_grace_period, self.shutdown_grace_period_critical_pods
        )

    @property
    def shutdown_period(self) -> float:
        """How long a shutdown may take to end all Pods, in seconds."""
        return float(sum(given.seconds for given in self.shutdown_classes))


def load(
    path: str | Path,
    defaults: KubeletConfiguration | None = None,
    flags: Mapping[str, str] | None = None,
) -> KubeletConfiguration:
    """Read a YAML or JSON file, for this machine, as :func:`parse` does. Raises ConfigError."""
    import yaml  # only where a file is given

    from podium.runtime import cgroups

    try:
        document = yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    try:
        config = parse(document, defaults, flags)
        given = document or {}  # nothing is in an empty file
        if given.get("singleProcessOOMKill") is False and cgroups.version() == 1:
            # The kernel kills single processes there; upstream's kubelet refuses it, too.
            raise ConfigError(
                "singleProcessOOMKill must not be explicitly set to false when using cgroup v1"
            )
        return config
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from exc


def parse(
    document: Any,
    defaults: KubeletConfiguration | None = None,
    flags: Mapping[str, str] | None = None,
) -> KubeletConfiguration:
    """Read a configuration from plain values, None where there is no file.

    *flags* (of :data:`~podium.kubelet.flags.FLAGS`) go before the file, which goes before
    *defaults*. Raises ConfigError.
    """
    values = {} if document is None else _fields(document)
    for name, given in (flags or {}).items():
        flag = FLAGS[name]
        values[flag.attribute] = flag.read(f"--{name}", read.scalar(given))
    if "max_parallel_image_pulls" in values:  # upstream's default where that is set
        values.setdefault("serialize_image_pulls", values["max_parallel_image_pulls"] == 1)
    config = replace(defaults or KubeletConfiguration(), **values)
    _check(config)
    return config


def served_fields() -> set[str]:
    """The paths of all fields that may be set."""

    def paths(name: str, group: _Group) -> set[str]:
        found = set()
        for inner, entry in group.items():
            path = f"{name}.{inner}"
            found |= paths(path, entry) if isinstance(entry, dict) else {path}
        return found

    inner = {path for name, group in GROUPS.items() for path in paths(name, group)}
    return set(FIELDS) | set(ONLY) | inner


def _fields(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ConfigError("not a KubeletConfiguration")
    rest = dict(document)
    kind, version = rest.pop("kind", None), rest.pop("apiVersion", None)
    if kind != "KubeletConfiguration" or version != API_VERSION:
        raise ConfigError(f"kind must be KubeletConfiguration and apiVersion {API_VERSION}")
    values: dict[str, Any] = {}
    for name, value in rest.items():
        if name in GROUPS:
            values |= _group(name, GROUPS[name], value)
            continue
        if name in ONLY:
            if value != ONLY[name]:
                said = json.dumps(ONLY[name])
                raise ConfigError(f"{name}: this node knows no other value than {said}")
            continue
        if name not in FIELDS:
            served = ", ".join(sorted({**FIELDS, **GROUPS, **ONLY}))
            raise ConfigError(f"{name}: this field is not served; those that are: {served}")
        attribute, reader = FIELDS[name]
        values[attribute] = reader(name, value)
    return values


def _group(name: str, known: _Group, value: Any) -> dict[str, Any]:
    """Read a field that has fields of its own."""
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: must be a map")
    values: dict[str, Any] = {}
    for inner, found in value.items():
        if inner not in known:
            served = ", ".join(sorted(known))
            raise ConfigError(f"{name}.{inner}: this field is not served; those that are: {served}")
        entry = known[inner]
        if isinstance(entry, dict):
            values |= _group(f"{name}.{inner}", entry, found)
        else:
            attribute, reader = entry
            values[attribute] = reader(f"{name}.{inner}", found)
    return values


def _check(config: KubeletConfiguration) -> None:
    """Refuse values that contradict each other."""
    high, low = config.image_gc_high_threshold_percent, config.image_gc_low_threshold_percent
    if low >= high:
        raise ConfigError(
            f"imageGCLowThresholdPercent: {low} must be less than "
            f"imageGCHighThresholdPercent {high}"
        )
    oldest = config.image_maximum_gc_age
    if oldest and oldest <= config.image_minimum_gc_age:
        raise ConfigError("imageMaximumGCAge: must be greater than imageMinimumGCAge")
    most = config.max_parallel_image_pulls
    if config.serialize_image_pulls and most is not None and most > 1:
        raise ConfigError(
            "maxParallelImagePulls: cannot be larger than 1 unless serializeImagePulls is false"
        )
    try:
        _ = config.eviction_thresholds
    except ValueError as exc:
        raise ConfigError(f"evictionHard, evictionSoft, evictionMinimumReclaim: {exc}") from exc
    if bool(config.tls_cert_file) != bool(config.tls_private_key_file):
        raise ConfigError("tlsCertFile: goes together with tlsPrivateKeyFile")
    _check_shutdown(config)


def _check_shutdown(config: KubeletConfiguration) -> None:
    whole, critical = config.shutdown_grace_period, config.shutdown_grace_period_critical_pods
    if whole < critical:
        raise ConfigError("shutdownGracePeriod: must be >= shutdownGracePeriodCriticalPods")
    for name, seconds in (
        ("shutdownGracePeriod", whole),
        ("shutdownGracePeriodCriticalPods", critical),
    ):
        if 0 < seconds < 1:
            raise ConfigError(f"{name}: must be either zero or at least 1s")
    if config.shutdown_grace_period_by_pod_priority and whole:
        raise ConfigError(
            "shutdownGracePeriodByPodPriority: cannot go together with shutdownGracePeriod"
        )


def by_priority(name: str, value: Any) -> tuple[ShutdownGrace, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{name}: must be a list")
    found = []
    for number, entry in enumerate(value):
        at = f"{name}[{number}]"
        fields = {"priority", "shutdownGracePeriodSeconds"}
        if not isinstance(entry, dict) or set(entry) != fields:
            raise ConfigError(f"{at}: must have priority and shutdownGracePeriodSeconds, no more")
        seconds = read.number(
            f"{at}.shutdownGracePeriodSeconds", entry["shutdownGracePeriodSeconds"]
        )
        if seconds < 0:
            raise ConfigError(f"{at}.shutdownGracePeriodSeconds: must not be negative")
        found.append(ShutdownGrace(read.number(f"{at}.priority", entry["priority"]), seconds))
    return tuple(sorted(found, key=lambda grace: grace.priority))


def _verification_policy(name: str, value: Any) -> str:
    policies = (
        "NeverVerify",
        "NeverVerifyPreloadedImages",
        "NeverVerifyAllowlistedImages",
        "AlwaysVerify",
    )
    if value not in policies:
        raise ConfigError(f"{name}: must be one of {', '.join(policies)}")
    return str(value)


def _longest_wait(name: str, value: Any) -> float:
    seconds = read.duration(name, value)
    if not 1 <= seconds <= 300:
        raise ConfigError(f"{name}: must be between 1s and 300s")
    return seconds


def _quota_period(name: str, value: Any) -> float:
    seconds = read.duration(name, value)
    if not 0.001 <= seconds <= 1:
        raise ConfigError(f"{name}: must be between 1ms and 1sec, inclusive")
    return seconds


def _enforced(name: str, value: Any) -> tuple[str, ...]:
    """For the system's and the kubelet's own cgroups, upstream's other values, there is nothing."""
    found = read.texts(name, value.split(",") if isinstance(value, str) else value)
    if set(found) - {"pods", "none"} or ("none" in found and len(found) > 1):
        raise ConfigError(f"{name}: must be pods or none")
    return tuple(kind for kind in found if kind != "none")


FIELDS = {
    "containerLogMaxSize": ("container_log_max_size", read.size),
    "containerLogMaxFiles": ("container_log_max_files", read.files),
    "containerLogMonitorInterval": ("container_log_monitor_interval", read.duration),
    "maxPods": ("max_pods", read.count),
    "nodeStatusUpdateFrequency": ("node_status_update_frequency", read.duration),
    "nodeStatusReportFrequency": ("node_status_report_frequency", read.duration),
    "nodeLeaseDurationSeconds": ("node_lease_duration_seconds", read.count),
    "resolvConf": ("resolv_conf", read.text),
    "clusterDNS": ("cluster_dns", read.texts),
    "clusterDomain": ("cluster_domain", read.text),
    "allowedUnsafeSysctls": ("allowed_unsafe_sysctls", read.sysctls),
    "userNamespaces": ("user_namespace_ids_per_pod", read.user_namespaces),
    "systemReserved": ("system_reserved", read.quantities),
    "kubeReserved": ("kube_reserved", read.quantities),
    "staticPodPath": ("static_pod_path", read.text),
    "fileCheckFrequency": ("file_check_frequency", read.duration),
    "shutdownGracePeriod": ("shutdown_grace_period", read.duration_or_none),
    "shutdownGracePeriodCriticalPods": (
        "shutdown_grace_period_critical_pods",
        read.duration_or_none,
    ),
    "shutdownGracePeriodByPodPriority": ("shutdown_grace_period_by_pod_priority", by_priority),
    "imageGCHighThresholdPercent": ("image_gc_high_threshold_percent", read.percent),
    "imageGCLowThresholdPercent": ("image_gc_low_threshold_percent", read.percent),
    "imageMinimumGCAge": ("image_minimum_gc_age", read.duration_or_none),
    "imageMaximumGCAge": ("image_maximum_gc_age", read.duration_or_none),
    "serializeImagePulls": ("serialize_image_pulls", read.truth),
    "imagePullCredentialsVerificationPolicy": (
        "image_pull_credentials_verification_policy",
        _verification_policy,
    ),
    "preloadedImagesVerificationAllowlist": (
        "preloaded_images_verification_allowlist",
        read.texts,
    ),
    "maxParallelImagePulls": ("max_parallel_image_pulls", read.count),
    "podPidsLimit": ("pod_pids_limit", read.number),
    "singleProcessOOMKill": ("single_process_oom_kill", read.truth),
    "address": ("address", read.address),
    "port": ("port", read.port),
    "tlsCertFile": ("tls_cert_file", read.text),
    "tlsPrivateKeyFile": ("tls_private_key_file", read.text),
    "registerWithTaints": ("register_with_taints", read.taints),
    "cpuCFSQuota": ("cpu_cfs_quota", read.truth),
    "cpuCFSQuotaPeriod": ("cpu_cfs_quota_period", _quota_period),
    "enforceNodeAllocatable": ("enforce_node_allocatable", _enforced),
    "evictionHard": ("eviction_hard", read.texts_by_name),
    "evictionSoft": ("eviction_soft", read.texts_by_name),
    "evictionSoftGracePeriod": ("eviction_soft_grace_period", read.durations_by_name),
    "evictionMinimumReclaim": ("eviction_minimum_reclaim", read.texts_by_name),
    "evictionPressureTransitionPeriod": ("eviction_pressure_transition_period", read.duration),
    "evictionMaxPodGracePeriod": ("eviction_max_pod_grace_period", read.not_negative),
    "mergeDefaultEvictionSettings": ("merge_default_eviction_settings", read.truth),
}
#: Fields whose one value says what is so here anyway.
ONLY: Mapping[str, Any] = {
    "cgroupDriver": "cgroupfs",
    "cgroupsPerQOS": True,
    "cpuManagerPolicy": "none",
    "enableDebuggingHandlers": True,
    "enableServer": True,
    "failSwapOn": False,
    "localStorageCapacityIsolation": True,
    "memoryManagerPolicy": "None",
    "memorySwap": {"swapBehavior": "NoSwap"},
    "readOnlyPort": 0,
    "registerNode": True,
    "seccompDefault": True,
    "topologyManagerPolicy": "none",
}
#: Fields that have fields. Names with our domain are our own.
GROUPS: dict[str, _Group] = {
    "authentication": {
        "anonymous": {"enabled": ("anonymous_auth", read.truth)},
        "webhook": {
            "enabled": ("token_auth", read.truth),
            "cacheTTL": ("token_auth_cache_ttl", read.duration_or_none),
        },
        "x509": {"clientCAFile": ("client_ca_file", read.text)},
    },
    "authorization": {
        "mode": ("authorization_mode", auth_settings.mode),
        "webhook": {
            "cacheAuthorizedTTL": ("authorized_cache_ttl", read.duration_or_none),
            "cacheUnauthorizedTTL": ("unauthorized_cache_ttl", read.duration_or_none),
        },
    },
    "crashLoopBackOff": {
        "maxContainerRestartPeriod": ("restart_back_off_maximum", _longest_wait),
        "podium.io/start": ("restart_back_off_start", read.duration),
        "podium.io/reset": ("restart_back_off_reset", read.duration),
        "podium.io/least": ("restart_back_off_least", read.duration),
    },
}
