"""The runtime, images and network of a cluster's node, as its settings want them.

Apart from the kubelet, so that `podium down` needs none.
"""

from __future__ import annotations

from podium.cluster.config import SHARED_DIR, ClusterConfig
from podium.runtime.images import registries
from podium.runtime.images.service import LocalImageService
from podium.runtime.network.bridge import BridgeNetwork
from podium.runtime.network.ruleset import DnsRule, ServiceRule
from podium.runtime.oci.layout import OciOptions


def network(config: ClusterConfig, name_server: str = "") -> BridgeNetwork:
    """*name_server* is what answers at the address that Pods look for DNS at."""
    service = ServiceRule(config.kubernetes_service_ip, 443, config.port)
    return BridgeNetwork(
        config.link_name,
        config.pod_cidr,
        config.network_dir,
        service=service,
        dns=DnsRule(config.dns_service_ip, name_server),
        shared_dir=SHARED_DIR,
    )


def image_service(config: ClusterConfig) -> LocalImageService:
    mirrors = registries.load(config.registry_config) if config.registry_config else None
    return LocalImageService(config.images_dir, mirrors)


def oci_options(config: ClusterConfig) -> OciOptions:
    return OciOptions(
        root=config.runtime_dir,
        run_dir=config.run_dir / "runtime",
        cgroup_root=config.cgroup_root,
    )
