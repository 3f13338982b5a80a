"""Entries of managedFields: reading, order, the cap, and what clients may do to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from podium.api import managed_fields
from podium.api.fields.extract import Comparison
from podium.api.fields.sets import EMPTY, Fields
from podium.api.managed_fields import Manager
from podium.api.types.meta_v1 import ManagedFieldsEntry

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def entry(
    name: str, operation: str = "Update", *, seconds: int = 0, **more: str
) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(
        manager=name,
        operation=operation,
        api_version=more.get("api_version", "v1"),
        time=NOW + timedelta(seconds=seconds),
        fields_type=more.get("fields_type", "FieldsV1"),
        fields_v1={"f:data": {f"f:{name}": {}}},
        subresource=more.get("subresource", ""),
    )


def added(*names: str) -> Comparison:
    return Comparison({"f:data": {f"f:{name}": {} for name in names}}, EMPTY, EMPTY)


def test_appliers_come_first_then_time_then_name() -> None:
    entries = [
        entry("u", seconds=0),
        entry("b", "Apply", seconds=5),
        entry("c", "Apply", seconds=1),
        entry("a", "Apply", seconds=5),
    ]
    managed = managed_fields.decode(entries, ("v1",))
    assert [each.manager for each in managed_fields.encode(managed)] == ["c", "a", "b", "u"]


def test_a_manager_is_another_through_each_subresource() -> None:
    managed = managed_fields.decode([entry("m"), entry("m", subresource="status")], ("v1",))
    assert len(managed) == 2


def test_entries_of_versions_that_are_not_served_go() -> None:
    assert managed_fields.decode([entry("m", api_version="v0")], "v1") == {}


def test_updates_beyond_the_cap_are_merged_oldest_first() -> None:
    managed = managed_fields.decode([entry(f"m{n:02}", seconds=n) for n in range(10)], ("v1",))
    newcomer = Manager("new", "Update", "v1", "")
    managed = managed_fields.update(managed, added("new"), newcomer, NOW + timedelta(minutes=1))
    entries = managed_fields.encode(managed)
    assert len(entries) == 10
    assert [each.manager for each in entries][:2] == ["ancient-changes", "m02"]
    assert entries[0].fields_v1 == {"f:data": {"f:m00": {}, "f:m01": {}}}
    assert entries[0].time == NOW + timedelta(seconds=1)


def test_appliers_do_not_count_for_the_cap() -> None:
    entries = [entry(f"m{n:02}", "Apply") for n in range(20)]
    managed = managed_fields.decode(entries, ("v1",))
    assert managed_fields.capped(managed) == managed


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(entry("m", "Other"), id="no-such-operation"),
        pytest.param(entry("m", api_version=""), id="no-version"),
        pytest.param(entry("m", fields_type="FieldsV2"), id="no-such-form"),
        pytest.param(
            ManagedFieldsEntry(
                manager="m", operation="Update", api_version="v1", fields_type="FieldsV1",
                fields_v1={"broken": {}},
            ),
            id="no-set",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_leaves_the_owners_as_they_are(sent: ManagedFieldsEntry) -> None:
    present = [entry("there")]
    managed = managed_fields.sent_or_present([sent], present, ("v1",))
    assert managed_fields.encode(managed) == present


def test_a_client_may_set_owners_and_forget_them() -> None:
    sent, present = [entry("sent")], [entry("there")]
    assert managed_fields.encode(managed_fields.sent_or_present(sent, present, "v1")) == sent
    assert managed_fields.sent_or_present([ManagedFieldsEntry()], present, "v1") == {}
    assert managed_fields.encode(managed_fields.sent_or_present([], present, "v1")) == present


def test_identity_is_nobodys() -> None:
    metadata: Fields = {".": {}, "f:name": {}, "f:uid": {}, "f:labels": {".": {}, "f:a": {}}}
    comparison = Comparison({"f:kind": {}, "f:metadata": metadata}, EMPTY, EMPTY)
    managed = managed_fields.update({}, comparison, Manager("m", "Update", "v1", ""), NOW)
    (only,) = managed.values()
    assert only.fields_v1 == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}


def test_an_update_that_changes_nothing_keeps_the_entries() -> None:
    managed = managed_fields.decode([entry("m")], ("v1",))
    nothing = Comparison(EMPTY, EMPTY, EMPTY)
    assert managed_fields.update(managed, nothing, Manager("n", "Update", "v1", ""), NOW) is managed


def test_times_alone_are_no_difference() -> None:
    one = [entry("a", seconds=1), entry("b", seconds=2)]
    other = [entry("b", seconds=0), entry("a", seconds=5)]
    assert managed_fields.same_but_for_times(one, other)
    assert not managed_fields.same_but_for_times(one, other[:1])
    assert not managed_fields.same_but_for_times(one, [entry("a"), entry("c")])
