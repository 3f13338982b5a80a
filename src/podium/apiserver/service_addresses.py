"""Keeps an IPAddress for every address that a Service has.

Which addresses are taken is told by the Services themselves (``registry.strategies``); these
objects show it, and hold the ServiceCIDRs that addresses are of. Follows
``pkg/registry/core/service/ipallocator`` of Kubernetes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any

from podium.api.errors import ApiError
from podium.api.scheme import IPADDRESSES, SERVICES, Resource
from podium.api.service_cidrs import ALLOCATOR, FAMILY, MANAGED_BY, is_managed
from podium.api.types.core_v1 import Service
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta, Preconditions
from podium.api.types.networking_v1 import IPAddress, IPAddressSpec, ParentReference
from podium.api.user import UserInfo
from podium.kit.clock import Clock
from podium.registry.registry import Registry
from podium.registry.types import RequestContext

logger = logging.getLogger(__name__)

_USER = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
_RETRY_AFTER = 1.0
#: Somebody else was first; a change follows that is looked at, too.
_RACES = (404, 409)


class ServiceAddresses:
    """Learns from the registry who has which address, and writes what is missing or too much."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry, self._clock = registry, clock
        self._holders: dict[str, tuple[str, str]] = {}
        self._changed: set[str] = set()
        self._work = asyncio.Event()
        self._repaired = False
        registry.observe(SERVICES, self._service_changed)
        registry.observe(IPADDRESSES, self._address_changed)

    async def run(self) -> None:
        while True:
            self._repaired = self._repaired or not self._changed
            await self._work.wait()
            self._work.clear()
            changed, self._changed = self._changed, set()
            for address in sorted(changed):
                try:
                    await self._reconcile(address)
                except ApiError as error:
                    if error.code not in _RACES:
                        logger.warning(
                            "address not kept", extra={"address": address, "error": str(error)}
                        )
                        self._look_at(address)
                        await self._clock.sleep(_RETRY_AFTER)

    async def check(self) -> str:
        """The health check: why not all that was there at start has been looked at."""
        return "" if self._repaired else "not finished"

    def _service_changed(self, _: Resource, old: Service | None, new: Service | None) -> None:
        for service in (old, new):
            if service is None:
                continue
            holder = (service.metadata.namespace, service.metadata.name)
            for address in service.spec.cluster_ips:
                if address in ("", "None"):
                    continue
                if service is new:
                    self._holders[address] = holder
                elif self._holders.get(address) == holder:
                    del self._holders[address]
                self._look_at(address)

    def _address_changed(self, _: Resource, old: Any, new: Any) -> None:
        self._look_at((new or old).metadata.name)

    def _look_at(self, address: str) -> None:
        self._changed.add(address)
        self._work.set()

    async def _reconcile(self, address: str) -> None:
        wanted = self._holders.get(address)
        there: IPAddress | None = await self._registry.read(IPADDRESSES, "", address)
        if there is not None and (not is_managed(there) or _holder(there) == wanted):
            return
        context = RequestContext(_USER, field_manager="kube-apiserver")
        if there is not None:
            options = DeleteOptions(preconditions=Preconditions(uid=there.metadata.uid))
            await self._registry.delete(IPADDRESSES, "", address, options, context)
        elif wanted is not None:
            await self._registry.create(IPADDRESSES, "", _address(address, *wanted), context)


def _holder(address: IPAddress) -> tuple[str, str] | None:
    parent = address.spec.parent_ref
    if parent is None or (parent.group, parent.resource) != ("", "services"):
        return None
    return parent.namespace, parent.name


def _address(address: str, namespace: str, name: str) -> IPAddress:
    family = f"IPv{ipaddress.ip_address(address).version}"
    return IPAddress(
        metadata=ObjectMeta(name=address, labels={FAMILY: family, MANAGED_BY: ALLOCATOR}),
        spec=IPAddressSpec(
            parent_ref=ParentReference(resource="services", namespace=namespace, name=name)
        ),
    )
