"""What all controllers are made from: informers that they share, clients, recorders of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from podium.api.scheme import Resource
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.controllers.options import ControllerOptions
from podium.kit.clock import Clock


class Shared:
    """*client* fills the informers, *acting_as* gives the client of a service account."""

    def __init__(
        self,
        client: Client,
        acting_as: Callable[[str], Client],
        options: ControllerOptions,
        clock: Clock,
    ) -> None:
        self.client, self.acting_as = client, acting_as
        self.options, self.clock = options, clock
        self.recorders: list[EventRecorder] = []
        self._informers: dict[tuple[Resource, str, str], Informer[Any]] = {}

    def informer(
        self, resource: Resource, *, namespace: str = "", field_selector: str = ""
    ) -> Informer[Any]:
        """Return the informer of *resource*, the same one for all who ask alike."""
        key = (resource, namespace, field_selector)
        if key not in self._informers:
            self._informers[key] = Informer(
                self.client,
                resource,
                namespace=namespace,
                field_selector=field_selector,
                clock=self.clock,
            )
        return self._informers[key]

    def existing(self, group: str, plural: str) -> Informer[Any] | None:
        """Return the informer of all objects of a kind, where somebody has asked for one."""
        for (resource, namespace, selector), informer in self._informers.items():
            if (resource.group, resource.plural) == (group, plural) and not namespace + selector:
                return informer
        return None

    def informers(self) -> Iterator[Informer[Any]]:
        """Yield those that somebody has asked for."""
        yield from self._informers.values()

    def recorder(self, client: Client, component: str) -> EventRecorder:
        """Return a recorder that posts as *client* and runs with the controllers."""
        made = EventRecorder(client, component, "", self.clock)
        self.recorders.append(made)
        return made
