"""Which Services a change concerns: what the controllers of endpoints listen to."""

from __future__ import annotations

from collections.abc import Iterable

from podium.api.go_time import format_time
from podium.api.types.core_v1 import Pod, Service
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.domain.services import members
from podium.domain.services.triggers import TriggerTimes


class ServiceMembers:
    """The Pods of each Service; adds to *queue* the Services whose Pods, or who themselves, have
    changed."""

    def __init__(
        self, services: Informer[Service], pods: Informer[Pod], queue: WorkQueue[Key]
    ) -> None:
        self._services, self._pods, self._queue = services, pods, queue
        self._triggers = TriggerTimes()
        services.on_change(self._service_changed)
        pods.on_change(self._pod_changed)

    def of(self, service: Service) -> list[Pod]:
        pods = self._pods.in_namespace(service.metadata.namespace)
        return [pod for pod in pods if members.selects(service, pod)]

    def changed_at(self, service: Service, pods: Iterable[Pod]) -> str:
        """Return when the change came about that was found since the last call, "" for none."""
        when = self._triggers.take(service, pods)
        return format_time(when) if when else ""

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        service = new or old
        if service is not None:
            self._queue.add(key_of(service))
        if new is None and old is not None:
            self._triggers.forget(old)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None or not members.looks_different(old, new):
            return
        for service in self._services.in_namespace(pod.metadata.namespace):
            if any(each and members.selects(service, each) for each in (old, new)):
                self._queue.add(key_of(service))
