"""A store whose medium is full, and bugs: who asks is told, and the server goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NoReturn

import pytest

from podium.api.scheme import CONFIGMAPS, SECRETS
from podium.api.types.core_v1 import Secret
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.api.user import UserInfo
from podium.apiserver.auth.rbac.defaults import default_objects
from podium.apiserver.auth.rbac.policy import Policy
from podium.apiserver.authentication_info import NAME
from podium.apiserver.bootstrap import CHECK_EVERY
from podium.apiserver.lookups import Lookups
from podium.apiserver.role_bootstrap import RoleBootstrap
from podium.kit.clock import VirtualClock
from podium.registry.registry import Registry
from podium.registry.types import RequestContext
from podium.store.memory import MemoryStore
from podium.store.port import StoreFailed
from support.apiserver import RunningApiServer, running_apiserver
from support.http_peer import eventually, until

FULL = "the store could not write: database or disk is full"
ADMIN = RequestContext(UserInfo("a", ("system:masters",)))


async def full(*_: Any) -> NoReturn:
    raise StoreFailed(FULL)


async def metrics(api: RunningApiServer) -> list[str]:
    async with api.session() as session, session.get("/metrics") as response:
        return (await response.text()).splitlines()


async def test_a_full_disk_is_told_to_who_writes(
    api: RunningApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.settled.wait()
    monkeypatch.setattr(api.store, "create", full)
    path = "/api/v1/namespaces/default/configmaps"
    async with api.session() as session:
        async with session.post(path, json={"metadata": {"name": "a"}}) as response:
            told = await response.json()
        assert (response.status, told["kind"], told["message"]) == (500, "Status", FULL)
        async with session.get(path) as response:
            assert response.status == 200
    counted = 'etcd_request_errors_total{group="",operation="create",resource="configmaps"} 1.0'
    assert counted in await metrics(api)


async def test_what_the_server_itself_writes_waits_for_better_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    async with running_apiserver(tmp_path, clock=clock) as api:

        async def is_there() -> bool:
            await clock.advance(CHECK_EVERY)
            return await api.registry.read(CONFIGMAPS, "kube-system", NAME) is not None

        await api.settled.wait()
        await api.registry.delete(CONFIGMAPS, "kube-system", NAME, DeleteOptions(), ADMIN)
        with monkeypatch.context() as patched:
            patched.setattr(api.store, "create", full)
            await clock.advance(CHECK_EVERY)
            await until(lambda: FULL in [getattr(record, "error", "") for record in caplog.records])
        await eventually(is_there, True)


async def test_default_roles_do_so_too_and_fill_no_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, store = VirtualClock(), MemoryStore()
    async with Registry(store, (), clock).serving() as registry, asyncio.TaskGroup() as tasks:
        roles = RoleBootstrap(registry, Policy())
        with monkeypatch.context() as patched:
            patched.setattr(store, "create", full)
            tasks.create_task(roles.run(clock))
            await until(lambda: bool(caplog.records))
        [told] = caplog.records
        assert vars(told)["count"] == len(default_objects())
        assert vars(told)["error"] == FULL
        await clock.advance(1.0)
        async with asyncio.timeout(60):
            await roles.done.wait()


async def test_a_token_holds_whether_or_not_its_use_can_be_noted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, store = VirtualClock(), MemoryStore()
    secret = Secret(metadata=ObjectMeta(name="t", namespace="default"), type="Opaque")
    async with Registry(store, (), clock).serving() as registry:
        stored = await registry.create(SECRETS, "default", secret, ADMIN)
        monkeypatch.setattr(store, "update", full)
        await Lookups(registry, clock).note_use(stored.obj)
    assert [vars(told)["error"] for told in caplog.records] == [FULL]


async def test_a_bug_is_counted_as_ours(
    api: RunningApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(api.registry, "get", bug)
        path = "/api/v1/namespaces/default/configmaps/a"
        async with api.session() as session, session.get(path) as response:
            assert response.status == 500
    codes = [line for line in await metrics(api) if line.startswith("apiserver_request_total{")]
    assert any('code="500"' in line for line in codes)
    assert not any('code="499"' in line for line in codes)
