"""Objects that are there before anybody makes one: system namespaces, the ``kubernetes`` Service.

Follows ``k8s.io/kubernetes/pkg/controlplane``: made at start, and made again when they go.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from pathlib import Path
from typing import Any

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.meta import metadata
from podium.api.priorities import SYSTEM_CLASSES
from podium.api.scheme import (
    CONFIGMAPS,
    ENDPOINTS,
    ENDPOINTSLICES,
    NAMESPACES,
    PRIORITYCLASSES,
    SERVICECIDRS,
    SERVICES,
    Resource,
)
from podium.api.types import discovery_v1
from podium.api.types.core_v1 import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    Namespace,
    Service,
    ServicePort,
    ServiceSpec,
)
from podium.api.types.meta_v1 import Condition, DeleteOptions, ObjectMeta
from podium.api.types.networking_v1 import ServiceCIDR, ServiceCIDRSpec
from podium.api.types.scheduling_v1 import PriorityClass
from podium.api.user import UserInfo
from podium.apiserver.authentication_info import authentication_info
from podium.kit.clock import Clock
from podium.registry.patching import MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import RequestContext

logger = logging.getLogger(__name__)

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
SERVICE_PORT = 443
#: How often it is looked whether all are still there, in seconds.
CHECK_EVERY = 10.0
#: After that long without a complete look something is wrong, in seconds.
_TOO_LONG = 60.0
_USER = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
_CONFLICTS = (404, 409)


_CRITICAL = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but "
    "can be moved to another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their "
    "current node.",
}


def _priority_classes() -> list[PriorityClass]:
    return [
        PriorityClass(metadata=ObjectMeta(name=name), value=SYSTEM_CLASSES[name], description=text)
        for name, text in _CRITICAL.items()
    ]


class Bootstrap:
    """Keeps the objects. *address* and *port* are where Pods reach the server itself."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        *,
        service_cidr: str,
        service_ip: str,
        address: str,
        port: int,
        client_ca_file: Path,
    ) -> None:
        self._registry, self._clock, self._address, self._port = registry, clock, address, port
        self._service_cidr, self._service_ip = service_cidr, service_ip
        self._client_ca_file = client_ca_file
        self._looked_at: float | None = None

    async def ensure(self) -> None:
        """Make what is missing; namespaces at once, then what lives in them."""
        async with asyncio.TaskGroup() as tasks:
            for name in SYSTEM_NAMESPACES:
                namespace = Namespace(metadata=ObjectMeta(name=name))
                tasks.create_task(self._ensure(NAMESPACES, namespace))
            for found in _priority_classes():
                tasks.create_task(self._ensure(PRIORITYCLASSES, found))
            tasks.create_task(self._ensure_service_cidr())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ensure(SERVICES, self._service()))
            tasks.create_task(self._ensure_endpoints())
            tasks.create_task(self._ensure_authentication_info())
        self._looked_at = self._clock.monotonic()

    async def check(self) -> str:
        """The health check: why not all is there, as far as is known."""
        if self._looked_at is None:
            return "not finished"
        since = self._clock.monotonic() - self._looked_at
        return f"not looked at for {since:.0f} s" if since > _TOO_LONG else ""

    async def keep(self) -> None:
        """Look again and again; what keeps one look from its end is told, and ends nothing else."""
        while True:
            await self._clock.sleep(CHECK_EVERY)
            try:
                await self.ensure()
            except* ApiError as failures:
                why = str(failures.exceptions[0])
                logger.warning("what has to be there is not looked after", extra={"error": why})

    async def _ensure(self, resource: Resource, obj: Any) -> None:
        meta = metadata(obj)
        if await self._get(resource, meta.namespace, meta.name) is not None:
            return
        try:
            await self._registry.create(
                resource, meta.namespace, obj, RequestContext(_USER, field_manager="kube-apiserver")
            )
        except ApiError as error:
            # Another server was first, or the namespace is just going: the next look sees.
            if error.code not in (*_CONFLICTS, 403):
                raise

    async def _ensure_service_cidr(self) -> None:
        cidr = ServiceCIDR(
            metadata=ObjectMeta(name="kubernetes"), spec=ServiceCIDRSpec(cidrs=[self._service_cidr])
        )
        await self._ensure(SERVICECIDRS, cidr)
        there = await self._get(SERVICECIDRS, "", "kubernetes")
        if there is None or there.metadata.deletion_timestamp or there.status.conditions:
            return
        now = self._clock.now().replace(microsecond=0)
        ready = Condition(
            type="Ready",
            status="True",
            message="Kubernetes default Service CIDR is ready",
            last_transition_time=now,
        )
        change = {"status": {"conditions": [codec.to_plain(ready)]}}
        context = RequestContext(_USER, field_manager="kubernetes-service-cidr-controller")
        try:
            await self._registry.patch(
                SERVICECIDRS, "", "kubernetes", change, MERGE_PATCH, context, subresource="status"
            )
        except ApiError as error:
            if error.code not in _CONFLICTS:
                raise

    async def _ensure_authentication_info(self) -> None:
        try:
            wanted = authentication_info(self._client_ca_file)
        except OSError as error:  # it is being replaced
            logger.warning("client CA not read", extra={"error": str(error)})
            return
        meta = wanted.metadata
        there = await self._get(CONFIGMAPS, meta.namespace, meta.name)
        right = there is not None and there.data == wanted.data
        if there is not None and not right:
            meta.labels = dict(there.metadata.labels)
            meta.annotations = dict(there.metadata.annotations)
            if there.immutable:
                await self._remove(CONFIGMAPS, meta.namespace, meta.name)
                return  # the next look makes it anew
        await self._put(CONFIGMAPS, wanted, there, right)

    async def _remove(self, resource: Resource, namespace: str, name: str) -> None:
        context = RequestContext(_USER)
        try:
            await self._registry.delete(resource, namespace, name, DeleteOptions(), context)
        except ApiError as error:
            if error.code not in _CONFLICTS:
                raise

    async def _ensure_endpoints(self) -> None:
        if ipaddress.ip_address(self._address).is_loopback:
            return  # no Pod could reach it there, and validation refuses it
        endpoints, endpoint_slice = self._endpoints(), self._slice()
        there = await self._get(ENDPOINTS, "default", "kubernetes")
        right = there is not None and there.subsets == endpoints.subsets
        await self._put(ENDPOINTS, endpoints, there, right)
        there = await self._get(ENDPOINTSLICES, "default", "kubernetes")
        right = there is not None and (there.endpoints, there.ports) == (
            endpoint_slice.endpoints,
            endpoint_slice.ports,
        )
        await self._put(ENDPOINTSLICES, endpoint_slice, there, right)

    async def _put(self, resource: Resource, wanted: Any, there: Any, right: bool) -> None:
        """Write *wanted* unless what is *there* is *right*."""
        if there is None:
            await self._ensure(resource, wanted)
        elif not right:
            meta = wanted.metadata
            meta.resource_version = there.metadata.resource_version
            context = RequestContext(_USER, field_manager="kube-apiserver")
            try:
                await self._registry.update(resource, meta.namespace, meta.name, wanted, context)
            except ApiError as error:
                if error.code not in _CONFLICTS:
                    raise

    async def _get(self, resource: Resource, namespace: str, name: str) -> Any:
        try:
            return (await self._registry.get(resource, namespace, name)).obj
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def _service(self) -> Service:
        port = ServicePort(name="https", port=SERVICE_PORT, protocol="TCP", target_port=self._port)
        return Service(
            metadata=ObjectMeta(
                name="kubernetes",
                namespace="default",
                labels={"component": "apiserver", "provider": "kubernetes"},
            ),
            spec=ServiceSpec(
                cluster_ip=self._service_ip,
                cluster_ips=[self._service_ip],
                ip_families=["IPv4"],
                ip_family_policy="SingleStack",
                ports=[port],
                session_affinity="None",
                type="ClusterIP",
            ),
        )

    def _endpoints(self) -> Endpoints:
        subset = EndpointSubset(
            addresses=[EndpointAddress(ip=self._address)],
            ports=[EndpointPort(name="https", port=self._port, protocol="TCP")],
        )
        return Endpoints(
            metadata=ObjectMeta(
                name="kubernetes",
                namespace="default",
                labels={"endpointslice.kubernetes.io/skip-mirror": "true"},
            ),
            subsets=[subset],
        )

    def _slice(self) -> discovery_v1.EndpointSlice:
        endpoint = discovery_v1.Endpoint(
            addresses=[self._address], conditions=discovery_v1.EndpointConditions(ready=True)
        )
        port = discovery_v1.EndpointPort(name="https", port=self._port, protocol="TCP")
        return discovery_v1.EndpointSlice(
            metadata=ObjectMeta(
                name="kubernetes",
                namespace="default",
                labels={"kubernetes.io/service-name": "kubernetes"},
            ),
            address_type="IPv6" if ":" in self._address else "IPv4",
            endpoints=[endpoint],
            ports=[port],
        )
