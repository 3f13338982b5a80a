"""Mirror Pods: what the API shows of static Pods, kept there while these run.

They only show: deleting one ends nothing, and it comes back. Follows ``mirror_client.go`` and the
mirror's part of ``SyncPod`` of upstream's kubelet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Node, Pod
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.errors import REQUEST_ERRORS
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.domain.pods.static import is_mirror, mirror_of, shows
from podium.kit.clock import Clock
from podium.kubelet.status_manager import StatusManager

logger = logging.getLogger(__name__)


class MirrorPods:
    """*static* are the static Pods that there is something of; *node* is the Node they are on."""

    def __init__(
        self,
        client: Client,
        informer: Informer[Pod],
        static: Callable[[], Iterable[Pod]],
        node: Callable[[], Node],
        status: StatusManager,
        clock: Clock,
    ) -> None:
        self._client, self._informer, self._static = client, informer, static
        self._node, self._status = node, status
        #: Called with the uid of a static Pod and its mirror, when that has changed.
        self.on_mirror: Callable[[str, Pod], None] = lambda _uid, _mirror: None
        self._queue: WorkQueue[Key] = WorkQueue(clock, first_retry=0.1, last_retry=60.0)

    def look_at(self, pod: Pod) -> None:
        """Something has happened to a mirror Pod or to a static one."""
        self._queue.add(key_of(pod))

    async def run(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._reconcile(key)
            except REQUEST_ERRORS as exc:
                delay = self._queue.add_rate_limited(key)
                extra = {"pod": "/".join(key), "error": exc, "retry_in": f"{delay:g}s"}
                logger.warning("mirror pod could not be written", extra=extra)
            else:
                self._queue.forget(key)
            self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        mirror = self._informer.get(*key)
        candidates = [pod for pod in self._static() if key_of(pod) == key]
        shown = next((pod for pod in candidates if mirror and shows(mirror, pod)), None)
        if mirror is not None:
            if not is_mirror(mirror):
                return  # a Pod of the API has the name
            if shown is not None and mirror.metadata.deletion_timestamp is None:
                self._status.show_in(shown.metadata.uid, mirror)
                self.on_mirror(shown.metadata.uid, mirror)
                return
            await self._delete(mirror)
            return  # it comes back by the watch that it has gone
        wanted = [pod for pod in candidates if pod.metadata.deletion_timestamp is None]
        if wanted:
            mirror = mirror_of(wanted[0], self._node())
            await self._client.create(scheme.PODS, mirror, namespace=key[0])

    async def _delete(self, mirror: Pod) -> None:
        metadata = mirror.metadata
        try:
            await self._client.delete(
                scheme.PODS,
                metadata.name,
                namespace=metadata.namespace,
                grace_period_seconds=0,
                uid=metadata.uid,
            )
        except ApiError as exc:
            if exc.code not in (404, 409):  # gone, or another one by now
                raise
