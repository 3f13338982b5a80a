"""The node of a cluster: the kubelet with the embedded runtime, images and network."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from podium.cluster import node_dns
from podium.cluster.components import EVENT_PAUSE, client_config
from podium.cluster.config import ClusterConfig
from podium.cluster.pki import Pki
from podium.cluster.runtime import image_service, network, oci_options
from podium.kit.aio import GracefulStop
from podium.kit.clock import SystemClock
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.kubelet import run as run_kubelet
from podium.kubelet.options import KubeletOptions
from podium.runtime import linux
from podium.runtime.oci.runtime import OciRuntime

_KNOCK_INTERVAL = 0.01  # seconds


async def run(
    config: ClusterConfig,
    ready: Callable[[], None],
    settings: KubeletConfiguration,
    stop: GracefulStop,
) -> None:
    """Be the node until cancelled, or until asked to *stop* where the settings have it end its Pods
    first; *ready* is called when it has become Ready.
    """
    keep_in_memory(config.run_dir / "kubelet")
    resolver = Path(settings.resolv_conf)
    bridge = network(config, node_dns.name_server(resolver))
    await bridge.setup()
    images = image_service(config)
    async with OciRuntime(oci_options(config), images, bridge) as runtime:
        options = kubelet_options(config, settings)
        if not settings.static_pod_path:  # static Pods do not wait for it
            await _api_is_there(config)
        async with asyncio.TaskGroup() as group:
            dns = node_dns.follow(resolver, bridge.set_name_server)
            following = group.create_task(dns, name="resolver")
            clock = SystemClock()
            await run_kubelet(options, runtime, images, clock, on_ready=ready, stop=stop)
            following.cancel()


def keep_in_memory(directory: Path) -> None:
    """Make *directory*, and a tmpfs of it where it is not on one: Pods' secrets and tokens are
    kept there, and never touch a disk. `podium down` unmounts what is below the run directory.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if linux.filesystem(str(directory)) not in ("tmpfs", "ramfs"):
        flags = linux.MS_NOSUID | linux.MS_NODEV
        linux.mount("tmpfs", str(directory), "tmpfs", flags, "mode=0700")


async def _api_is_there(config: ClusterConfig) -> None:
    """Wait until something listens where the API server will be: both start at the same time."""
    address = (config.server_address, config.port)
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(*address)
            writer.close()
            return
        await asyncio.sleep(_KNOCK_INTERVAL)


def kubelet_options(config: ClusterConfig, settings: KubeletConfiguration) -> KubeletOptions:
    pki = Pki(config.pki_dir)
    address = settings.address or config.node_ip
    return KubeletOptions(
        client_config=client_config(config, "kubelet-client", "kubelet"),
        node_name=config.node_name,
        node_ip=config.node_ip,
        root_dir=config.kubelet_dir,
        run_dir=config.run_dir / "kubelet",
        log_dir=config.log_dir,
        port=free_port(address, settings.port or config.kubelet_port),
        bind_address=address,
        tls_cert_file=settings.tls_cert_file or str(pki.cert("kubelet")),
        tls_key_file=settings.tls_private_key_file or str(pki.key("kubelet")),
        client_ca_file=str(pki.ca),
        pod_cidr=config.pod_cidr,
        cgroup_root=config.cgroup_root,
        config=settings,
        event_pause=EVENT_PAUSE,
    )


def free_port(address: str, preferred: int) -> int:
    """Return *preferred* where it can be listened on, else some port that can."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise OSError(f"no free port on {address}")
