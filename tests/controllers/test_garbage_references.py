"""What becomes of an object, by the state of its owners."""

from __future__ import annotations

import pytest

from podium.api.types.meta_v1 import OwnerReference
from podium.controllers.garbage_graph import Graph, Identity, Node, OwnedMetadata
from podium.controllers.garbage_references import Delete, Keep, Release, decide

A, B = (OwnerReference(api_version="v1", kind="ConfigMap", name=n, uid=n) for n in "ab")


def node(uid, *owners, deleting=False, finalizers=()):
    metadata = OwnedMetadata(
        name=uid,
        namespace="ns",
        uid=uid,
        owner_references=list(owners),
        finalizers=list(finalizers),
        deletion_timestamp="2025-01-01T00:00:00Z" if deleting else None,
    )
    return Node(Identity("v1", "ConfigMap", "ns", uid, uid), metadata)


STAYS = node("d")
GOES = node("d", deleting=True, finalizers=["foregroundDeletion"])


@pytest.mark.parametrize(
    ("owners", "states", "finalizers", "dependents", "verdict"),
    [
        pytest.param([], [], [], [], Keep(), id="no-owners"),
        pytest.param([A], ["solid"], [], [], Keep(), id="solid"),
        pytest.param([A, B], ["solid", "dangling"], [], [], Release([A]), id="one-is-left"),
        pytest.param([A, B], ["waiting", "solid"], [], [], Release([B]), id="one-waits"),
        pytest.param([A], ["dangling"], [], [], Delete("Background"), id="none-is-left"),
        pytest.param([A], ["dangling"], ["orphan"], [], Delete("Orphan"), id="own-wish-orphan"),
        pytest.param(
            [A], ["dangling"], ["foregroundDeletion"], [], Delete("Foreground"), id="own-wish"
        ),
        pytest.param([A], ["waiting"], [], [], Delete("Background"), id="waiting-no-dependents"),
        pytest.param([A], ["waiting"], [], [STAYS], Delete("Foreground"), id="waiting"),
        pytest.param([A], ["waiting"], [], [GOES], Delete("Foreground", True), id="circle"),
    ],
)
def test_verdict(owners, states, finalizers, dependents, verdict):
    metadata = OwnedMetadata(owner_references=owners, finalizers=finalizers)
    assert decide(metadata, states, dependents) == verdict


def test_the_graph_forgets_what_it_was_told_of():
    """Whatever comes and goes, in any order, nothing stays behind."""
    graph = Graph()
    for each in (node("c", A, B), node("a"), node("b", A), node("c", B)):
        graph.put(each.identity, each.metadata)
    assert [found.identity.uid for found in graph.dependents("a")] == ["b"]
    for uid in ("a", "c", "b"):
        graph.remove(uid)
    assert not graph.dependents("a")
    assert vars(graph) == vars(Graph())
