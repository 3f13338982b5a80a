"""Publishes the status of Pods: the difference to what the API has, as soon as there is one.

Reports of different Pods never wait for each other; of one Pod's, the newest goes out once the one
under way is answered. Only a status that shows a container's end is never passed over for a newer
one, so that a watcher sees each crash of a crash loop. What is reported of a static Pod goes to its
mirror, once there is one.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum
from typing import Any

import msgspec

from podium.api import scheme
from podium.api.codec import to_plain
from podium.api.errors import ApiError
from podium.api.patch import strategic
from podium.api.types.core_v1 import Pod, PodStatus
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.domain.pods.identity import pod_key
from podium.domain.pods.static import is_static
from podium.domain.pods.status import contradicted
from podium.kit.backoff import Backoff
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

#: Statuses of one Pod that wait for the API at most.
_MOST = 4
#: Seconds after which it is forgotten that others have made something else of a status.
_QUIET = 120.0
_DEFINITION = "io.k8s.api.core.v1.PodStatus"


class _Entry(msgspec.Struct):
    """``desired`` is what was last reported, ``published`` what the API has for sure, as of
    ``version``; ``shown`` is what was seen of it while a status was on its way, or while one was
    held back (``correcting``), as others had been put right a moment ago (``corrected``)."""

    pod: Pod
    published: PodStatus
    desired: PodStatus
    waiting: list[PodStatus] = msgspec.field(default_factory=list)
    sending: bool = False
    version: int = 0
    shown: Pod | None = None
    correcting: bool = False
    corrected: float = float("-inf")
    corrections: Backoff = msgspec.field(default_factory=lambda: Backoff(initial=1.0, maximum=60.0))
    settled: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class _Answer(Enum):
    """What became of a status: nothing more to do, not accepted as it is, or to be tried again."""

    SETTLED = 1
    REFUSED = 2
    FAILED = 3


class StatusManager:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._entries: dict[str, _Entry] = {}
        self._mirrors: dict[str, Pod] = {}  # by the uids of the static Pods that they show
        self._group: asyncio.TaskGroup | None = None
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Own the requests under way, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._stopped.wait()

    def latest(self, pod: Pod) -> PodStatus:
        """The status last reported, or the API's."""
        entry = self._entries.get(pod.metadata.uid)
        return entry.desired if entry else pod.status

    def published(self, uid: str) -> bool:
        """Whether a status of that Pod has been reported by this process."""
        return uid in self._entries

    def report(self, pod: Pod, status: PodStatus) -> None:
        """Publish *status* in the background; nothing happens when the API has it already."""
        uid = pod.metadata.uid
        entry = self._entries.get(uid)
        if entry is None:
            shown = self._mirrors.get(uid, pod)
            entry = self._entries[uid] = _Entry(pod, shown.status, pod.status)
        if status == entry.desired:
            return
        entry.pod, entry.desired = pod, status
        if entry.waiting and (not _shows_an_end(entry.waiting[-1]) or len(entry.waiting) > _MOST):
            entry.waiting.pop()
        entry.waiting.append(status)
        self._begin(entry)

    def show_in(self, uid: str, mirror: Pod) -> None:
        """Take *mirror* for the object that shows the static Pod *uid* from now on."""
        before = self._mirrors.get(uid)
        self._mirrors[uid] = mirror
        entry = self._entries.get(uid)
        if entry is not None and (not before or before.metadata.uid != mirror.metadata.uid):
            self._publish_again(entry, mirror.status)
        else:
            self.seen(uid, mirror)

    def seen(self, uid: str, shown: Pod) -> None:
        """The API has *shown* of the Pod *uid*: put right what others have made of its status."""
        entry = self._entries.get(uid)
        if entry is None or _version(shown) < entry.version:
            return
        if entry.sending:
            entry.shown = shown  # it may be of before or after: looked at when that is known
        elif entry.correcting:
            entry.shown = shown
        elif contradicted(entry.desired, shown.status):
            self._correct(entry, shown)

    def _correct(self, entry: _Entry, shown: Pod) -> None:
        """Put right what others have made of a status, at once; who does so again and again, as
        another kubelet of the same name, is answered ever more rarely."""
        now = self._clock.monotonic()
        repeated = now - entry.corrected < _QUIET
        entry.corrected = now
        if not repeated:
            entry.corrections.reset()
            self._publish_again(entry, shown.status)
            return
        entry.correcting, entry.shown = True, shown
        assert self._group is not None, "run() is not running"
        self._group.create_task(self._correct_later(entry), name="status held back")

    async def _correct_later(self, entry: _Entry) -> None:
        await self._clock.sleep(entry.corrections.next())
        entry.correcting, entry.corrected = False, self._clock.monotonic()
        current = self._entries.get(entry.pod.metadata.uid) is entry
        if not current or entry.sending or entry.shown is None:
            return
        shown, entry.shown = entry.shown, None
        if contradicted(entry.desired, shown.status):
            self._publish_again(entry, shown.status)

    def _publish_again(self, entry: _Entry, there: PodStatus) -> None:
        entry.published = there
        entry.waiting.append(entry.desired)
        self._begin(entry)

    def _begin(self, entry: _Entry) -> None:
        entry.settled.clear()  # also where one was refused that was sent before
        if entry.sending:
            return
        entry.sending = True
        assert self._group is not None, "run() is not running"
        self._group.create_task(self._send(entry), name=f"status {pod_key(entry.pod)}")

    def _object(self, pod: Pod) -> str:
        """The uid of what shows *pod* in the API; "" where nothing does yet."""
        if not is_static(pod):
            return pod.metadata.uid
        mirror = self._mirrors.get(pod.metadata.uid)
        return mirror.metadata.uid if mirror else ""

    async def settled(self, uid: str) -> None:
        """Wait until what was reported of a Pod is with the API, is refused by it, or has nowhere
        to go."""
        entry = self._entries.get(uid)
        if entry is not None and entry.sending:
            await entry.settled.wait()

    async def delete(self, pod: Pod) -> None:
        """Take the Pod's object away for good; only if it is still the same Pod."""
        if not self._object(pod):
            return
        backoff = Backoff(initial=0.1, maximum=10.0, jitter=0.5)
        while True:
            try:
                await self._client.delete(
                    scheme.PODS,
                    pod.metadata.name,
                    namespace=pod.metadata.namespace,
                    grace_period_seconds=0,
                    uid=self._object(pod),
                )
                return
            except ApiError as exc:
                if exc.code < 500 and exc.code != 429:
                    if exc.code not in (404, 409):
                        _log(pod, "pod could not be deleted", exc)
                    return
                _log(pod, "pod could not be deleted", exc)
            except Unreachable as exc:
                _log(pod, "pod could not be deleted", exc)
            await self._clock.sleep(backoff.next())

    def forget(self, uid: str) -> None:
        self._entries.pop(uid, None)
        self._mirrors.pop(uid, None)

    async def _send(self, entry: _Entry) -> None:
        backoff = Backoff(initial=0.05, maximum=10.0, jitter=0.5)
        try:
            while entry.waiting:
                status, shown_by = entry.waiting.pop(0), self._object(entry.pod)
                answer = await self._try(entry, status)
                while answer is not _Answer.SETTLED:
                    if answer is _Answer.REFUSED and entry.waiting:
                        break  # the newer one may be acceptable
                    if answer is _Answer.REFUSED:
                        entry.settled.set()  # the Pod's end does not wait for it
                    await self._clock.sleep(backoff.next())
                    answer = await self._try(entry, status)
                else:
                    if self._object(entry.pod) == shown_by:
                        entry.published = status
                    backoff.reset()
        finally:
            entry.sending = False
            entry.settled.set()
        shown, entry.shown = entry.shown, None
        if shown is not None:
            self.seen(entry.pod.metadata.uid, shown)

    async def _try(self, entry: _Entry, status: PodStatus) -> _Answer:
        pod = entry.pod
        try:
            await self._patch(entry, status)
        except ApiError as exc:
            if exc.code in (404, 409):
                return _Answer.SETTLED  # another Pod of that name, or none: nobody wants to know
            _log(pod, "status could not be published", exc)
            return _Answer.REFUSED if exc.code in (400, 422) else _Answer.FAILED
        except Unreachable as exc:
            _log(pod, "status could not be published", exc)
            return _Answer.FAILED
        return _Answer.SETTLED

    async def _patch(self, entry: _Entry, status: PodStatus) -> None:
        pod, old = entry.pod, to_plain(entry.published)
        difference = strategic.diff(old, to_plain(status), _DEFINITION)
        if not difference or not self._object(pod):
            return
        # The uid keeps a new Pod of the same name from getting this one's status.
        patch: dict[str, Any] = {"metadata": {"uid": self._object(pod)}, "status": difference}
        answer = await self._client.patch(
            scheme.PODS,
            pod.metadata.name,
            patch,
            namespace=pod.metadata.namespace,
            subresource="status",
        )
        entry.version = _version(answer)


def _version(pod: Pod) -> int:
    """Which version of an object; those of one object may be compared."""
    text = pod.metadata.resource_version
    return int(text) if text.isdecimal() else 0


def _shows_an_end(status: PodStatus) -> bool:
    inits = (container.state.terminated for container in status.init_container_statuses)
    if any(ended is not None and ended.exit_code for ended in inits):
        return True
    return any(container.state.terminated for container in status.container_statuses)


def _log(pod: Pod, message: str, exc: Exception) -> None:
    logger.warning(message, extra={"pod": pod_key(pod), "error": exc})
