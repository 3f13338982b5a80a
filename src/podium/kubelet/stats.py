"""What containers use, as ``/stats/summary`` and ``/metrics`` tell it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from podium.domain.pods import identity
from podium.runtime.port import (
    Container,
    ContainerState,
    CpuMemoryUsage,
    NotFound,
    RuntimeService,
)


async def usages(runtime: RuntimeService) -> list[tuple[Container, CpuMemoryUsage]]:
    """The use of every running container. Raises RuntimeFailure."""
    found = []
    for container in await runtime.list_containers():
        if container.state is not ContainerState.RUNNING:
            continue
        try:
            found.append((container, await runtime.container_stats(container.id)))
        except NotFound:
            continue  # ended meanwhile
    return found


async def summary(runtime: RuntimeService, node: str, now: datetime) -> dict[str, Any]:
    """``stats/v1alpha1``'s Summary, with CPU and memory of each container."""
    time = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    pods: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for container, usage in await usages(runtime):
        labels = container.labels
        key = (
            labels.get(identity.POD_NAMESPACE, ""),
            labels.get(identity.POD_NAME, ""),
            labels.get(identity.POD_UID, ""),
        )
        pods[key].append(
            {
                "name": container.metadata.name,
                "cpu": {"time": time, "usageCoreNanoSeconds": usage.cpu_usage_nanoseconds},
                "memory": {
                    "time": time,
                    "workingSetBytes": usage.memory_working_set_bytes,
                    "rssBytes": usage.memory_rss_bytes,
                },
            }
        )
    return {
        "node": {"nodeName": node},
        "pods": [
            {
                "podRef": {"namespace": namespace, "name": name, "uid": uid},
                "containers": containers,
            }
            for (namespace, name, uid), containers in pods.items()
        ],
    }


async def metrics(runtime: RuntimeService) -> str:
    """The number of running containers, in Prometheus' text format."""
    running = len([c for c in await runtime.list_containers() if c.state is ContainerState.RUNNING])
    sandboxes = len(await runtime.list_pod_sandbox())
    return (
        "# HELP kubelet_running_containers Number of containers currently running\n"
        "# TYPE kubelet_running_containers gauge\n"
        f'kubelet_running_containers{{container_state="running"}} {running}\n'
        "# HELP kubelet_running_pods Number of pods that have a pod sandbox\n"
        "# TYPE kubelet_running_pods gauge\n"
        f"kubelet_running_pods {sandboxes}\n"
    )
