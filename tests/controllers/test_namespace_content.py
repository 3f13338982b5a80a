from __future__ import annotations

from datetime import UTC, datetime

from podium.controllers.namespace_content import Remains, conditions

NOW = datetime(2025, 1, 1, tzinfo=UTC)
LATER = datetime(2025, 1, 2, tzinfo=UTC)


def told(remains, current=(), now=NOW):
    return {c.type: (c.status, c.reason, c.message) for c in conditions(remains, current, now)}


def test_an_empty_namespace_is_well_in_every_respect():
    assert told(Remains()) == {
        "NamespaceDeletionDiscoveryFailure": (
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "False",
            "ContentRemoved",
            "All content successfully removed",
        ),
        "NamespaceFinalizersRemaining": (
            "False",
            "ContentHasNoFinalizers",
            "All content successfully removed",
        ),
    }


def test_what_is_left_is_counted_by_kind_and_finalizer():
    remains = Remains()
    remains.count("pods.", [], 30)
    remains.count("pods.", ["a.io/x"], 10)
    remains.count("widgets.b.io", ["a.io/x", "c.io/y"], 0)
    said = told(remains)
    assert not remains.empty
    assert remains.estimate == 30
    assert said["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: pods. has 2 resource instances, "
        "widgets.b.io has 1 resource instances",
    )
    assert said["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: "
        "a.io/x in 2 resource instances, c.io/y in 1 resource instances",
    )


def test_errors_are_told_together():
    said = told(Remains(discovery_error="no answer", errors=["b", "a"]))
    assert said["NamespaceDeletionDiscoveryFailure"] == ("True", "DiscoveryFailed", "no answer")
    assert said["NamespaceDeletionContentFailure"] == (
        "True",
        "ContentDeletionFailed",
        "Failed to delete all resource types, 2 remaining: a, b",
    )


def test_the_time_of_a_transition_stays_until_the_next():
    before = conditions(Remains(errors=["a"]), (), NOW)
    again = conditions(Remains(errors=["b"]), before, LATER)
    times = {c.type: c.last_transition_time for c in again}
    assert set(times.values()) == {NOW}
    healed = {c.type: c.last_transition_time for c in conditions(Remains(), again, LATER)}
    assert healed["NamespaceDeletionContentFailure"] == LATER
    assert conditions(Remains(errors=["b"]), again, LATER) == again
