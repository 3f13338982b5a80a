"""What holds for every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, NODES, PODS, RESOURCES, SECRETS, Resource
from podium.api.types.meta_v1 import ObjectMeta
from podium.registry.strategies import strategy_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def new(resource: Resource) -> Any:
    obj = resource.type(metadata=ObjectMeta(name="a", creation_timestamp=NOW))
    obj.metadata.namespace = "default" if resource.namespaced else ""
    return obj


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.plural)
def test_each_kind_can_be_made_and_shown(resource: Resource) -> None:
    strategy = strategy_for(resource)
    obj = new(resource)
    strategy.default(obj)
    strategy.prepare_for_create(obj, NOW)
    assert len(strategy.row(obj, NOW + timedelta(minutes=5))) == len(strategy.columns)
    assert {"metadata.name"} | strategy.field_labels <= {*strategy.fields(obj), "metadata.name"}
    for label in strategy.fields(obj):
        if label != "metadata.namespace" or resource.namespaced:
            assert strategy.field_label(label) == label
    assert strategy is strategy_for(resource)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.plural)
def test_defaults_and_preparation_are_stable(resource: Resource) -> None:
    strategy = strategy_for(resource)
    obj = new(resource)
    strategy.default(obj)
    strategy.prepare_for_create(obj, NOW)
    again = new(resource)
    strategy.default(again)
    strategy.prepare_for_create(again, NOW)
    strategy.default(again)
    assert again == obj


@pytest.mark.parametrize(
    ("resource", "label", "text"),
    [
        pytest.param(CONFIGMAPS, "data.a", '"data.a" is not a known field selector: '
                     'only "metadata.name", "metadata.namespace"', id="kind-without-labels"),
        pytest.param(SECRETS, "data", "field label not supported: data", id="kind-with-labels"),
        pytest.param(NODES, "metadata.namespace", "field label not supported: metadata.namespace",
                     id="cluster-wide-kind"),
    ],
)  # fmt: skip
def test_unknown_field_labels(resource: Resource, label: str, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        strategy_for(resource).field_label(label)
    assert (refused.value.code, str(refused.value)) == (400, text)


def test_the_old_label_of_a_pods_node() -> None:
    assert strategy_for(PODS).field_label("spec.host") == "spec.nodeName"


class TestMarkDeleting:
    def test_the_first_time_sets_the_end_and_counts_a_generation(self) -> None:
        pod = new(PODS)
        pod.metadata.generation = 1
        strategy_for(PODS).mark_deleting(pod, NOW, 30)
        assert pod.metadata.deletion_timestamp == NOW + timedelta(seconds=30)
        assert pod.metadata.deletion_grace_period_seconds == 30
        assert pod.metadata.generation == 2

    @pytest.mark.parametrize(
        ("grace", "left"), [pytest.param(10, 10, id="shorter"), pytest.param(60, 30, id="longer")]
    )
    def test_afterwards_the_time_left_only_shrinks(self, grace: int, left: int) -> None:
        pod = new(PODS)
        strategy = strategy_for(PODS)
        strategy.mark_deleting(pod, NOW, 30)
        strategy.mark_deleting(pod, NOW + timedelta(seconds=5), grace)
        assert pod.metadata.deletion_timestamp == NOW + timedelta(seconds=left)
        assert pod.metadata.deletion_grace_period_seconds == left


def test_an_update_keeps_what_only_the_server_sets() -> None:
    strategy = strategy_for(CONFIGMAPS)
    old, changed = new(CONFIGMAPS), new(CONFIGMAPS)
    old.metadata.uid = "u"
    old.metadata.deletion_timestamp = NOW
    changed.metadata.creation_timestamp = None
    strategy.rules().prepare(changed, old, NOW)
    assert changed == old


def test_kinds_without_status_take_no_status_updates() -> None:
    assert scheme.CONFIGMAPS.subresource("status") is None
    with pytest.raises(LookupError):
        strategy_for(CONFIGMAPS).rules("scale")
