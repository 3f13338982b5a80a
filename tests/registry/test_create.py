"""What creating does, refuses and leaves alone."""

from __future__ import annotations

import re
import uuid
from unittest.mock import patch

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, NAMESPACES
from podium.api.types.core_v1 import ConfigMap, Namespace
from podium.api.types.meta_v1 import DeleteOptions, ManagedFieldsEntry, ObjectMeta
from podium.kit.clock import VirtualClock
from podium.registry import generate_name
from podium.store.memory import MemoryStore
from support.registries import config_map, context, serving, text


async def test_the_server_fills_in_what_is_its_own() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        stored = await registry.create(CONFIGMAPS, "default", config_map("a", k="v"), context())
    metadata = stored.obj.metadata
    assert metadata.namespace == "default"
    assert metadata.resource_version == "1"
    assert metadata.creation_timestamp == clock.now()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata.uid)
    assert b'"resourceVersion":"1"' in stored.data


async def test_the_server_takes_nothing_of_its_own_from_the_client() -> None:
    theirs = config_map("a", k="v")
    theirs.metadata.uid = "11111111-1111-4111-8111-111111111111"
    theirs.metadata.creation_timestamp = VirtualClock().now().replace(year=2001)
    theirs.metadata.deletion_timestamp = VirtualClock().now()
    theirs.metadata.deletion_grace_period_seconds = 5
    theirs.metadata.self_link = "/x"
    theirs.metadata.managed_fields = [ManagedFieldsEntry(manager="me")]
    async with serving() as registry:
        metadata = (await registry.create(CONFIGMAPS, "default", theirs, context())).obj.metadata
    assert metadata.uid != "11111111-1111-4111-8111-111111111111"
    assert metadata.creation_timestamp == VirtualClock().now()
    assert metadata.deletion_timestamp is None
    assert metadata.deletion_grace_period_seconds is None
    assert metadata.self_link == ""
    assert [entry.manager for entry in metadata.managed_fields] == ["unknown"]


async def test_what_is_stored_has_no_resource_version() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        entry = await store.get("/registry/configmaps/default/a")
    assert entry is not None
    assert b"resourceVersion" not in entry.value


async def test_what_a_create_returns_is_what_is_read() -> None:
    async with serving() as registry:
        stored = await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        assert (await registry.get(CONFIGMAPS, "default", "a")).data == stored.data


async def test_a_taken_name_is_refused() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        for dry_run in (False, True):
            with pytest.raises(ApiError) as refused:
                await registry.create(
                    CONFIGMAPS, "default", config_map("a"), context(dry_run=dry_run)
                )
            assert text(refused.value) == (
                409,
                "AlreadyExists",
                'configmaps "a" already exists',
            )
            assert refused.value.status.details is not None
            assert refused.value.status.details.name == "a"


async def test_the_name_of_an_object_being_deleted_is_still_taken_and_says_so() -> None:
    async with serving() as registry:
        made = Namespace(metadata=ObjectMeta(name="n"))
        await registry.create(NAMESPACES, "", made, context())
        await registry.delete(NAMESPACES, "", "n", DeleteOptions(), context())
        with pytest.raises(ApiError) as refused:
            await registry.create(
                NAMESPACES, "", Namespace(metadata=ObjectMeta(name="n")), context()
            )
    assert text(refused.value) == (
        409,
        "AlreadyExists",
        'object is being deleted: namespaces "n" already exists',
    )


async def test_an_invalid_object_is_refused_and_not_stored() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        with pytest.raises(ApiError) as refused:
            await registry.create(CONFIGMAPS, "default", config_map("A B"), context())
        assert refused.value.code == 422
        assert await store.revision() == 0


@pytest.mark.parametrize("in_body", ["", "default"])
async def test_the_namespace_is_that_of_the_request(in_body: str) -> None:
    obj = config_map("a")
    obj.metadata.namespace = in_body
    async with serving() as registry:
        stored = await registry.create(CONFIGMAPS, "default", obj, context())
    assert stored.obj.metadata.namespace == "default"


async def test_another_namespace_than_that_of_the_request_is_refused() -> None:
    obj = config_map("a")
    obj.metadata.namespace = "other"
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.create(CONFIGMAPS, "default", obj, context())
    assert text(refused.value) == (
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )


async def test_a_resource_version_is_refused() -> None:
    obj = config_map("a")
    obj.metadata.resource_version = "5"
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.create(CONFIGMAPS, "default", obj, context())
    assert text(refused.value) == (
        500,
        "",
        "resourceVersion should not be set on objects to be created",
    )


async def test_a_dry_run_takes_a_resource_version_and_gives_it_back() -> None:
    obj = config_map("a")
    obj.metadata.resource_version = "5"
    async with serving() as registry:
        stored = await registry.create(CONFIGMAPS, "default", obj, context(dry_run=True))
    assert stored.obj.metadata.resource_version == "5"


async def test_a_dry_run_answers_and_stores_nothing() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        stored = await registry.create(
            CONFIGMAPS, "default", config_map("a"), context(dry_run=True)
        )
        assert stored.obj.metadata.uid
        assert b"resourceVersion" not in stored.data
        assert await store.revision() == 0


# ---------------------------------------------------------------------- generateName


async def test_a_generated_name_has_five_characters_of_the_alphabet() -> None:
    obj = ConfigMap(metadata=ObjectMeta(generate_name="gen-"))
    async with serving() as registry:
        stored = await registry.create(CONFIGMAPS, "default", obj, context())
    assert re.fullmatch(r"gen-[bcdfghjklmnpqrstvwxz2456789]{5}", stored.obj.metadata.name)
    assert stored.obj.metadata.generate_name == "gen-"


def test_a_generated_name_fits_in_a_label() -> None:
    assert len(generate_name.generate_name("x" * 100)) == 63


async def test_a_generated_name_that_is_taken_is_drawn_again() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("g-aaaaa"), context())
        drawn = iter(["g-aaaaa", "g-aaaaa", "g-bbbbb"])
        with patch.object(generate_name, "generate_name", lambda _: next(drawn)):
            stored = await registry.create(
                CONFIGMAPS,
                "default",
                ConfigMap(metadata=ObjectMeta(generate_name="g-")),
                context(),
            )
        assert stored.obj.metadata.name == "g-bbbbb"
        assert b'"name":"g-bbbbb"' in stored.data


async def test_when_no_free_name_is_found_the_client_is_told_to_try_again() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("g-aaaaa"), context())
        with (
            patch.object(generate_name, "generate_name", lambda _: "g-aaaaa"),
            pytest.raises(ApiError) as refused,
        ):
            await registry.create(
                CONFIGMAPS,
                "default",
                ConfigMap(metadata=ObjectMeta(generate_name="g-")),
                context(),
            )
    assert text(refused.value) == (
        409,
        "AlreadyExists",
        'configmaps "g-aaaaa" already exists, the server was not able to generate a unique name '
        "for the object",
    )
    assert refused.value.status.details is not None
    assert refused.value.status.details.retry_after_seconds == 1


def test_uids_are_random_uuids() -> None:
    made = [uuid.UUID(generate_name.new_uid()) for _ in range(100)]
    assert {(each.version, each.variant) for each in made} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == 100
