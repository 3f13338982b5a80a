"""managedFields of what is written, and server-side apply, through the registry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, PODS
from podium.api.types.meta_v1 import ManagedFieldsEntry
from podium.api.user import UserInfo
from podium.kit.clock import VirtualClock
from podium.registry.patching import APPLY_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import RequestContext, Stored
from podium.store.memory import MemoryStore
from support.registries import config_map, pod, serving, text


def by(manager: str, *, force: bool = False, dry_run: bool = False) -> RequestContext:
    return RequestContext(UserInfo("u"), field_manager=manager, force=force, dry_run=dry_run)


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}


async def apply(
    registry: Registry, manager: str, *, force: bool = False, dry_run: bool = False, **data: str
) -> Stored:
    context = by(manager, force=force, dry_run=dry_run)
    return await registry.patch(CONFIGMAPS, "default", "m", config(**data), APPLY_PATCH, context)


def owners(stored: Stored) -> list[tuple[str, str, str]]:
    return [(e.manager, e.operation, e.subresource) for e in stored.obj.metadata.managed_fields]


async def test_creating_owns_what_was_said_and_defaulted() -> None:
    async with serving() as registry:
        stored = await registry.create(PODS, "default", pod("p", node="n"), by("me"))
    (entry,) = stored.obj.metadata.managed_fields
    assert entry.time == VirtualClock().now().replace(microsecond=0)
    spec = entry.fields_v1["f:spec"]
    assert {"f:nodeName", "f:restartPolicy", "f:containers"} <= set(spec)
    assert "f:status" not in entry.fields_v1


async def test_status_and_spec_have_owners_of_their_own() -> None:
    change = {"status": {"phase": "Running"}, "spec": {"nodeName": "other"}}
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), by("me"))
        stored = await registry.patch(
            PODS, "default", "p", change, STRATEGIC_MERGE_PATCH, by("kubelet"),
            subresource="status",
        )  # fmt: skip
    assert owners(stored) == [("kubelet", "Update", "status"), ("me", "Update", "")]
    assert stored.obj.metadata.managed_fields[0].fields_v1 == {"f:status": {"f:phase": {}}}


async def test_an_update_through_a_subresource_cannot_set_owners() -> None:
    change = {"metadata": {"managedFields": [{}]}, "status": {"phase": "Running"}}
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), by("me"))
        stored = await registry.patch(
            PODS, "default", "p", change, MERGE_PATCH, by("kubelet"), subresource="status"
        )
    assert owners(stored) == [("kubelet", "Update", "status"), ("me", "Update", "")]


async def test_owners_survive_a_restart() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), by("me"))
    async with serving(store) as registry:
        read = await registry.get(CONFIGMAPS, "default", "m")
        assert read.data == made.data
        stored = await apply(registry, "me", b="2")
    assert owners(stored) == [("me", "Apply", ""), ("me", "Update", "")]


@pytest.mark.parametrize("sent", [[], [{}]], ids=["empty-list", "one-empty-entry"])
async def test_owners_can_be_forgotten_and_stay_so(sent: list[Any]) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), by("me"))
        change = {"metadata": {"managedFields": sent}}
        stored = await registry.patch(CONFIGMAPS, "default", "m", change, MERGE_PATCH, by("me"))
        assert owners(stored) == []
        stored = await registry.update(CONFIGMAPS, "default", "m", config_map("m", a="2"), by("me"))
        assert owners(stored) == []
        stored = await apply(registry, "one", a="2")
    assert owners(stored) == [("one", "Apply", ""), ("before-first-apply", "Update", "")]


async def test_an_update_that_leaves_owners_out_keeps_them() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), by("me"))
        stored = await registry.update(
            CONFIGMAPS, "default", "m", config_map("m", a="1"), by("other")
        )
    assert owners(stored) == [("me", "Update", "")]


async def test_an_update_of_nothing_writes_nothing() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), by("me"))
        await clock.advance(60)
        change = {"data": {"a": "1"}}
        stored = await registry.patch(CONFIGMAPS, "default", "m", change, MERGE_PATCH, by("other"))
        assert stored.data == made.data


async def test_apply_creates_updates_and_lets_be() -> None:
    async with serving() as registry:
        context = by("one")
        made = await registry.patch(CONFIGMAPS, "default", "m", config(a="1"), APPLY_PATCH, context)
        assert context.created
        assert made.obj.metadata.namespace == "default"
        again = await apply(registry, "one", a="1")
        assert again.data == made.data
        changed = await apply(registry, "one", b="2")
    assert changed.obj.data == {"b": "2"}
    assert changed.obj.metadata.uid == made.obj.metadata.uid


async def test_a_dry_run_of_an_apply_leaves_nothing() -> None:
    async with serving() as registry:
        stored = await apply(registry, "one", dry_run=True, a="1")
        assert stored.obj.data == {"a": "1"}
        with pytest.raises(ApiError, match="not found"):
            await registry.get(CONFIGMAPS, "default", "m")


async def test_conflicts_are_409_with_causes() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m", a="1", b="1"), by("me"))
        with pytest.raises(ApiError) as conflict:
            await apply(registry, "one", a="2", b="2")
        assert text(conflict.value) == (
            409,
            "Conflict",
            'Apply failed with 2 conflicts: conflicts with "me" using v1:\n- .data.a\n- .data.b',
        )
        details = conflict.value.status.details
        assert details is not None
        assert [(c.reason, c.message, c.field) for c in details.causes] == [
            ("FieldManagerConflict", 'conflict with "me" using v1', ".data.a"),
            ("FieldManagerConflict", 'conflict with "me" using v1', ".data.b"),
        ]
        stored = await apply(registry, "one", force=True, a="2", b="2")
    assert stored.obj.data == {"a": "2", "b": "2"}


async def test_appliers_at_the_same_time_all_have_their_way() -> None:
    async with serving() as registry:
        async with asyncio.TaskGroup() as tasks:
            for number in range(8):
                tasks.create_task(apply(registry, f"m{number}", **{f"k{number}": "v"}))
        stored = await registry.get(CONFIGMAPS, "default", "m")
    assert stored.obj.data == {f"k{number}": "v" for number in range(8)}
    assert owners(stored) == [(f"m{number}", "Apply", "") for number in range(8)]


async def test_apply_to_the_status_of_nothing_creates_nothing() -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.patch(
                PODS, "default", "p", body, APPLY_PATCH, by("one"), subresource="status"
            )
    assert text(refused.value)[:2] == (404, "NotFound")


async def test_apply_to_a_status_owns_nothing_of_the_spec() -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "other"},
        "status": {"phase": "Running"},
    }
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p", node="n"), by("me"))
        stored = await registry.patch(
            PODS, "default", "p", body, APPLY_PATCH, by("one"), subresource="status"
        )
    assert stored.obj.spec.node_name == "n"
    entry = stored.obj.metadata.managed_fields[0]
    assert (entry.manager, entry.subresource) == ("one", "status")
    assert entry.fields_v1 == {"f:status": {"f:phase": {}}}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param(
            {"apiVersion": "v2"},
            400,
            "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1",
            id="version",
        ),
        pytest.param({"kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret", id="kind"),
        pytest.param(
            {"metadata": {"name": "m", "managedFields": []}},
            400,
            "metadata.managedFields must be nil",
            id="owners",
        ),
        pytest.param(
            {"metadata": {}},
            400,
            "the name of the object (m based on URL) was undeterminable: name must be provided",
            id="no-name",
        ),
        pytest.param(
            {"data": {"a": 5}},
            500,
            "failed to create typed patch object (/m; /v1, Kind=ConfigMap): .data.a: "
            "expected string, got &value.valueUnstructured{Value:5}",
            id="schema",
        ),
        pytest.param(
            {"metadata": {"name": "m", "uid": "1"}},
            409,
            'Operation cannot be fulfilled on configmaps "m": uid mismatch: the provided object '
            "specified uid 1, and no existing object was found",
            id="uid-of-something-that-is-gone",
        ),
    ],
)
async def test_what_cannot_be_applied(change: Any, code: int, message: str) -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.patch(
                CONFIGMAPS, "default", "m", config() | change, APPLY_PATCH, by("one")
            )
    assert text(refused.value)[::2] == (code, message)


async def test_objects_made_alike_share_their_owners_fields() -> None:
    """Ten thousand Pods of one controller hold one set of fields, not ten thousand."""
    store = MemoryStore()
    async with serving(store) as registry:
        made = [await registry.create(PODS, "default", pod(name), by("me")) for name in "ab"]
    async with serving(store) as registry:
        read = [await registry.get(PODS, "default", name) for name in "ab"]
    for one, other in (made, read):
        assert _fields(one) is _fields(other)


async def test_objects_of_a_template_are_owned_by_who_made_them_and_when() -> None:
    clock = VirtualClock()
    made = {}
    async with serving(clock=clock) as registry:
        for name, manager, from_template in (
            ("a", "one", True), ("b", "two", True), ("c", "two", False),
        ):  # fmt: skip
            sent = codec.encode(pod(name, node="n", labels={"app": "web"}))
            obj, _, template = codec.decode_new(
                PODS, sent, content_type="application/json", validation="Strict"
            )
            context = by(manager)
            context.template = template if from_template else None
            made[name] = (await registry.create(PODS, "default", obj, context)).obj
            await clock.advance(7)
    (one,), (two,), (apart,) = (made[name].metadata.managed_fields for name in "abc")
    assert (one.manager, two.manager) == ("one", "two")
    assert two.time - one.time == timedelta(seconds=7)
    assert one.fields_v1 == two.fields_v1 == apart.fields_v1
    assert "f:nodeName" in two.fields_v1["f:spec"]


def _fields(stored: Stored) -> Any:
    entry: ManagedFieldsEntry = stored.obj.metadata.managed_fields[0]
    return entry.fields_v1
