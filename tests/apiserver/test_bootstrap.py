"""What is there before anybody makes anything."""

from __future__ import annotations

from podium.api.scheme import CONFIGMAPS, ENDPOINTS, ENDPOINTSLICES
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import UserInfo
from podium.apiserver.authentication_info import NAME, authentication_info
from podium.apiserver.bootstrap import CHECK_EVERY
from podium.kit.clock import VirtualClock
from podium.registry.types import RequestContext
from support.apiserver import RunningApiServer, running_apiserver
from support.http_peer import eventually

ADMIN = RequestContext(UserInfo("admin", ("system:masters",)))


async def test_the_server_is_found_behind_its_service(api: RunningApiServer) -> None:
    endpoints = (await api.registry.get(ENDPOINTS, "default", "kubernetes")).obj
    [subset] = endpoints.subsets
    assert [a.ip for a in subset.addresses] == ["192.0.2.1"]
    found = (await api.registry.get(ENDPOINTSLICES, "default", "kubernetes")).obj
    assert found.metadata.labels == {"kubernetes.io/service-name": "kubernetes"}
    assert [e.addresses for e in found.endpoints] == [["192.0.2.1"]]
    assert [(p.name, p.port) for p in found.ports] == [("https", api.port)]
    assert found.address_type == "IPv4"


async def test_it_is_still_found_when_somebody_has_deleted_or_changed_that(tmp_path) -> None:
    clock = VirtualClock()
    async with running_apiserver(tmp_path, clock=clock) as api:
        changed = (await api.registry.get(ENDPOINTSLICES, "default", "kubernetes")).obj
        changed.endpoints[0].addresses = ["192.0.2.9"]
        await api.registry.update(ENDPOINTSLICES, "default", "kubernetes", changed, ADMIN)
        await api.registry.delete(ENDPOINTS, "default", "kubernetes", DeleteOptions(), ADMIN)

        async def addresses():
            await clock.advance(CHECK_EVERY)
            found = await api.registry.get(ENDPOINTSLICES, "default", "kubernetes")
            there = await api.registry.read(ENDPOINTS, "default", "kubernetes")
            return found.obj.endpoints[0].addresses, there is not None

        await eventually(addresses, (["192.0.2.1"], True))


async def test_whom_the_server_trusts_is_told_whatever_somebody_makes_of_it(tmp_path) -> None:
    clock = VirtualClock()
    async with running_apiserver(tmp_path, clock=clock) as api:

        async def told():
            await clock.advance(CHECK_EVERY)
            found = await api.registry.read(CONFIGMAPS, "kube-system", NAME)
            return found.data if found else None

        certificate = api.authority.cert_file.read_text()
        assert await told() == {"client-ca-file": certificate}
        for immutable in (False, True):
            changed = (await api.registry.get(CONFIGMAPS, "kube-system", NAME)).obj
            changed.data, changed.immutable = {"client-ca-file": "mine"}, immutable
            changed.metadata.labels = {"mine": "yes"}
            await api.registry.update(CONFIGMAPS, "kube-system", NAME, changed, ADMIN)
            await eventually(told, {"client-ca-file": certificate})
            there = (await api.registry.get(CONFIGMAPS, "kube-system", NAME)).obj
            assert there.metadata.labels == ({} if immutable else {"mine": "yes"})
        async with api.session("aggregator", ()) as session:
            path = f"/api/v1/namespaces/kube-system/configmaps/{NAME}"
            async with session.get(path) as response:
                assert response.status == 403


def test_nothing_but_certificates_is_told(tmp_path) -> None:
    block = "-----BEGIN {0}-----\nMAo=\n-----END {0}-----\n".format
    file = tmp_path / "ca.crt"
    text = f"# ü\n{block('CERTIFICATE')}{block('PRIVATE KEY')}\n{block('CERTIFICATE')}".strip()
    file.write_bytes(text.encode("latin-1"))  # and no line break at the end
    assert authentication_info(file).data == {"client-ca-file": block("CERTIFICATE") * 2}
