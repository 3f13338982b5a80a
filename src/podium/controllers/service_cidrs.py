"""Keeps ServiceCIDRs: ready once they have a finalizer, there until no Service needs them.

Follows ``pkg/controller/servicecidrs`` of Kubernetes.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from podium.api import scheme, service_cidrs
from podium.api.errors import ApiError
from podium.api.types.meta_v1 import Condition
from podium.api.types.networking_v1 import IPAddress, ServiceCIDR
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.wire import to_plain
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.kit.clock import Clock

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
#: A server may give out an address just while the deletion comes to be known.
DELETION_GRACE = 10.0
_READY = "Kubernetes Service CIDR is ready"
_IN_USE = (
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new "
    "ServiceCIDR"
)


class ServiceCidrController:
    """Keys are names."""

    def __init__(
        self,
        client: Client,
        cidrs: Informer[ServiceCIDR],
        addresses: Informer[IPAddress],
        clock: Clock,
    ) -> None:
        self._client, self._clock = client, clock
        self._cidrs, self._addresses = cidrs, addresses
        self._queue: WorkQueue[str] = WorkQueue(clock)
        #: By uid, since when a range is known to be deleted.
        self._going: dict[str, float] = {}
        cidrs.on_change(lambda *_: self._all())
        addresses.on_change(self._address_changed)

    async def run(self) -> None:
        await work("service-cidr", self._queue, self._reconcile, workers=1)

    def _all(self) -> None:
        """Ranges may overlap: what one does may set another one free."""
        for cidr in self._cidrs.list():
            self._queue.add(cidr.metadata.name)

    def _address_changed(self, _: IPAddress | None, new: IPAddress | None) -> None:
        if new is None:
            for cidr in self._cidrs.list():
                if cidr.metadata.deletion_timestamp is not None:
                    self._queue.add(cidr.metadata.name)

    async def _reconcile(self, name: str) -> None:
        cidr = self._cidrs.get("", name)
        if cidr is None:
            return
        try:
            if cidr.metadata.deletion_timestamp is None:
                await self._keep(cidr)
            else:
                await self._let_go(cidr)
        except ApiError as error:
            if error.code != 404:
                raise

    async def _keep(self, cidr: ServiceCIDR) -> None:
        finalizers = cidr.metadata.finalizers
        if FINALIZER not in finalizers:
            await self._set_finalizers(cidr, [*finalizers, FINALIZER])
        elif not service_cidrs.is_ready(cidr):
            await self._set_ready(cidr, "True", "", _READY)

    async def _let_go(self, cidr: ServiceCIDR) -> None:
        left = [name for name in cidr.metadata.finalizers if name != FINALIZER]
        if left == cidr.metadata.finalizers:
            return
        others = [other for other in self._cidrs.list() if other is not cidr]
        if service_cidrs.in_use(cidr, self._addresses.list(), others):
            await self._set_ready(cidr, "False", "Terminating", _IN_USE)
            return
        now = self._clock.monotonic()
        remaining = self._going.setdefault(cidr.metadata.uid, now) + DELETION_GRACE - now
        if remaining > 0:
            self._queue.add_after(cidr.metadata.name, remaining)
            return
        await self._set_finalizers(cidr, left)
        del self._going[cidr.metadata.uid]

    async def _set_finalizers(self, cidr: ServiceCIDR, finalizers: list[str]) -> None:
        metadata = replace(cidr.metadata, finalizers=finalizers)
        await self._client.update(scheme.SERVICECIDRS, replace(cidr, metadata=metadata))

    async def _set_ready(self, cidr: ServiceCIDR, status: str, reason: str, message: str) -> None:
        wanted = Condition(
            type=service_cidrs.READY,
            status=status,
            reason=reason,
            message=message,
            last_transition_time=self._clock.now().replace(microsecond=0),
        )
        if any(_says(condition) == _says(wanted) for condition in cidr.status.conditions):
            return
        change: dict[str, Any] = {"status": {"conditions": [to_plain(wanted)]}}
        name = cidr.metadata.name
        await self._client.patch(scheme.SERVICECIDRS, name, change, subresource="status")


def _says(condition: Condition) -> tuple[str, str, str, str]:
    return condition.type, condition.status, condition.reason, condition.message
