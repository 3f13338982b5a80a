"""The garbage collector against a real API server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.meta_v1 import Status
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.controllers.garbage_collector import START_AFTER, GarbageCollector
from podium.controllers.options import ControllerOptions
from podium.controllers.shared import Shared
from podium.kit.clock import VirtualClock
from support.apiserver import running_apiserver
from support.http_peer import running


class World:
    def __init__(self, client: Client, clock: VirtualClock) -> None:
        self.client, self.clock = client, clock

    async def add(self, name, *owners, finalizers=(), namespace="default", block=None):
        """Create a ConfigMap that names *owners*."""
        references = [reference(owner, block) for owner in owners]
        document = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "ownerReferences": references,
                "finalizers": list(finalizers),
            }
        }
        obj = msgspec.convert(document, scheme.CONFIGMAPS.type)
        return await self.client.create(scheme.CONFIGMAPS, obj)

    async def delete(self, obj, policy=None):
        await self.client.delete(
            scheme.CONFIGMAPS,
            obj.metadata.name,
            namespace=obj.metadata.namespace,
            propagation_policy=policy,
        )

    async def find(self, obj):
        """The object as it is now, None when it is gone."""
        metadata = obj.metadata
        try:
            found = await self.client.get(scheme.CONFIGMAPS, metadata.name, metadata.namespace)
        except ApiError as exc:
            if exc.code != 404:
                raise
            return None
        return found if found.metadata.uid == metadata.uid else None

    async def until(self, condition):
        """Wait, giving time to what is tried again, for an async condition."""
        async with asyncio.timeout(60):
            while not await condition():
                await self.clock.advance(0.05)
                await asyncio.sleep(0.01)

    async def gone(self, *objects):
        for obj in objects:

            async def is_gone(obj=obj):
                return await self.find(obj) is None

            await self.until(is_gone)

    async def settled(self):
        """Everything that has begun by now is over: a later cascade has run its course."""
        canary_owner = await self.add("canary-owner")
        canary = await self.add("canary", canary_owner)
        await self.delete(canary_owner)
        await self.gone(canary)


def reference(owner, block=None, **different):
    found = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
    }
    if block is not None:
        found["blockOwnerDeletion"] = block
    return {**found, **different}


async def test_a_kind_that_may_not_be_listed_keeps_nobody_waiting(tmp_path, monkeypatch):
    watched = Client.watch

    def refuse_secrets(self, resource, namespace="", **options):
        if resource.plural == "secrets":
            raise ApiError(Status(code=403, message="no"))
        return watched(self, resource, namespace, **options)

    monkeypatch.setattr(Client, "watch", refuse_secrets)
    async with collecting(tmp_path, impatient=True) as world:
        owner = await world.add("owner")
        child = await world.add("child", owner)
        await world.delete(owner)
        await world.gone(child)


@asynccontextmanager
async def collecting(directory, prepare=None, *, impatient=False):
    clock = VirtualClock()
    async with running_apiserver(directory) as api, Client(api.client_config()) as client:
        world = World(client, clock)
        for name in ("default", "other"):
            document = {"metadata": {"name": name}}
            namespace = msgspec.convert(document, scheme.NAMESPACES.type)
            try:
                await client.create(scheme.NAMESPACES, namespace)
            except ApiError as exc:
                if exc.reason != "AlreadyExists":
                    raise
        prepared = await prepare(world) if prepare else None
        recorder = EventRecorder(client, "garbage-collector-controller", "", clock)
        shared = Shared(client, lambda _: client, ControllerOptions(api.client_config(), ""), clock)
        informer = shared.informer(scheme.SERVICEACCOUNTS)
        collector = GarbageCollector(client, client, shared.existing, recorder, clock)
        async with running(informer.run()), running(collector.run()), running(recorder.run()):
            await clock.advance(START_AFTER)
            async with asyncio.timeout(60):
                while not collector.ready.is_set():
                    await asyncio.sleep(0.01)
                    await clock.advance(0.5 if impatient else 0)
            world.prepared = prepared
            yield world


@pytest.fixture
async def world(tmp_path):
    async with collecting(tmp_path) as world:
        yield world


async def test_dependents_follow_their_owner(world):
    owner = await world.add("owner")
    child = await world.add("child", owner)
    grandchild = await world.add("grandchild", child)
    await world.delete(owner)
    await world.gone(owner, child, grandchild)


async def test_kinds_that_other_controllers_watch(world):
    owner = await world.add("owner")
    metadata = {"name": "child", "namespace": "default", "ownerReferences": [reference(owner)]}
    account = msgspec.convert({"metadata": metadata}, scheme.SERVICEACCOUNTS.type)
    account = await world.client.create(scheme.SERVICEACCOUNTS, account)
    own = {"apiVersion": "v1", "kind": "ServiceAccount", "uid": account.metadata.uid}
    document = {
        "metadata": {
            "name": "grandchild",
            "namespace": "default",
            "ownerReferences": [{**own, "name": "child"}],
        }
    }
    grandchild = msgspec.convert(document, scheme.CONFIGMAPS.type)
    grandchild = await world.client.create(scheme.CONFIGMAPS, grandchild)
    await world.delete(owner)
    await world.gone(owner, grandchild)
    left = await world.client.list(scheme.SERVICEACCOUNTS, "default")
    assert "child" not in [each.metadata.name for each in left.items]


async def test_whoever_has_another_owner_stays_and_loses_the_reference(world):
    first, second = await world.add("first"), await world.add("second")
    child = await world.add("child", first, second)
    await world.delete(first)

    async def released():
        found = await world.find(child)
        return [ref.name for ref in found.metadata.owner_references] == ["second"]

    await world.until(released)


async def test_orphans_stay_without_their_references(world):
    owner = await world.add("owner")
    child = await world.add("child", owner)
    await world.delete(owner, "Orphan")
    await world.gone(owner)
    found = await world.find(child)
    assert found.metadata.owner_references == []


async def test_foreground_an_owner_goes_after_what_blocks_it(world):
    owner = await world.add("owner")
    child = await world.add("child", owner, finalizers=["example.com/wait"], block=True)
    await world.delete(owner, "Foreground")

    async def child_is_being_deleted():
        found = await world.find(child)
        return found.metadata.deletion_timestamp is not None

    await world.until(child_is_being_deleted)
    await world.settled()
    waiting = await world.find(owner)
    assert waiting.metadata.finalizers == ["foregroundDeletion"]
    await world.client.patch(
        scheme.CONFIGMAPS,
        "child",
        {"metadata": {"finalizers": None}},
        namespace="default",
        patch_type="merge",
    )
    await world.gone(child, owner)


async def test_foreground_what_does_not_block_is_not_waited_for(world):
    owner = await world.add("owner")
    child = await world.add("child", owner, finalizers=["example.com/wait"], block=False)
    await world.delete(owner, "Foreground")
    await world.gone(owner)
    assert await world.find(child) is not None


async def test_foreground_goes_all_the_way_down(world):
    owner = await world.add("owner")
    child = await world.add("child", owner, block=True)
    grandchild = await world.add("grandchild", child, block=True)
    await world.delete(owner, "Foreground")
    await world.gone(grandchild, child, owner)


async def test_foreground_a_circle_is_broken(world):
    first = await world.add("first")
    second = await world.add("second", first, block=True)
    await world.client.patch(
        scheme.CONFIGMAPS,
        "first",
        {"metadata": {"ownerReferences": [reference(second, True)]}},
        namespace="default",
    )
    await world.delete(first, "Foreground")
    await world.gone(first, second)


async def test_an_owner_that_never_was_takes_its_dependent_along(world):
    owner = await world.add("owner")
    await world.delete(owner)
    await world.gone(owner)
    child = await world.add("child", owner)
    await world.gone(child)


async def test_what_was_left_behind_is_found_at_the_start(tmp_path):
    async def left_behind(world):
        owner = await world.add("owner")
        child = await world.add("child", owner)
        await world.delete(owner)
        kept = await world.add("kept")
        return child, await world.add("solid", kept)

    async with collecting(tmp_path, left_behind) as world:
        child, solid = world.prepared
        await world.gone(child)
        await world.settled()
        assert await world.find(solid) is not None


async def test_an_owner_in_another_namespace_is_no_owner(world):
    owner = await world.add("owner", namespace="other")
    child = await world.add("child", owner)
    await world.gone(child)

    async def told():
        events = (await world.client.list(scheme.EVENTS, "default")).items
        return any(
            (event.reason, event.involved_object.name, event.source.component, event.message)
            == (
                "OwnerRefInvalidNamespace",
                "child",
                "garbage-collector-controller",
                f"ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: "
                f'{owner.metadata.uid}] does not exist in namespace "default"',
            )
            for event in events
        )

    await world.until(told)
    assert await world.find(owner) is not None


async def test_an_object_of_the_cluster_with_an_owner_in_a_namespace_stays(world):
    owner = await world.add("owner")
    document = {"metadata": {"name": "node-1", "ownerReferences": [reference(owner)]}}
    await world.client.create(scheme.NODES, msgspec.convert(document, scheme.NODES.type))
    await world.delete(owner)
    await world.settled()
    assert await world.client.get(scheme.NODES, "node-1")


async def test_an_owner_of_an_unknown_kind_lets_its_dependent_stay(world):
    document = {
        "metadata": {
            "name": "child",
            "namespace": "default",
            "ownerReferences": [
                {"apiVersion": "example.com/v1", "kind": "Thing", "name": "t", "uid": "u"}
            ],
        }
    }
    child = await world.client.create(
        scheme.CONFIGMAPS, msgspec.convert(document, scheme.CONFIGMAPS.type)
    )
    await world.settled()
    assert await world.find(child) is not None


@pytest.mark.parametrize("different", [{"name": "elsewhere"}, {"kind": "Secret"}])
async def test_an_owner_under_another_name_or_kind_is_no_owner(world, different):
    owner = await world.add("owner")
    document = {
        "metadata": {
            "name": "child",
            "namespace": "default",
            "ownerReferences": [reference(owner, **different)],
        }
    }
    child = await world.client.create(
        scheme.CONFIGMAPS, msgspec.convert(document, scheme.CONFIGMAPS.type)
    )
    await world.gone(child)
