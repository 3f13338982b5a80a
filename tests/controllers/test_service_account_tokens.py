"""Secrets for tokens are filled, hold as long as their account, and open the API server."""

from __future__ import annotations

import base64

import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from support.controlling import controlling
from support.http_peer import eventually

ACCOUNT = "kubernetes.io/service-account.name"


@pytest.fixture
def cluster(tmp_path):
    return controlling(tmp_path)


async def add_account(cluster, name: str = "robot"):
    return await cluster.create(
        scheme.SERVICEACCOUNTS, {"metadata": {"name": name, "namespace": "default"}}
    )


async def add_secret(cluster, account: str = "robot", **more):
    metadata = {"name": "token", "namespace": "default", "annotations": {ACCOUNT: account}}
    document = {"metadata": metadata, "type": "kubernetes.io/service-account-token", **more}
    return await cluster.create(scheme.SECRETS, document)


async def secret(cluster):
    try:
        return await cluster.client.get(scheme.SECRETS, "token", "default")
    except ApiError as error:
        if error.code != 404:
            raise
        return None


async def keys(cluster) -> list[str] | None:
    found = await secret(cluster)
    return None if found is None else sorted(found.data)


async def test_a_secret_for_a_token_gets_one_that_holds(cluster):
    async with cluster as cluster:
        account = await add_account(cluster)
        await add_secret(cluster)
        await eventually(lambda: keys(cluster), ["ca.crt", "namespace", "token"])
        found = await secret(cluster)
        uid = found.metadata.annotations["kubernetes.io/service-account.uid"]
        assert uid == account.metadata.uid
        plain = {key: base64.b64decode(value).decode() for key, value in found.data.items()}
        assert plain["namespace"] == "default"
        assert plain["ca.crt"] == cluster.api.authority.cert_file.read_text()
        headers = {"Authorization": f"Bearer {plain['token']}"}
        async with (
            cluster.api.session(anonymous=True) as robot,
            robot.get("/api/v1/namespaces/default/pods", headers=headers) as response,
        ):
            message = (await response.json())["message"]
            assert response.status == 403
        assert 'User "system:serviceaccount:default:robot" cannot list' in message


async def test_what_is_taken_out_comes_back_and_a_token_that_is_there_stays(cluster):
    async with cluster as cluster:
        await add_account(cluster)
        mine = base64.b64encode(b"mine").decode()
        await add_secret(cluster, data={"token": mine, "more": mine})
        await eventually(lambda: keys(cluster), ["ca.crt", "more", "namespace", "token"])
        assert (await secret(cluster)).data["token"] == mine
        change = {"data": {"ca.crt": None, "token": None}}
        await cluster.client.patch(
            scheme.SECRETS, "token", change, namespace="default", patch_type="merge"
        )
        await eventually(lambda: keys(cluster), ["ca.crt", "more", "namespace", "token"])
        assert (await secret(cluster)).data["token"] != mine


async def test_it_goes_with_its_account(cluster):
    async with cluster as cluster:
        await add_account(cluster)
        await add_secret(cluster)
        await eventually(lambda: keys(cluster), ["ca.crt", "namespace", "token"])
        await cluster.client.delete(scheme.SERVICEACCOUNTS, "robot", namespace="default")
        await eventually(lambda: keys(cluster), None)


async def test_one_for_an_account_that_is_not_there_goes_at_once(cluster):
    async with cluster as cluster:
        await add_secret(cluster, account="nobody")
        await eventually(lambda: keys(cluster), None)


async def test_other_secrets_are_left_alone(cluster):
    async with cluster as cluster:
        metadata = {"name": "mine", "namespace": "default", "annotations": {ACCOUNT: "nobody"}}
        await cluster.create(scheme.SECRETS, {"metadata": metadata})
        await add_secret(cluster, account="nobody")
        await eventually(lambda: keys(cluster), None)  # by now the other one would be gone, too
        assert await cluster.client.get(scheme.SECRETS, "mine", "default")
