"""The fields of a KubeletConfiguration that are served: how each is read, and what it sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Union

from podium.domain.pods.shutdown import ShutdownGrace
from podium.kubelet import config_readers as read
from podium.kubelet.auth import settings as auth_settings
from podium.kubelet.config_readers import ConfigError

_Group = dict[str, Union[tuple[str, Any], "_Group"]]
API_VERSION = "kubelet.config.k8s.io/v1beta1"


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


#: The configuration's attribute, and what reads it, by the field's name.
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


def field_values(document: Any) -> dict[str, Any]:
    """Return what a document says, by the configuration's attributes. Raises ConfigError."""
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
