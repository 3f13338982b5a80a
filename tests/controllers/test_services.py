"""Endpoints and EndpointSlices follow Services and Pods, against a real API server."""

from __future__ import annotations

import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from support.controlling import controlling
from support.http_peer import eventually


@pytest.fixture
def cluster(tmp_path):
    return controlling(tmp_path)


async def add_service(cluster, name: str = "web", **spec):
    document = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec},
    }
    return await cluster.create(scheme.SERVICES, document)


async def add_backend(cluster, name: str, ip: str, *, ready: bool = True):
    await cluster.seen("serviceaccounts", "default", "default")
    await cluster.create(
        scheme.PODS,
        {
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "spec": {"nodeName": "node", "containers": [{"name": "c", "image": "i"}]},
        },
    )
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
    await cluster.client.patch(
        scheme.PODS, name, {"status": status}, namespace="default", subresource="status"
    )


async def endpoints(cluster, name: str = "web") -> list[tuple[list[str], list[str]]] | None:
    try:
        found = await cluster.client.get(scheme.ENDPOINTS, name, "default")
    except ApiError as error:
        if error.code != 404:
            raise
        return None
    return [
        ([a.ip for a in s.addresses], [a.ip for a in s.not_ready_addresses]) for s in found.subsets
    ]


async def slices(cluster, name: str = "web") -> list[list[tuple[str, bool]]]:
    found = await cluster.client.list(
        scheme.ENDPOINTSLICES, "default", label_selector=f"kubernetes.io/service-name={name}"
    )
    return [[(e.addresses[0], e.conditions.ready) for e in s.endpoints or ()] for s in found.items]


async def test_a_service_finds_its_pods_as_they_come_and_go(cluster):
    async with cluster as cluster:
        await cluster.add_node("node")
        await add_service(cluster)
        await eventually(lambda: endpoints(cluster), [])
        await eventually(lambda: slices(cluster), [[]])
        await add_backend(cluster, "a", "10.1.0.1")
        await eventually(lambda: endpoints(cluster), [(["10.1.0.1"], [])])
        await eventually(lambda: slices(cluster), [[("10.1.0.1", True)]])
        await add_backend(cluster, "b", "10.1.0.2", ready=False)
        await eventually(lambda: endpoints(cluster), [(["10.1.0.1"], ["10.1.0.2"])])
        await eventually(lambda: slices(cluster), [[("10.1.0.1", True), ("10.1.0.2", False)]])
        await cluster.client.delete(scheme.PODS, "a", namespace="default", grace_period_seconds=0)
        await eventually(lambda: endpoints(cluster), [([], ["10.1.0.2"])])
        await eventually(lambda: slices(cluster), [[("10.1.0.2", False)]])


async def test_a_deleted_service_leaves_no_endpoints(cluster):
    async with cluster as cluster:
        await add_service(cluster)
        await eventually(lambda: endpoints(cluster), [])
        await cluster.client.delete(scheme.SERVICES, "web", namespace="default")
        await eventually(lambda: endpoints(cluster), None)


async def test_what_somebody_else_makes_of_them_is_put_right(cluster):
    async with cluster as cluster:
        await cluster.add_node("node")
        await add_service(cluster)
        await add_backend(cluster, "a", "10.1.0.1")
        await eventually(lambda: slices(cluster), [[("10.1.0.1", True)]])
        await eventually(lambda: endpoints(cluster), [(["10.1.0.1"], [])])
        await cluster.client.delete(scheme.ENDPOINTS, "web", namespace="default")
        await cluster.client.delete_collection(scheme.ENDPOINTSLICES, "default")
        await eventually(lambda: endpoints(cluster), [(["10.1.0.1"], [])])
        await eventually(lambda: slices(cluster), [[("10.1.0.1", True)]])


async def test_endpoints_of_a_service_without_selector_are_their_owners(cluster):
    async with cluster as cluster:
        await add_service(cluster, "mine", selector={})
        made = await cluster.create(
            scheme.ENDPOINTS,
            {
                "metadata": {"name": "mine", "namespace": "default"},
                "subsets": [{"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 80}]}],
            },
        )
        await add_service(cluster)  # what is done about it comes after what would be about "mine"
        await eventually(lambda: endpoints(cluster), [])
        found = await cluster.client.get(scheme.ENDPOINTS, "mine", "default")
        assert found.metadata.resource_version == made.metadata.resource_version
        await eventually(lambda: slices(cluster, "mine"), [[("192.0.2.7", True)]])
        await cluster.client.patch(
            scheme.SERVICES, "mine", {"spec": {"selector": {"a": "b"}}}, namespace="default"
        )
        await eventually(lambda: slices(cluster, "mine"), [[]])  # from here on by its Pods


async def test_no_slice_is_made_twice_however_fast_pods_come(cluster):
    async with cluster as cluster:
        await cluster.add_node("node")
        await add_service(cluster)
        for i in range(1, 21):
            await add_backend(cluster, f"p{i:02}", f"10.1.0.{i}")
        everyone = [[(f"10.1.0.{i}", True) for i in range(1, 21)]]

        async def found():
            return [
                sorted(each, key=lambda e: int(e[0].split(".")[3]))
                for each in await slices(cluster)
            ]

        await eventually(found, everyone)
