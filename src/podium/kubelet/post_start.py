"""postStart hooks: a container counts as started once its hook is done, and dies when that fails.

Follows ``startContainer`` of upstream's kubelet: while a hook runs its container is not shown as
running, is not probed, and no other container of the Pod is started.
"""

from __future__ import annotations

import logging

from podium.api.types.core_v1 import LifecycleHandler, Pod
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.containers import field_path, find_container
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import Observed
from podium.kubelet.container_stop import ContainerStopper
from podium.kubelet.jobs import Jobs
from podium.kubelet.probing.handlers import Target
from podium.kubelet.probing.hooks import HookFailed, run_hook
from podium.kubelet.services import NodeServices
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

FAILED = "FailedPostStartHook"


class PostStartHooks:
    """The hooks of one Pod's containers."""

    def __init__(
        self, node: NodeServices, stopper: ContainerStopper, waiting: dict[str, Waiting]
    ) -> None:
        """*waiting* is why containers are not started, by name: what stands there of one counts
        until its hook is done, and is what the hook's failure says then."""
        self._node, self._stopper, self._waiting = node, stopper, waiting
        self._under_way: set[str] = set()

    @property
    def under_way(self) -> bool:
        return bool(self._under_way)

    def hide(self, observed: Observed) -> Observed:
        """*observed* without the runs whose hook is not done."""
        if not self._under_way:
            return observed
        shown = tuple(c for c in observed.containers if c.id not in self._under_way)
        return Observed(observed.sandboxes, shown)

    def begin(
        self, pod: Pod, name: str, container_id: str, ips: tuple[str, ...], grace: float, jobs: Jobs
    ) -> None:
        """Run the hook of a container that was just started, where it has one."""
        container = find_container(pod, name)
        lifecycle = container.lifecycle if container else None
        hook = lifecycle.post_start if lifecycle else None
        if container is None or hook is None:
            self._waiting.pop(name, None)
        else:
            target = Target(container, container_id, ips[0] if ips else self._node.options.node_ip)
            self._under_way.add(container_id)
            jobs.start(f"postStart {container_id}", lambda: self._run(pod, target, hook, grace))

    async def _run(self, pod: Pod, target: Target, hook: LifecycleHandler, grace: float) -> None:
        try:
            await run_hook(self._node, pod, target, hook)
        except HookFailed as exc:
            await self._end(pod, target, str(exc), grace)
            # Only now, as upstream: a container that stays down never shows as waiting.
            self._waiting[target.container.name] = Waiting("PostStartHookError", str(exc))
        else:
            self._waiting.pop(target.container.name, None)
        finally:
            self._under_way.discard(target.container_id)

    async def _end(self, pod: Pod, target: Target, text: str, grace: float) -> None:
        path, event = field_path(pod, target.container.name), self._node.events.event
        event(pod, "Warning", FAILED, text, field_path=path)
        event(pod, "Normal", "Killing", FAILED, field_path=path)
        try:
            await self._stopper.stop(pod, target, grace)
        except RuntimeFailure as exc:
            logger.warning(
                "container could not be stopped",
                extra={"pod": pod_key(pod), "container": target.container_id, "error": exc},
            )
