"""Acting as a service account: tokens come when needed, are renewed, and replaced when refused."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import ServiceAccount
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.accounts import (
    RENEW_AFTER,
    RETRY_AFTER,
    TOKEN_SECONDS,
    ServiceAccountClients,
    ServiceAccountToken,
)
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.kit.clock import VirtualClock
from support.access import denied, recorded_access
from support.apiserver import running_apiserver

ROOT = ("system:kube-controller-manager", ())
ME = "system:serviceaccount:kube-system:test-controller"


class World:
    def __init__(self, api, accounts, clock, access) -> None:
        self.api, self.accounts, self.clock, self.access = api, accounts, clock, access

    def tokens_asked_for(self) -> int:
        return sum(
            1
            for line in self.access
            if line.path.endswith("/serviceaccounts/test-controller/token")
        )


@asynccontextmanager
async def world(directory):
    clock = VirtualClock()
    with recorded_access() as access:
        async with (
            running_apiserver(directory, clock=clock) as api,
            Client(api.client_config(*ROOT)) as root,
            ServiceAccountClients(root, "kube-system", clock) as accounts,
        ):
            yield World(api, accounts, clock, access)


async def who(client: Client) -> str:
    """Return as whom the server knows *client*."""
    answer = await client.create(
        scheme.SELFSUBJECTREVIEWS, scheme.SELFSUBJECTREVIEWS.type(metadata=ObjectMeta())
    )
    return str(answer.status.user_info.username)


async def test_nothing_is_asked_for_before_it_is_needed(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("test-controller")
        assert it.tokens_asked_for() == 0
        assert await asyncio.gather(*(who(client) for _ in range(5))) == [ME] * 5
        # The first answer was that there is no such account; then there was one.
        assert it.tokens_asked_for() == 2
        account = await it.api.registry.get(
            scheme.SERVICEACCOUNTS, "kube-system", "test-controller"
        )
        assert account.obj.metadata.name == "test-controller"


async def test_a_token_is_renewed_before_it_expires(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("test-controller")
        await who(client)
        asked = it.tokens_asked_for()
        await it.clock.advance(TOKEN_SECONDS * RENEW_AFTER - 1)
        await who(client)
        assert it.tokens_asked_for() == asked
        await it.clock.advance(2)
        assert await who(client) == ME
        assert it.tokens_asked_for() == asked + 1


async def test_a_renewal_that_fails_is_not_tried_at_every_request(tmp_path, monkeypatch):
    """The token that is at hand holds for a while."""
    asked = 0

    async def failing(self, _request):
        nonlocal asked
        asked += 1
        raise Unreachable("nobody there")

    async with world(tmp_path) as it:
        client = it.accounts.client("test-controller")
        await who(client)
        with monkeypatch.context() as patched:
            patched.setattr(ServiceAccountToken, "_create_token", failing)
            await it.clock.advance(TOKEN_SECONDS * RENEW_AFTER + 1)
            assert [await who(client) for _ in range(3)] == [ME] * 3
            assert asked == 1
            await it.clock.advance(RETRY_AFTER)
            await who(client)
            assert asked == 2
        await it.clock.advance(RETRY_AFTER)
        before = it.tokens_asked_for()
        assert await who(client) == ME
        assert it.tokens_asked_for() == before + 1


async def test_an_account_that_was_made_anew_is_got_a_new_token(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("test-controller")
        await who(client)
        await made_anew(it, "test-controller")
        assert await who(client) == ME


async def test_a_watch_is_got_a_new_token_as_well(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("endpointslice-controller")
        await who(client)
        await made_anew(it, "endpointslice-controller")
        async with aclosing(client.watch(scheme.SERVICES, resource_version="0")) as events:
            _, service = await anext(events)
        assert service.metadata.name == "kubernetes"


async def made_anew(it: World, name: str) -> None:
    """Delete and create the account *name*: tokens of the old one are refused."""
    async with Client(it.api.client_config()) as admin:
        await admin.delete(scheme.SERVICEACCOUNTS, name, namespace="kube-system")
        metadata = ObjectMeta(name=name, namespace="kube-system")
        await admin.create(scheme.SERVICEACCOUNTS, ServiceAccount(metadata=metadata))


async def test_it_may_do_no_more_than_the_account(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("test-controller")
        with pytest.raises(ApiError) as caught:
            await client.list(scheme.SECRETS)
        assert caught.value.code == 403
        assert f'User "{ME}" cannot list resource "secrets"' in caught.value.status.message
        assert denied(it.access) == [f"{ME}: {caught.value.status.message}"]


async def test_watches_go_by_token_too(tmp_path):
    async with world(tmp_path) as it:
        client = it.accounts.client("endpointslice-controller")
        events = client.watch(
            scheme.SERVICES, resource_version="0", timeout_seconds=1, field_selector=""
        )
        async for type_, obj in events:
            assert (type_, obj.metadata.name) == ("ADDED", "kubernetes")
            break
        await events.aclose()
