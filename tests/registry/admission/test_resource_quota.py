"""ResourceQuota on a real registry: exact, however many write, delete and count at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from podium.api import codec, scheme
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, RESOURCEQUOTAS, SECRETS
from podium.api.types.core_v1 import ResourceQuota, Secret
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.domain.quota import counting
from podium.kit.clock import SystemClock
from podium.registry.admission.quota_ledger import Charge, Ledger
from podium.registry.admission.resource_quota import ResourceQuotaAdmission
from podium.registry.registry import Registry
from podium.registry.types import ListOptions
from podium.store.memory import MemoryStore
from podium.store.port import Store
from podium.store.sqlite import SqliteStore
from support.registries import config_map, context, serving, text

KINDS = (CONFIGMAPS, RESOURCEQUOTAS, SECRETS)


class World:
    """A registry that keeps to quotas, and what a client does to it."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self.registry, self.store = registry, store
        self.present = self.most = 0
        registry.observe(CONFIGMAPS, self._seen)

    def _seen(self, _: Any, old: Any, new: Any) -> None:
        self.present += (new is not None) - (old is not None)
        self.most = max(self.most, self.present)

    async def limit(self, name: str = "q", **hard: str) -> None:
        limits = {key.replace("__", "/"): value for key, value in hard.items()}
        plain = {"metadata": {"name": name}, "spec": {"hard": limits}}
        quota = codec.from_plain(ResourceQuota, plain)
        await self.registry.create(RESOURCEQUOTAS, "default", quota, context())
        await self.count(name)

    async def quota(self, name: str = "q") -> ResourceQuota:
        found: ResourceQuota = (await self.registry.get(RESOURCEQUOTAS, "default", name)).obj
        return found

    async def used(self, name: str = "q") -> dict[str, str]:
        return (await self.quota(name)).status.used

    async def add(self, name: str, *, dry_run: bool = False) -> str:
        """Create; return the message of a failure."""
        made = config_map(name)
        try:
            await self.registry.create(CONFIGMAPS, "default", made, context(dry_run=dry_run))
        except ApiError as failure:
            return text(failure)[2]
        return ""

    async def remove(self, name: str) -> None:
        try:
            await self.registry.delete(
                CONFIGMAPS, "default", name, DeleteOptions(), replace(context())
            )
        except ApiError as failure:
            if failure.code != 404:
                raise

    async def count(self, name: str = "q") -> bool:
        """Do as the controller does; return whether that has to be done again."""
        quota = await self.quota(name)
        used: Any = {}
        versions = []
        for kind in KINDS:
            await asyncio.sleep(0)
            listed = await self.registry.list(kind, "default", ListOptions())
            versions.append(int(listed.resource_version))
            if counting.concerns(quota, kind):
                used |= counting.number(quota, kind, len(listed.items))
        status = counting.status(quota, used)
        counted = status.used
        annotations = {counting.COUNTED_AT: str(min(versions))}
        metadata = msgspec.structs.replace(quota.metadata, annotations=annotations)
        changed = msgspec.structs.replace(quota, metadata=metadata, status=status)
        await asyncio.sleep(0)
        try:
            stored = await self.registry.update(
                RESOURCEQUOTAS, "default", name, changed, context(), subresource="status"
            )
        except ApiError as failure:
            if failure.code != 409:
                raise
            return True
        again: bool = stored.obj.status.used != counted
        return again


@asynccontextmanager
async def living(store: Store) -> AsyncIterator[World]:
    admission = [ResourceQuotaAdmission()]
    async with serving(store, SystemClock(), admission=admission, resources=KINDS) as registry:
        yield World(registry, store)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with living(MemoryStore()) as made:
        yield made


@pytest.fixture
async def stored_world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore.open(tmp_path / "db")
    try:
        async with living(store) as made:
            yield made
    finally:
        await store.close()


