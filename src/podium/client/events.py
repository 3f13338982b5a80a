"""Events: what a component has to tell the user about an object.

Recording never waits and never fails: events go into a bounded queue and reach the server in the
order they were recorded, as ``v1`` ``Event`` objects like those of ``client-go``'s recorder.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Event, EventSource, ObjectReference
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.client.event_correlator import EventCorrelator, Post
from podium.kit.backoff import Backoff
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

EventType = Literal["Normal", "Warning"]

#: Events that wait for the server; when there are more, new ones are dropped.
QUEUE_LENGTH = 1000
#: Attempts to post one event while the server does not answer.
ATTEMPTS = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class EventRecorder:
    """Events of one component (``kubelet``) on one host (empty where it has none).

    After a silence the first one waits for *pause* seconds, so that what is under way and is told
    of goes first: a Pod's start asks the server for more than events.
    """

    def __init__(
        self, client: Client, component: str, host: str, clock: Clock, *, pause: float = 0.0
    ) -> None:
        self._client, self._clock, self._pause = client, clock, pause
        self._source = EventSource(component=component, host=host)
        self._correlator = EventCorrelator()
        self._queue: deque[Post] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._latest = 0
        self._dropped = 0

    def event(
        self,
        about: Any,
        type_: EventType,
        reason: str,
        message: str,
        *,
        field_path: str = "",
        annotations: Mapping[str, str] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Record an event about an object or an ObjectReference; returns at once.

        *field_path* names a part of the object (``spec.containers{web}``), *at* the moment where
        that is not now.
        """
        now = self._clock.now()
        event = self._event(reference(about, field_path), type_, reason, message, at or now)
        event.metadata.annotations = dict(annotations or {})
        post = self._correlator.correlate(event, now)
        if post is None:
            return
        if len(self._queue) >= QUEUE_LENGTH:
            self._dropped += 1
            return
        self._queue.append(post)
        self._idle.clear()
        self._news.set()

    async def run(self) -> None:
        """Post what is recorded until cancelled."""
        while True:
            await self._news.wait()
            if self._pause:
                await self._clock.sleep(self._pause)
            while self._queue:
                await self._post(self._queue[0])
                self._queue.popleft()
                self._report_dropped()
            self._idle.set()
            self._news.clear()

    async def flush(self) -> None:
        """Wait until all that was recorded is with the server; :meth:`run` must be running."""
        await self._idle.wait()

    async def _post(self, post: Post) -> None:
        backoff = Backoff(initial=0.1, maximum=10.0, jitter=0.5)
        for _ in range(ATTEMPTS):
            try:
                await self._send(post)
                return
            except ApiError as exc:
                if exc.code < 500:
                    _log_refusal(post.event, exc)
                    return
                error: Exception = exc
            except Unreachable as exc:
                error = exc
            await self._clock.sleep(backoff.next())
        logger.warning(
            "event could not be posted",
            extra={"event": post.event.metadata.name, "error": error},
        )

    async def _send(self, post: Post) -> None:
        event = post.event
        if post.count_up:
            patch = {
                "count": event.count,
                "lastTimestamp": event.last_timestamp,
                "message": event.message,
            }
            try:
                await self._client.patch(
                    scheme.EVENTS,
                    event.metadata.name,
                    patch,
                    namespace=event.metadata.namespace,
                )
                return
            except ApiError as exc:
                if exc.code != 404:  # gone after its hour: start it again
                    raise
        await self._client.create(scheme.EVENTS, event)

    def _event(
        self, about: ObjectReference, type_: str, reason: str, message: str, now: datetime
    ) -> Event:
        second = now.replace(microsecond=0)
        return Event(
            metadata=ObjectMeta(
                name=f"{about.name}.{self._nanoseconds(now):x}",
                namespace=about.namespace or "default",
            ),
            involved_object=about,
            type=type_,
            reason=reason,
            message=message,
            count=1,
            first_timestamp=second,
            last_timestamp=second,
            source=self._source,
            reporting_component=self._source.component,
            reporting_instance=self._source.host,
        )

    def _nanoseconds(self, now: datetime) -> int:
        """Return a number no earlier event was named by; clocks may be too coarse for that."""
        self._latest = max((now - _EPOCH) // _MICROSECOND * 1000, self._latest + 1)
        return self._latest

    def _report_dropped(self) -> None:
        if self._dropped:
            logger.warning("events were dropped: queue full", extra={"count": self._dropped})
            self._dropped = 0


def reference(about: Any, field_path: str = "") -> ObjectReference:
    """Return the reference to *about*, an object or a reference, or to a part of it."""
    if isinstance(about, ObjectReference):
        return ObjectReference(
            api_version=about.api_version,
            kind=about.kind,
            namespace=about.namespace,
            name=about.name,
            uid=about.uid,
            resource_version=about.resource_version,
            field_path=field_path or about.field_path,
        )
    metadata = about.metadata
    return ObjectReference(
        api_version=about.api_version,
        kind=about.kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        resource_version=metadata.resource_version,
        field_path=field_path,
    )


def _log_refusal(event: Event, exc: ApiError) -> None:
    """An event about something in a namespace that is going is refused as a matter of course."""
    level = logging.DEBUG if exc.code in (403, 404, 409) else logging.WARNING
    logger.log(level, "event was refused", extra={"event": event.metadata.name, "error": exc})
