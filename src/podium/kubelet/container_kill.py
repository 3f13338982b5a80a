"""Containers that end while their Pod goes on: to run anew, or because others may not run yet."""

from __future__ import annotations

import logging
from collections.abc import Container

from podium.api.types.core_v1 import Pod
from podium.domain.pods.containers import every_container, field_path
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import ContainerRecord, Observed
from podium.domain.pods.plan import KillContainer
from podium.kubelet.container_stop import ContainerStopper
from podium.kubelet.jobs import Jobs
from podium.kubelet.services import NodeServices
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)


class ContainerKills:
    """Kills containers of one Pod, as jobs, and knows which of them are to run anew."""

    def __init__(self, node: NodeServices, stopper: ContainerStopper) -> None:
        self._node, self._stopper = node, stopper
        self.replaced: set[str] = set()  #: runs that end for the sake of the next one

    def begin(self, pod: Pod, action: KillContainer, observed: Observed, jobs: Jobs) -> None:
        key = f"kill {action.id}"
        if jobs.running(key):
            return
        if action.restart:
            self.replaced.intersection_update(run.id for run in observed.containers)
            self.replaced.add(action.id)
        text = action.why or f"Stopping container {action.name}"
        path = field_path(pod, action.name)
        self._node.events.event(pod, "Normal", "Killing", text, field_path=path)
        record = next(record for record in observed.containers if record.id == action.id)
        jobs.start(key, lambda: self._stop(pod, record, observed.ips, action.grace))

    def is_replacing(self, pod: Pod, observed: Observed, waiting: Container[str]) -> bool:
        """Whether a container has ended only because its next run is about to begin, and is not one
        of those *waiting* for something else."""
        latest = [observed.latest(container.name) for container in every_container(pod)]
        return any(
            run and run.id in self.replaced and not run.may_run and run.name not in waiting
            for run in latest
        )

    async def _stop(
        self, pod: Pod, record: ContainerRecord, ips: tuple[str, ...], grace: float
    ) -> None:
        try:
            await self._stopper.stop_run(pod, record, ips, grace)
        except RuntimeFailure as exc:
            logger.warning(
                "container could not be stopped",
                extra={"pod": pod_key(pod), "container": record.id, "error": exc},
            )
            await self._node.clock.sleep(1.0)
