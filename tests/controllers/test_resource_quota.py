"""The quota controller against a real API server: right at once, and watching little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.core_v1 import Namespace
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.informer import Informer
from podium.controllers.resource_quota import ResourceQuotaController
from podium.kit.clock import SystemClock
from support.apiserver import running_apiserver
from support.http_peer import running, until

NAMESPACE = "apps"
INFORMED = (scheme.RESOURCEQUOTAS, scheme.PODS, scheme.PERSISTENTVOLUMECLAIMS)


class Noting(Client):
    """A client that keeps which kinds it has watched."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.watched: set[str] = set()

    def watch(self, resource: Resource, *args: Any, **named: Any) -> AsyncGenerator[Any, None]:
        self.watched.add(resource.plural)
        return super().watch(resource, *args, **named)


class World:
    def __init__(self, client: Noting, quotas: Informer[Any]) -> None:
        self.client, self.quotas = client, quotas

    async def create(self, resource: Resource, name: str, **fields: Any) -> Any:
        plain = {"metadata": {"name": name, "namespace": NAMESPACE}, **fields}
        return await self.client.create(resource, msgspec.convert(plain, resource.type))

    async def delete(self, resource: Resource, name: str) -> None:
        await self.client.delete(resource, name, namespace=NAMESPACE)

    async def limit(self, **hard: str) -> None:
        limits = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
        await self.create(scheme.RESOURCEQUOTAS, "q", spec={"hard": limits})
        await self.used(**dict.fromkeys(hard, "0"))

    async def used(self, **expected: str) -> None:
        """Wait until so much is used."""
        await self.uses(
            {key.replace("__", "/").replace("_", "."): v for key, v in expected.items()}
        )

    async def uses(self, wanted: dict[str, str]) -> None:
        def is_so() -> bool:
            quota = self.quotas.get(NAMESPACE, "q")
            return quota is not None and wanted.items() <= quota.status.used.items()

        await until(is_so)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with controlling(tmp_path) as made:
        yield made


@asynccontextmanager
async def controlling(directory: Path) -> AsyncIterator[World]:
    clock = SystemClock()
    async with running_apiserver(directory) as api, Noting(api.client_config()) as client:
        informers: list[Informer[Any]] = [Informer(client, r, clock=clock) for r in INFORMED]
        controller = ResourceQuotaController(client, *informers, clock)  # type: ignore[arg-type]

        async def everything() -> None:
            async with asyncio.TaskGroup() as tasks:
                for informer in informers:
                    tasks.create_task(informer.run())
                for informer in informers:
                    await informer.synced.wait()
                tasks.create_task(controller.run())

        async with running(everything()):
            made = World(client, informers[0])
            await client.create(scheme.NAMESPACES, Namespace(metadata=ObjectMeta(name=NAMESPACE)))
            await made.create(scheme.SERVICEACCOUNTS, "default")
            yield made


@pytest.mark.parametrize(
    ("resource", "limit", "fields"),
    [
        (scheme.CONFIGMAPS, "configmaps", {}),
        (scheme.SECRETS, "count__secrets", {}),
        (scheme.LEASES, "count__leases_coordination_k8s_io", {}),
        (scheme.SERVICES, "services", {"spec": {"ports": [{"port": 1}]}}),
    ],
    ids=lambda value: getattr(value, "plural", ""),
)
async def test_what_is_deleted_is_given_back_at_once(
    world: World, resource: Resource, limit: str, fields: dict[str, Any]
) -> None:
    await world.limit(**{limit: "2"})
    for name in "ab":
        await world.create(resource, name, **fields)
    await world.used(**{limit: "2"})
    with pytest.raises(ApiError, match="exceeded quota: q"):
        await world.create(resource, "c", **fields)
    await world.delete(resource, "a")
    await world.used(**{limit: "1"})
    await world.create(resource, "c", **fields)
    await world.used(**{limit: "2"})


async def test_only_what_is_limited_is_watched(world: World) -> None:
    before = {"resourcequotas", "pods", "persistentvolumeclaims"}
    assert world.client.watched == before
    await world.limit(count__deployments_apps="1", pods="1")
    await until(lambda: world.client.watched == before | {"deployments"})


async def test_a_pod_that_has_ended_is_given_back(world: World) -> None:
    await world.limit(pods="1", count__pods="2")
    await world.create(scheme.PODS, "p", spec={"containers": [{"name": "c", "image": "i"}]})
    await world.used(pods="1", count__pods="1")
    change = {"status": {"phase": "Succeeded"}}
    await world.client.patch(scheme.PODS, "p", change, namespace=NAMESPACE, subresource="status")
    await world.used(pods="0", count__pods="1")


async def test_a_service_that_becomes_another_type_gives_its_ports_back(world: World) -> None:
    await world.limit(services_nodeports="1")
    spec: dict[str, Any] = {"type": "NodePort", "ports": [{"port": 1}]}
    await world.create(scheme.SERVICES, "s", spec=spec)
    await world.used(services_nodeports="1")
    change = {"spec": {"type": "ClusterIP", "ports": [{"port": 1, "nodePort": None}]}}
    await world.client.patch(scheme.SERVICES, "s", change, namespace=NAMESPACE)
    await world.used(services_nodeports="0")


async def test_a_claim_of_a_class_is_counted_under_it(world: World) -> None:
    name = "gold.storageclass.storage.k8s.io/requests.storage"
    await world.create(scheme.RESOURCEQUOTAS, "q", spec={"hard": {name: "3Gi"}})
    await world.uses({name: "0"})
    claim = {
        "spec": {
            "storageClassName": "gold",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
        }
    }
    await world.create(scheme.PERSISTENTVOLUMECLAIMS, "c", **claim)
    await world.uses({name: "2Gi"})
    with pytest.raises(ApiError) as refused:
        await world.create(scheme.PERSISTENTVOLUMECLAIMS, "d", **claim)
    assert refused.value.status.message == (
        'persistentvolumeclaims "d" is forbidden: exceeded quota: q, '
        f"requested: {name}=2Gi, used: {name}=2Gi, limited: {name}=3Gi"
    )


async def test_new_limits_are_counted_at_once(world: World) -> None:
    await world.create(scheme.SECRETS, "s")
    await world.limit(pods="1")
    change = {"spec": {"hard": {"secrets": "5"}}}
    await world.client.patch(
        scheme.RESOURCEQUOTAS, "q", change, namespace=NAMESPACE, patch_type="merge"
    )
    await world.used(pods="0", secrets="1")
