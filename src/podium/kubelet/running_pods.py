"""What the runtime runs, whatever the API says, as ``/runningpods/`` tells it.

Follows ``GetRunningPods`` of upstream's kubelet: of a Pod its name and uid, of a container its name
and image.
"""

from __future__ import annotations

from podium.api.types.core_v1 import Container, Pod, PodList, PodSpec
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods import identity
from podium.runtime.port import ContainerState, PodSandboxState, RuntimeService


async def running_pods(runtime: RuntimeService) -> PodList:
    """Return the Pods that have a sandbox or a container, the newest first. Raises
    RuntimeFailure."""
    sandboxes = {found.id: found for found in await runtime.list_pod_sandbox()}
    containers: dict[str, list[Container]] = {}
    for found in await runtime.list_containers():
        if found.state is ContainerState.RUNNING and found.pod_sandbox_id in sandboxes:
            told = Container(name=found.metadata.name, image=found.image)
            containers.setdefault(found.pod_sandbox_id, []).append(told)
    items = []
    for sandbox in sorted(sandboxes.values(), key=lambda each: -each.created_at):
        if sandbox.state is PodSandboxState.READY or sandbox.id in containers:
            labels = sandbox.labels
            meta = ObjectMeta(
                name=labels.get(identity.POD_NAME, ""),
                namespace=labels.get(identity.POD_NAMESPACE, ""),
                uid=labels.get(identity.POD_UID, ""),
            )
            spec = PodSpec(containers=containers.get(sandbox.id, []))
            items.append(Pod(metadata=meta, spec=spec))
    return PodList(items=items)
