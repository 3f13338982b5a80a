"""Updates: optimistic concurrency, what is kept, what a deleted object waits for."""

from __future__ import annotations

import asyncio

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, ENDPOINTS, LEASES, NAMESPACES
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import ConfigMap, Endpoints, Namespace, NamespaceStatus
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.registry.admission.base import AdmissionPlugin, Attributes
from podium.registry.registry import Registry
from podium.store.memory import MemoryStore
from support.registries import config_map, context, serving, text


async def test_an_update_from_what_was_read_is_stored() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        wanted = config_map("a", k="2")
        wanted.metadata.resource_version = made.obj.metadata.resource_version
        changed = await registry.update(CONFIGMAPS, "default", "a", wanted, context())
        assert changed.obj.data == {"k": "2"}
        assert changed.revision == 2
        assert changed.obj.metadata.uid == made.obj.metadata.uid
        assert changed.obj.metadata.creation_timestamp == made.obj.metadata.creation_timestamp


async def test_an_update_from_something_older_is_a_conflict() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        await registry.update(CONFIGMAPS, "default", "a", config_map("a", k="2"), context())
        late = config_map("a", k="3")
        late.metadata.resource_version = "1"
        with pytest.raises(ApiError) as refused:
            await registry.update(CONFIGMAPS, "default", "a", late, context())
    assert text(refused.value) == (
        409,
        "Conflict",
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please '
        "apply your changes to the latest version and try again",
    )


@pytest.mark.parametrize("version", ["abc", "-1", "01", str(2**64)])
async def test_a_resource_version_that_nothing_ever_had_is_a_conflict(version: str) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        late = config_map("a", k="2")
        late.metadata.resource_version = version
        with pytest.raises(ApiError) as refused:
            await registry.update(CONFIGMAPS, "default", "a", late, context())
    assert refused.value.code == 409


async def test_an_update_without_a_resource_version_overwrites() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        await registry.update(CONFIGMAPS, "default", "a", config_map("a", k="2"), context())
        stored = await registry.update(
            CONFIGMAPS, "default", "a", config_map("a", k="3"), context()
        )
        assert stored.obj.data == {"k": "3"}


async def test_a_kind_may_insist_on_a_resource_version() -> None:
    async with serving() as registry:
        await registry.create(LEASES, "default", Lease(metadata=ObjectMeta(name="l")), context())
        with pytest.raises(ApiError) as refused:
            await registry.update(
                LEASES, "default", "l", Lease(metadata=ObjectMeta(name="l")), context()
            )
    assert text(refused.value) == (
        422,
        "Invalid",
        'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0x0: '
        "must be specified for an update",
    )


async def test_an_update_that_says_the_same_writes_nothing() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        again = await registry.update(CONFIGMAPS, "default", "a", config_map("a", k="1"), context())
        assert again.data == made.data
        assert await store.revision() == 1


async def test_of_many_updates_from_the_same_state_one_wins() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a"), context())

        def wanted(number: int) -> ConfigMap:
            obj = config_map("a", k=str(number))
            obj.metadata.resource_version = str(made.revision)
            return obj

        outcomes = await asyncio.gather(
            *(
                registry.update(CONFIGMAPS, "default", "a", wanted(number), context())
                for number in range(20)
            ),
            return_exceptions=True,
        )
    assert [one.code for one in outcomes if isinstance(one, ApiError)] == [409] * 19


async def test_unconditional_updates_at_the_same_time_all_succeed() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        stored = await asyncio.gather(
            *(
                registry.update(
                    CONFIGMAPS, "default", "a", config_map("a", k=str(number)), context()
                )
                for number in range(20)
            )
        )
        assert sorted(int(one.obj.data["k"]) for one in stored) == list(range(20))
        assert sorted(one.revision for one in stored) == list(range(2, 22))


async def test_an_update_of_another_incarnation_is_a_conflict() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        wanted = config_map("a", k="1")
        wanted.metadata.uid = "11111111-1111-4111-8111-111111111111"
        with pytest.raises(ApiError) as refused:
            await registry.update(CONFIGMAPS, "default", "a", wanted, context())
    assert text(refused.value) == (
        409,
        "Conflict",
        'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, '
        "Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
        "failed: UID in precondition: 11111111-1111-4111-8111-111111111111, UID in object meta: "
        f"{made.obj.metadata.uid}",
    )


async def test_an_update_of_what_is_not_there_is_not_found() -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.update(CONFIGMAPS, "default", "a", config_map("a"), context())
    assert text(refused.value) == (404, "NotFound", 'configmaps "a" not found')


