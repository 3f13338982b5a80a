"""``KubeletConfiguration`` (kubelet.config.k8s.io/v1beta1): what may be set, and how it is checked.

The fields that are served are those of ``config_fields``; any other is refused by name, so that
nobody believes in a setting that does nothing.
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from podium.kubelet.config_fields import API_VERSION, field_values
from podium.kubelet.config_readers import ConfigError, NodeTaint
from podium.kubelet.flags import FLAGS

__all__ = ["API_VERSION", "ConfigError", "KubeletConfiguration", "load", "parse"]

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
    values = {} if document is None else field_values(document)
    for name, given in (flags or {}).items():
        flag = FLAGS[name]
        values[flag.attribute] = flag.read(f"--{name}", read.scalar(given))
    if "max_parallel_image_pulls" in values:  # upstream's default where that is set
        values.setdefault("serialize_image_pulls", values["max_parallel_image_pulls"] == 1)
    config = replace(defaults or KubeletConfiguration(), **values)
    _check(config)
    return config


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
