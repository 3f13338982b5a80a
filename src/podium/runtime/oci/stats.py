"""What containers have written and sandboxes carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.kit.disk_usage import disk_usage
from podium.runtime.image_port import FilesystemUsage
from podium.runtime.oci.engine import Engine
from podium.runtime.port import PodSandboxState
from podium.runtime.stats_port import NetworkInterfaceUsage

#: Seconds that counting may take.
PATIENCE = 60.0


async def writable_layers(
    engine: Engine, container_ids: Sequence[str]
) -> Mapping[str, FilesystemUsage]:
    known = [wanted for wanted in container_ids if wanted in engine.containers]
    paths = {str(engine.container_paths(container).upper): container for container in known}
    try:
        found = await disk_usage(paths, PATIENCE)
    except TimeoutError:
        return {}
    root = str(engine.options.root)
    return {
        paths[path]: FilesystemUsage(root, used.bytes, used.inodes) for path, used in found.items()
    }


def pod_sandbox_networks(engine: Engine) -> Mapping[str, Sequence[NetworkInterfaceUsage]]:
    ready = [
        sandbox_id
        for sandbox_id, live in engine.sandboxes.items()
        if live.record.state is PodSandboxState.READY and live.record.ips
    ]
    return {found: [usage] for found, usage in engine.network.usage(ready).items()}
