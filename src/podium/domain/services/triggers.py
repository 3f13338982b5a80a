"""When the change came about that endpoints are written for: how late they are can be told by it.

Follows ``k8s.io/endpointslice/util/trigger_time_tracker.go``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from podium.api.types.core_v1 import Pod, Service


class TriggerTimes:
    """Remembers for each Service when its Pods became (un)ready last."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, datetime]] = {}

    def take(self, service: Service, pods: Iterable[Pod]) -> datetime | None:
        """Return the earliest change since the last call, None where there was none.

        For a Service that is new here, that is its creation.
        """
        uid = service.metadata.uid
        before = self._known.get(uid)
        now = {pod.metadata.uid: when for pod in pods if (when := _changed(pod)) is not None}
        self._known[uid] = now
        if before is None:
            return service.metadata.creation_timestamp
        changed = [when for pod, when in now.items() if pod not in before or when > before[pod]]
        return min(changed, default=None)

    def forget(self, service: Service) -> None:
        self._known.pop(service.metadata.uid, None)


def _changed(pod: Pod) -> datetime | None:
    ready = (c.last_transition_time for c in pod.status.conditions if c.type == "Ready")
    return next(ready, None)
