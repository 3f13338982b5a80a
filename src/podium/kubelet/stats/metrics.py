"""``/metrics``: of the kubelet itself."""

from __future__ import annotations

from podium.kubelet.stats.prometheus import Sample, family
from podium.runtime.port import ContainerState, RuntimeService


async def metrics(runtime: RuntimeService) -> str:
    """The number of running containers and Pods, in Prometheus' text format."""
    containers = await runtime.list_containers()
    running = len([c for c in containers if c.state is ContainerState.RUNNING])
    sandboxes = len(await runtime.list_pod_sandbox())
    return family(
        "kubelet_running_containers",
        "gauge",
        "Number of containers currently running",
        [Sample({"container_state": "running"}, running)],
    ) + family(
        "kubelet_running_pods",
        "gauge",
        "Number of pods that have a pod sandbox",
        [Sample({}, sandboxes)],
    )