async def test_of_many_creators_as_many_succeed_as_there_is_room(stored_world: World) -> None:
    world = stored_world
    await world.limit(count__configmaps="40")
    async with asyncio.TaskGroup() as tasks:
        creating = [tasks.create_task(world.add(f"c{number}")) for number in range(200)]
    refused = [message for task in creating if (message := task.result())]
    assert len(refused) == 160
    assert refused[-1] == (
        'configmaps "c199" is forbidden: exceeded quota: q, requested: count/configmaps=1, '
        "used: count/configmaps=40, limited: count/configmaps=40"
    )
    assert (world.present, await world.used()) == (40, {"count/configmaps": "40"})


CHANCE = random.Random(1)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class Tardy(MemoryStore):
    """A store in which creates of objects come at any time after they were begun."""

    async def create(self, key: str, value: bytes) -> Any:
        await turns(CHANCE.randrange(200))
        return await super().create(key, value)


async def test_nothing_is_given_twice_while_others_delete_and_count() -> None:
    """Ten clients create and delete, two count what there is: never is there one too many, and in
    the end what is noted is what is there."""
    limit = 6

    async def churn(world: World, client: int) -> None:
        for turn in range(6):
            name = f"c{client}-{turn}"
            while await world.add(name):
                await turns(1)
            await turns(CHANCE.randrange(500))
            await world.remove(name)

    async def recount(world: World) -> None:
        while True:
            await world.count()

    async with living(Tardy()) as world:
        await world.limit(count__configmaps=str(limit))
        async with asyncio.TaskGroup() as tasks:
            counting_on = [tasks.create_task(recount(world)) for _ in range(2)]
            async with asyncio.TaskGroup() as clients:
                for client in range(10):
                    clients.create_task(churn(world, client))
            for task in counting_on:
                task.cancel()
        assert limit // 2 < world.most <= limit
        while await world.count():
            pass
        assert (world.present, await world.used()) == (0, {"count/configmaps": "0"})


async def test_what_was_not_stored_is_given_back(world: World) -> None:
    await world.limit(count__configmaps="2")
    assert await world.add("a") == ""
    assert await world.add("a") == 'configmaps "a" already exists'
    assert await world.used() == {"count/configmaps": "1"}


async def test_a_dry_run_is_weighed_and_not_charged(world: World) -> None:
    await world.limit(count__configmaps="1")
    assert await world.add("a", dry_run=True) == ""
    assert await world.used() == {"count/configmaps": "0"}
    await world.add("a")
    assert "exceeded quota: q" in await world.add("b", dry_run=True)


async def test_each_of_several_quotas_is_charged_or_none(world: World) -> None:
    await world.limit("a", count__configmaps="5")
    await world.limit("b", count__configmaps="1")
    await world.limit("c", secrets="1")
    await world.add("x")
    assert "exceeded quota: b" in await world.add("y")
    assert [await world.used(name) for name in "abc"] == [
        {"count/configmaps": "1"}, {"count/configmaps": "1"}, {"secrets": "0"}
    ]  # fmt: skip


async def test_quotas_count_themselves(world: World) -> None:
    await world.limit(resourcequotas="1")
    with pytest.raises(ApiError) as refused:
        await world.limit("other")
    assert text(refused.value)[2].startswith('resourcequotas "other" is forbidden: exceeded quota')


