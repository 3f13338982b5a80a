"""Flags of ``podium kubelet``, by upstream's names; little is imported: every command does.

All but those about dead containers say what a field of KubeletConfiguration says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from podium.kubelet import config_readers as read
from podium.kubelet.auth.settings import mode as auth_mode


class Flag(msgspec.Struct, frozen=True):
    """``attribute`` is that of KubeletConfiguration."""

    attribute: str
    read: Callable[[str, Any], Any]
    help: str


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return read.texts(name, str(value).split(","))


def _sysctls(name: str, value: Any) -> tuple[str, ...]:
    return read.sysctls(name, str(value).split(","))


def _quantities(name: str, value: Any) -> dict[str, str]:
    return read.quantities(name, read.texts_by_name(name, value))


FLAGS = {
    "allowed-unsafe-sysctls": Flag(
        "allowed_unsafe_sysctls",
        _sysctls,
        "sysctls that Pods may set besides the safe ones: name,name.*,… (default: none)",
    ),
    "max-pods": Flag("max_pods", read.count, "Pods that the node takes (default: 110)"),
    "cluster-dns": Flag("cluster_dns", _texts, "addresses of the cluster's name servers, a,b"),
    "cluster-domain": Flag(
        "cluster_domain", read.text, "the domain of the cluster (default: cluster.local)"
    ),
    "resolv-conf": Flag(
        "resolv_conf", read.text, "the node's resolv.conf (default: /etc/resolv.conf)"
    ),
    "container-log-max-size": Flag(
        "container_log_max_size", read.size, "how long a log may become (default: 10Mi)"
    ),
    "container-log-max-files": Flag(
        "container_log_max_files", read.files, "files of one container's log (default: 5)"
    ),
    "system-reserved": Flag(
        "system_reserved",
        _quantities,
        "what the system keeps: cpu=200m,memory=500Mi (default: none)",
    ),
    "kube-reserved": Flag(
        "kube_reserved", _quantities, "what Podium itself keeps, in the same form (default: none)"
    ),
    "pod-manifest-path": Flag(
        "static_pod_path", read.text, "a directory of manifests of static Pods, or one manifest"
    ),
    "file-check-frequency": Flag(
        "file_check_frequency",
        read.duration,
        "how often these are read without being told of a change (default: 20s)",
    ),
    "shutdown-grace-period": Flag(
        "shutdown_grace_period",
        read.duration_or_none,
        "end the Pods within this time on SIGTERM; 0 leaves them running (default: 0)",
    ),
    "shutdown-grace-period-critical-pods": Flag(
        "shutdown_grace_period_critical_pods",
        read.duration_or_none,
        "the part of it that critical Pods get, after the others (default: 0)",
    ),
    "image-gc-high-threshold": Flag(
        "image_gc_high_threshold_percent",
        read.percent,
        "use of the disk, in percent, from which on unused images go; 100: never (default: 85)",
    ),
    "image-gc-low-threshold": Flag(
        "image_gc_low_threshold_percent",
        read.percent,
        "use of the disk down to which they go (default: 80)",
    ),
    "minimum-image-ttl-duration": Flag(
        "image_minimum_gc_age",
        read.duration_or_none,
        "how long an unused image stays at least (default: 2m)",
    ),
    "serialize-image-pulls": Flag(
        "serialize_image_pulls", read.truth, "pull one image at a time (default: true)"
    ),
    "maximum-dead-containers-per-container": Flag(
        "maximum_dead_containers_per_container",
        read.number,
        "dead runs of one container that stay (default: 1)",
    ),
    "maximum-dead-containers": Flag(
        "maximum_dead_containers",
        read.number,
        "dead containers of the whole node that stay; -1: any number (default: -1)",
    ),
    "register-with-taints": Flag(
        "register_with_taints",
        read.taints,
        "taints of the node when it is new: key=value:Effect,… (default: none)",
    ),
    "pod-max-pids": Flag(
        "pod_pids_limit",
        read.number,
        "processes and threads that each Pod may have; -1: any number (default: -1)",
    ),
    "anonymous-auth": Flag(
        "anonymous_auth", read.truth, "take requests of nobody known, too (default: false)"
    ),
    "authentication-token-webhook": Flag(
        "token_auth", read.truth, "ask the API server about bearer tokens (default: true)"
    ),
    "authentication-token-webhook-cache-ttl": Flag(
        "token_auth_cache_ttl",
        read.duration_or_none,
        "how long its answers are kept (default: 2m)",
    ),
    "authorization-mode": Flag(
        "authorization_mode",
        auth_mode,
        "Webhook: ask the API server who may do what here; AlwaysAllow (default: Webhook)",
    ),
    "authorization-webhook-cache-authorized-ttl": Flag(
        "authorized_cache_ttl",
        read.duration_or_none,
        "how long it is kept that somebody may (default: 5m)",
    ),
    "authorization-webhook-cache-unauthorized-ttl": Flag(
        "unauthorized_cache_ttl",
        read.duration_or_none,
        "how long it is kept that somebody may not (default: 30s)",
    ),
    "cpu-cfs-quota": Flag("cpu_cfs_quota", read.truth, "enforce CPU limits (default: true)"),
    "eviction-hard": Flag(
        "eviction_hard",
        read.texts_by_name,
        "what must be left of the node, e.g. memory.available<1Gi,nodefs.available<10%%; Pods go "
        "where it is not (default: memory.available<100Mi,nodefs.available<10%%,"
        "nodefs.inodesFree<5%%,imagefs.available<15%%,imagefs.inodesFree<5%%)",
    ),
    "eviction-soft": Flag(
        "eviction_soft", read.texts_by_name, "the same, for thresholds with a grace period"
    ),
    "eviction-soft-grace-period": Flag(
        "eviction_soft_grace_period",
        read.durations_by_name,
        "how long each of these has to be met, e.g. memory.available=1m30s",
    ),
    "eviction-minimum-reclaim": Flag(
        "eviction_minimum_reclaim",
        read.texts_by_name,
        "how much is to be freed beyond a threshold that was met, e.g. imagefs.available=2Gi",
    ),
    "eviction-pressure-transition-period": Flag(
        "eviction_pressure_transition_period",
        read.duration,
        "how long the node tells of pressure after it has gone (default: 5m)",
    ),
    "eviction-max-pod-grace-period": Flag(
        "eviction_max_pod_grace_period",
        read.not_negative,
        "seconds that a Pod gets which a soft threshold ends (default: 0)",
    ),
    "minimum-container-ttl-duration": Flag(
        "minimum_container_ttl_duration",
        read.duration_or_none,
        "how long a dead container stays at least (default: 0)",
    ),
}