async def test_a_kind_may_be_created_by_an_update() -> None:
    async with serving() as registry:
        asked = context()
        stored = await registry.update(
            LEASES, "default", "l", Lease(metadata=ObjectMeta(name="l")), asked
        )
        assert stored.revision == 1
        assert asked.created


class Meeting(AdmissionPlugin):
    """Two who create wait for each other: both have found nothing there."""

    name = "Meeting"

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)

    async def admit(self, attributes: Attributes) -> None:
        if attributes.resource is ENDPOINTS and attributes.operation == "CREATE":
            await self._both.wait()


async def test_who_loses_the_race_to_create_it_updates_it() -> None:
    async with serving(admission=[Meeting()], resources=(NAMESPACES, ENDPOINTS)) as registry:
        asked = [context(), context()]
        wanted = [
            Endpoints(metadata=ObjectMeta(name="e", labels={"by": by}, resource_version=""))
            for by in ("a", "b")
        ]
        first, second = await asyncio.gather(
            *(
                registry.update(ENDPOINTS, "default", "e", obj, by)
                for obj, by in zip(wanted, asked, strict=True)
            )
        )
        assert sorted(by.created for by in asked) == [False, True]
        assert first.obj.metadata.uid == second.obj.metadata.uid
        assert {first.obj.metadata.labels["by"], second.obj.metadata.labels["by"]} == {"a", "b"}
        assert {first.revision, second.revision} == {1, 2}


async def test_the_body_must_be_about_the_object_of_the_url() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        with pytest.raises(ApiError) as refused:
            await registry.update(CONFIGMAPS, "default", "a", config_map("b"), context())
    assert text(refused.value) == (
        400,
        "BadRequest",
        "the name of the object (b) does not match the name on the URL (a)",
    )


async def test_a_dry_run_answers_and_stores_nothing() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        stored = await registry.update(
            CONFIGMAPS, "default", "a", config_map("a", k="2"), context(dry_run=True)
        )
        assert stored.obj.data == {"k": "2"}
        assert stored.obj.metadata.resource_version == "1"
        assert (await registry.get(CONFIGMAPS, "default", "a")).obj.data == {"k": "1"}
        assert await store.revision() == 1


async def test_status_is_changed_through_its_own_door_only() -> None:
    async with serving() as registry:
        await registry.create(NAMESPACES, "", Namespace(metadata=ObjectMeta(name="n")), context())

        def wanted() -> Namespace:
            return Namespace(
                metadata=ObjectMeta(name="n", labels={"l": "v"}),
                status=NamespaceStatus(phase="Terminating"),
            )

        stored = await registry.update(NAMESPACES, "", "n", wanted(), context())
        assert stored.obj.status.phase == "Active"
        assert stored.obj.metadata.labels["l"] == "v"


async def test_a_deletion_cannot_be_taken_back() -> None:
    async with serving() as registry:
        await _deleted_but_held(registry)
        wanted = config_map("a", k="1")
        wanted.metadata.finalizers = ["example.com/hold"]
        stored = await registry.update(CONFIGMAPS, "default", "a", wanted, context())
        assert stored.obj.metadata.deletion_timestamp is not None


async def test_the_update_that_takes_the_last_finalizer_removes_the_object() -> None:
    async with serving() as registry:
        await _deleted_but_held(registry)
        stored = await registry.update(CONFIGMAPS, "default", "a", config_map("a"), context())
        assert stored.obj.metadata.finalizers == []
        with pytest.raises(ApiError) as gone:
            await registry.get(CONFIGMAPS, "default", "a")
        assert gone.value.code == 404


async def test_finalizing_a_deleted_namespace_removes_it() -> None:
    async with serving() as registry:
        await registry.create(NAMESPACES, "", Namespace(metadata=ObjectMeta(name="n")), context())
        result = await registry.delete(NAMESPACES, "", "n", DeleteOptions(), context())
        assert not result.deleted
        assert result.stored.obj.status.phase == "Terminating"
        await registry.update(
            NAMESPACES,
            "",
            "n",
            Namespace(metadata=ObjectMeta(name="n")),
            context(),
            subresource="finalize",
        )
        with pytest.raises(ApiError) as gone:
            await registry.get(NAMESPACES, "", "n")
        assert gone.value.code == 404


async def _deleted_but_held(registry: Registry) -> None:
    held = config_map("a")
    held.metadata.finalizers = ["example.com/hold"]
    await registry.create(CONFIGMAPS, "default", held, context())
    result = await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
    assert not result.deleted