class Held(MemoryStore):
    """A store whose creates below a prefix wait until they are let go."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix, self.waiting, self.go = prefix, asyncio.Event(), asyncio.Event()

    async def create(self, key: str, value: bytes) -> Any:
        if key.startswith(self._prefix):
            self.waiting.set()
            await self.go.wait()
        return await super().create(key, value)


async def test_a_count_does_not_lose_what_is_being_stored() -> None:
    store = Held("/registry/configmaps/")
    async with living(store) as world, asyncio.TaskGroup() as tasks:
        await world.limit(count__configmaps="1")
        creating = tasks.create_task(world.add("a"))
        await store.waiting.wait()
        assert await world.count()  # to be repeated
        assert await world.used() == {"count/configmaps": "1"}
        assert "exceeded quota: q" in await world.add("b")
        store.go.set()
        assert await creating == ""
        assert not await world.count()
        assert await world.used() == {"count/configmaps": "1"}


async def test_the_first_count_does_not_lose_it_either() -> None:
    store = Held("/registry/configmaps/")
    async with living(store) as world, asyncio.TaskGroup() as tasks:
        plain = {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "1"}}}
        quota = codec.from_plain(ResourceQuota, plain)
        await world.registry.create(RESOURCEQUOTAS, "default", quota, context())
        await world.quota()
        creating = tasks.create_task(world.add("a"))
        await store.waiting.wait()
        await world.count()
        assert await world.used() == {"count/configmaps": "1"}
        store.go.set()
        await creating


async def test_a_client_that_goes_away_leaves_no_charge_to_be_added_for_ever() -> None:
    store = Held("/registry/configmaps/")
    async with living(store) as world:
        await world.limit(count__configmaps="1")
        async with asyncio.TaskGroup() as tasks:
            creating = tasks.create_task(world.add("a"))
            await store.waiting.wait()
            creating.cancel()
        assert not await world.count()
        assert await world.used() == {"count/configmaps": "0"}


async def test_so_does_one_that_goes_while_it_waits_for_its_turn(world: World) -> None:
    await world.limit(count__configmaps="3")
    async with asyncio.TaskGroup() as tasks:
        creating = [tasks.create_task(world.add(f"c{number}")) for number in range(3)]
        await asyncio.sleep(0)
        for task in creating:
            task.cancel()
    assert not await world.count()
    assert await world.used() == {"count/configmaps": str(world.present)}


async def test_a_quota_that_is_gone_limits_nothing(world: World) -> None:
    await world.limit(count__configmaps="0")
    assert await world.add("a") != ""
    await world.registry.delete(RESOURCEQUOTAS, "default", "q", DeleteOptions(), context())
    assert await world.add("a") == ""


async def test_other_namespaces_are_others(world: World) -> None:
    await world.limit(secrets="0")
    secret = Secret(metadata=ObjectMeta(name="s"))
    await world.registry.create(SECRETS, "other", secret, context())
    with pytest.raises(ApiError):
        await world.registry.create(SECRETS, "default", secret, context())


# ---------------------------------------------------------------------- the ledger


def counted(**used: str) -> ResourceQuota:
    return codec.from_plain(
        ResourceQuota, {"metadata": {"name": "q"}, "status": {"hard": used, "used": used}}
    )


def charge(done_at: int | None = None) -> Charge:
    one = counting.number(codec.from_plain(
        ResourceQuota, {"metadata": {"name": "q"}, "spec": {"hard": {"secrets": "1"}}}
    ), scheme.SECRETS, 1)  # fmt: skip
    return Charge("q", one, one, done_at)


@pytest.mark.parametrize(
    ("done_at", "counted_at", "used"),
    [
        pytest.param(None, "5", "4", id="under-way"),
        pytest.param(6, "5", "4", id="stored-since"),
        pytest.param(5, "5", "3", id="stored-before"),
        pytest.param(6, "", "3", id="counted-who-knows-when"),
        pytest.param(None, "", "4", id="under-way-whenever-counted"),
    ],
)
def test_counts_are_corrected_by_what_they_have_missed(
    done_at: int | None, counted_at: str, used: str
) -> None:
    ledger, status = Ledger(), counted(secrets="3", pods="1")
    if counted_at:
        status.metadata.annotations = {counting.COUNTED_AT: counted_at, "other": "x"}
    ledger.note(charge(done_at))
    ledger.correct(status)
    assert status.status.used == {"secrets": used, "pods": "1"}
    assert counting.COUNTED_AT not in status.metadata.annotations


def test_a_ledger_forgets_what_is_settled() -> None:
    ledger = Ledger()
    one, other = charge(7), charge()
    ledger.note(one)
    ledger.note(other)
    ledger.settle("q", 7)
    assert ledger
    ledger.strike(other)
    assert not ledger
