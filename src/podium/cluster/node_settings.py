"""The kubelet's settings: the file's, and what follows from the cluster and the machine."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from podium.cluster import node_dns
from podium.cluster.config import ClusterConfig
from podium.kubelet import config as kubelet_config

#: What a laptop needs otherwise than a server: a disk that is almost full runs Pods all the same.
UP_DEFAULTS = kubelet_config.KubeletConfiguration(
    image_gc_high_threshold_percent=100,
    serialize_image_pulls=False,
    enforce_node_allocatable=(),
    eviction_hard={
        "memory.available": "100Mi",
        "nodefs.available": "0%",
        "nodefs.inodesFree": "0%",
        "imagefs.available": "0%",
        "imagefs.inodesFree": "0%",
    },
)


def kubelet_settings(
    config: ClusterConfig,
    defaults: kubelet_config.KubeletConfiguration | None = None,
    flags: Mapping[str, str] | None = None,
) -> kubelet_config.KubeletConfiguration:
    """Return what *config* and *flags* ask for. Raises ConfigError, the kubelet's."""
    if config.kubelet_config:
        settings = kubelet_config.load(config.kubelet_config, defaults, flags)
    else:
        settings = kubelet_config.parse(None, defaults, flags)
    if not settings.cluster_dns:
        settings = replace(settings, cluster_dns=(config.dns_service_ip,))
    if settings.resolv_conf == str(node_dns.DEFAULT):
        settings = replace(settings, resolv_conf=str(node_dns.resolver_file()))
    return settings
