"""ServiceCIDRs: ready once they are kept, and kept as long as Services have addresses of theirs."""

from __future__ import annotations

from podium.api import scheme
from podium.api.types.core_v1 import Service
from podium.api.types.networking_v1 import ServiceCIDR
from podium.client.client import Client
from podium.controllers.service_cidrs import DELETION_GRACE
from support.controlling import Cluster, controlling
from support.http_peer import eventually

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
#: The state of a range that the controller has seen.
KEPT = ([FINALIZER], [("Ready", "True", "Kubernetes Service CIDR is ready")])


async def found(client: Client, name: str) -> ServiceCIDR | None:
    items = (await client.list(scheme.SERVICECIDRS)).items
    return next((cidr for cidr in items if cidr.metadata.name == name), None)


async def state(client: Client, name: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    cidr = await found(client, name)
    assert cidr is not None
    conditions = [(c.type, c.status, c.message) for c in cidr.status.conditions]
    return cidr.metadata.finalizers, conditions


async def add_cidr(cluster: Cluster, name: str, cidr: str) -> None:
    document = {"metadata": {"name": name}, "spec": {"cidrs": [cidr]}}
    await cluster.create(scheme.SERVICECIDRS, document)
    await eventually(lambda: state(cluster.client, name), KEPT)


async def add_service(cluster: Cluster, name: str, address: str) -> Service:
    made: Service = await cluster.create(
        scheme.SERVICES,
        {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"clusterIP": address, "ports": [{"port": 80}]},
        },
    )
    return made


async def seconds_until_gone(cluster: Cluster, name: str) -> float:
    """Let time pass until the range is gone; return how much it was."""
    started = cluster.clock.monotonic()

    async def is_gone() -> bool:
        await cluster.clock.advance(1)
        return await found(cluster.client, name) is None

    await eventually(is_gone, True)
    return cluster.clock.monotonic() - started


async def test_services_get_addresses_of_ranges_that_came_later(tmp_path) -> None:
    async with controlling(tmp_path) as cluster:
        await add_cidr(cluster, "more", "10.200.0.0/24")
        service = await add_service(cluster, "web", "10.200.0.7")
        assert service.spec.cluster_ips == ["10.200.0.7"]


async def test_a_range_that_no_service_has_an_address_of_goes(tmp_path) -> None:
    async with controlling(tmp_path) as cluster:
        await add_cidr(cluster, "more", "10.200.0.0/24")
        await cluster.client.delete(scheme.SERVICECIDRS, "more")
        assert await seconds_until_gone(cluster, "more") >= DELETION_GRACE


async def test_a_range_stays_until_its_last_service_is_gone(tmp_path) -> None:
    async with controlling(tmp_path) as cluster:
        await add_cidr(cluster, "more", "10.200.0.0/24")
        await add_service(cluster, "web", "10.200.0.7")
        await eventually(lambda: addresses(cluster.client, "10.200.0.7"), 1)
        await cluster.client.delete(scheme.SERVICECIDRS, "more")
        waiting = (
            "Ready",
            "False",
            "There are still IPAddresses referencing the ServiceCIDR, please remove them or "
            "create a new ServiceCIDR",
        )
        await eventually(lambda: state(cluster.client, "more"), ([FINALIZER], [waiting]))
        await cluster.client.delete(scheme.SERVICES, "web", namespace="default")
        assert await seconds_until_gone(cluster, "more") >= DELETION_GRACE


async def test_another_range_with_the_same_addresses_sets_it_free(tmp_path) -> None:
    async with controlling(tmp_path) as cluster:
        await add_cidr(cluster, "more", "10.200.0.0/24")
        await add_service(cluster, "web", "10.200.0.7")
        await eventually(lambda: addresses(cluster.client, "10.200.0.7"), 1)
        await cluster.client.delete(scheme.SERVICECIDRS, "more")
        await add_cidr(cluster, "larger", "10.200.0.0/16")
        assert await seconds_until_gone(cluster, "more") >= DELETION_GRACE


async def addresses(client: Client, name: str) -> int:
    items = (await client.list(scheme.IPADDRESSES)).items
    return sum(1 for address in items if address.metadata.name == name)


async def test_the_first_range_is_kept_too(tmp_path) -> None:
    async with controlling(tmp_path) as cluster:

        async def finalizers() -> list[str]:
            return (await state(cluster.client, "kubernetes"))[0]

        await eventually(finalizers, [FINALIZER])
        assert (await state(cluster.client, "kubernetes"))[1] == [
            ("Ready", "True", "Kubernetes default Service CIDR is ready")
        ]
