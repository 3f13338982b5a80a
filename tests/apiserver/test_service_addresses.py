"""The addresses of Services, as objects."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import IPADDRESSES, SERVICES
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.types.networking_v1 import IPAddress
from podium.api.user import UserInfo
from podium.registry.types import RequestContext
from support.apiserver import RunningApiServer, running_apiserver
from support.http_peer import eventually, until

ADMIN = RequestContext(UserInfo("admin", ("system:masters",)))


def service(name: str, **spec: Any) -> Any:
    body = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}
    return codec.from_plain(SERVICES.type, body)


async def create(api: RunningApiServer, name: str, **spec: Any) -> str:
    made = await api.registry.create(SERVICES, "default", service(name, **spec), ADMIN)
    address: str = made.obj.spec.cluster_ip
    return address


def parents(api: RunningApiServer) -> dict[str, str]:
    found: dict[str, str] = {}
    for address in api.registry.known(IPADDRESSES, ""):
        parent = address.spec.parent_ref
        found[address.metadata.name] = f"{parent.resource}/{parent.namespace}/{parent.name}"
    return found


async def test_each_address_names_the_service_that_has_it(api: RunningApiServer) -> None:
    web = await create(api, "web")
    await create(api, "headless", clusterIP="None")

    async def shown() -> dict[str, str]:
        return parents(api)

    first = (await api.registry.get(SERVICES, "default", "kubernetes")).obj.spec.cluster_ip
    await eventually(shown, {first: "services/default/kubernetes", web: "services/default/web"})
    found: IPAddress = (await api.registry.get(IPADDRESSES, "", web)).obj
    assert found.metadata.labels == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }


async def test_an_address_comes_back_when_deleted_and_goes_with_its_service(tmp_path) -> None:
    async with running_apiserver(tmp_path) as api:
        web = await create(api, "web")

        def uids() -> list[str]:
            addresses = api.registry.known(IPADDRESSES, "")
            return [one.metadata.uid for one in addresses if one.metadata.name == web]

        await until(lambda: len(uids()) == 1)
        first = uids()
        await api.registry.delete(IPADDRESSES, "", web, DeleteOptions(), ADMIN)
        await until(lambda: len(uids()) == 1 and uids() != first)
        assert parents(api)[web] == "services/default/web"
        await api.registry.delete(SERVICES, "default", "web", DeleteOptions(), ADMIN)
        await until(lambda: not uids())
        assert web not in parents(api)


async def test_an_address_that_somebody_has_taken_is_not_given_away(api: RunningApiServer) -> None:
    parent = {"resource": "things", "name": "x"}
    body = {"metadata": {"name": "10.96.200.7"}, "spec": {"parentRef": parent}}
    taken = codec.from_plain(IPADDRESSES.type, body)
    await api.registry.create(IPADDRESSES, "", taken, ADMIN)
    with pytest.raises(ApiError, match="provided IP is already allocated"):
        await create(api, "web", clusterIP="10.96.200.7")
    assert parents(api)["10.96.200.7"] == "things//x"
