"""What the scheduler tells the API: a Pod's node, or why it has none."""

from __future__ import annotations

import logging

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Binding, ObjectReference, Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.client.events import EventRecorder
from podium.kit.clock import Clock
from podium.scheduler import conditions

logger = logging.getLogger(__name__)


class Binder:
    """Requests about single Pods, with their events."""

    def __init__(self, client: Client, recorder: EventRecorder, clock: Clock) -> None:
        self._client, self._recorder, self._clock = client, recorder, clock

    async def bind(self, pod: Pod, node: str) -> bool:
        """Give *pod* to *node*; tell whether the API agreed."""
        metadata = pod.metadata
        binding = Binding(
            metadata=ObjectMeta(name=metadata.name, namespace=metadata.namespace, uid=metadata.uid),
            target=ObjectReference(kind="Node", name=node),
        )
        # Before it is answered the node may have told of what it does about it.
        moment = self._clock.now()
        try:
            await self._client.create_subresource(
                scheme.PODS, metadata.name, "binding", binding, metadata.namespace
            )
        except (ApiError, Unreachable) as exc:
            await self._report_failed(pod, exc)
            return False
        self._recorder.event(
            pod,
            "Normal",
            "Scheduled",
            f"Successfully assigned {metadata.namespace}/{metadata.name} to {node}",
            at=moment,
        )
        return True

    async def report_unschedulable(self, pod: Pod, message: str) -> None:
        await self._patch(pod, conditions.UNSCHEDULABLE, message)

    async def report_gated(self, pod: Pod) -> None:
        await self._patch(pod, conditions.SCHEDULING_GATED, conditions.GATED_MESSAGE)

    async def _report_failed(self, pod: Pod, exc: Exception) -> None:
        logger.warning(
            "binding failed",
            extra={"pod": f"{pod.metadata.namespace}/{pod.metadata.name}", "error": exc},
        )
        if isinstance(exc, ApiError) and exc.code in (404, 409):
            return  # gone, or somebody else's by now: nothing to tell the user
        message = f'running Bind plugin "DefaultBinder": {exc}'
        self._recorder.event(pod, "Warning", "FailedScheduling", message)

    async def _patch(self, pod: Pod, reason: str, message: str) -> None:
        patch = conditions.unscheduled_patch(pod, reason, message, self._clock.now())
        if patch is None:
            return
        metadata = pod.metadata
        try:
            await self._client.patch(
                scheme.PODS,
                metadata.name,
                patch,
                namespace=metadata.namespace,
                subresource="status",
            )
        except (ApiError, Unreachable) as exc:
            if not isinstance(exc, ApiError) or exc.code != 404:
                logger.warning(
                    "condition not written",
                    extra={"pod": f"{metadata.namespace}/{metadata.name}", "error": exc},
                )
