"""Namespaces, Nodes, Secrets, Events and Leases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import EVENTS, LEASES, NAMESPACES, NODES, SECRETS, Resource
from podium.registry.strategies import strategy_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def new(resource: Resource, **fields: Any) -> Any:
    metadata = {"name": "a", "resourceVersion": "1", **fields.pop("metadata", {})}
    made = codec.from_plain(resource.type, {"metadata": metadata, **fields})
    if resource.namespaced and not made.metadata.namespace:
        made.metadata.namespace = "default"
    strategy_for(resource).default(made)
    return made


class TestNamespaces:
    strategy = strategy_for(NAMESPACES)

    def created(self) -> Any:
        made = new(NAMESPACES)
        self.strategy.prepare_for_create(made, NOW)
        return made

    def test_it_waits_for_its_finalizers_and_says_so(self) -> None:
        made = self.created()
        assert self.strategy.must_finalize(made)
        self.strategy.mark_deleting(made, NOW, 0)
        assert made.status.phase == "Terminating"
        assert made.metadata.deletion_timestamp == NOW
        assert made.metadata.deletion_grace_period_seconds is None

    def test_finalize_alone_changes_the_finalizers(self) -> None:
        old, through_update, through_finalize = self.created(), self.created(), self.created()
        through_update.spec.finalizers = []
        through_finalize.spec.finalizers = []
        self.strategy.rules().prepare(through_update, old, NOW)
        self.strategy.rules("finalize").prepare(through_finalize, old, NOW)
        assert through_update.spec.finalizers == ["kubernetes"]
        assert not self.strategy.must_finalize(through_finalize)

    def test_the_phase_goes_with_the_deletion(self) -> None:
        old, changed = self.created(), self.created()
        changed.status.phase = "Terminating"
        rules = self.strategy.rules("status")
        rules.prepare(changed, old, NOW)
        assert [str(error) for error in rules.validate(changed, old)] == [
            'status.Phase: Invalid value: "Terminating": '
            "may only be 'Active' if `deletionTimestamp` is empty"
        ]

    def test_a_finalizer_has_a_domain(self) -> None:
        made = self.created()
        made.spec.finalizers = ["own"]
        assert [str(error) for error in self.strategy.validate(made)] == [
            'spec.finalizers: Invalid value: "own": '
            "name is neither a standard finalizer name nor is it fully qualified"
        ]


class TestNodes:
    strategy = strategy_for(NODES)

    def test_what_is_not_said_to_be_reserved_is_allocatable(self) -> None:
        made = new(NODES, status={"capacity": {"cpu": "4"}})
        self.strategy.prepare_for_create(made, NOW)
        assert made.status.allocatable == {"cpu": "4"}

    def test_an_update_of_the_spec_leaves_the_status(self) -> None:
        old, changed = new(NODES, status={"phase": "x"}), new(NODES, spec={"unschedulable": True})
        self.strategy.rules().prepare(changed, old, NOW)
        assert (changed.status, changed.spec.unschedulable) == (old.status, True)

    def test_the_pod_cidr_is_given_once(self) -> None:
        old = new(NODES, spec={"podCIDR": "10.0.0.0/24"})
        changed = new(NODES, spec={"podCIDR": "10.0.1.0/24"})
        assert [str(error) for error in self.strategy.rules().validate(changed, old)] == [
            'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'
        ]

    @pytest.mark.parametrize(
        ("labels", "spec", "conditions", "cells"),
        [
            pytest.param({}, {}, [], ["Unknown", "<none>"], id="nothing-known"),
            pytest.param({"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "x"},
                         {}, [{"type": "Ready", "status": "True"}],
                         ["Ready", "control-plane,x"], id="roles"),
            pytest.param({}, {"unschedulable": True}, [{"type": "Ready", "status": "Unknown"}],
                         ["NotReady,SchedulingDisabled", "<none>"], id="lost-and-cordoned"),
        ],
    )  # fmt: skip
    def test_row(self, labels: Any, spec: Any, conditions: Any, cells: list[str]) -> None:
        made = new(NODES, metadata={"labels": labels}, spec=spec, status={"conditions": conditions})
        assert self.strategy.row(made, NOW)[1:3] == cells


class TestSecrets:
    strategy = strategy_for(SECRETS)

    def test_text_is_folded_into_data(self) -> None:
        made = new(SECRETS, data={"a": "AA==", "b": "AA=="}, stringData={"b": "é"})
        assert made.data == {"a": "AA==", "b": "w6k="}
        assert made.string_data == {}
        assert made.type == "Opaque"

    @pytest.mark.parametrize(
        ("type_", "data", "text"),
        [
            pytest.param("kubernetes.io/basic-auth", {}, "data[username]: Required value",
                         id="basic-auth"),
            pytest.param("kubernetes.io/ssh-auth", {}, "data[ssh-privatekey]: Required value",
                         id="ssh"),
            pytest.param("kubernetes.io/dockercfg", {".dockercfg": "W10="},
                         'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: '
                         "cannot unmarshal array into Go value of type map[string]interface {}",
                         id="docker-list"),
            pytest.param("Opaque", {"a/b": "AA=="},
                         "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of "
                         "alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                         "'KEY_NAME',  or 'key-name', regex used for validation is "
                         "'[-._a-zA-Z0-9]+')", id="key"),
        ],
    )  # fmt: skip
    def test_types(self, type_: str, data: dict[str, str], text: str) -> None:
        found = self.strategy.validate(new(SECRETS, type=type_, data=data))
        assert str(found[0]) == text


class TestEvents:
    strategy = strategy_for(EVENTS)

    @pytest.mark.parametrize(
        ("fields", "texts"),
        [
            pytest.param({"involvedObject": {"namespace": "default"}}, [], id="same-namespace"),
            pytest.param({"involvedObject": {"kind": "Node"}}, [], id="an-object-without-one"),
            pytest.param({"involvedObject": {"namespace": "other"}},
                         ['involvedObject.namespace: Invalid value: "other": '
                          "does not match event.namespace"], id="another-namespace"),
            pytest.param({"eventTime": "2026-01-02T03:04:05.000000Z", "reason": "R",
                          "action": "A", "reportingComponent": "x/y"},
                         ["reportingInstance: Required value"], id="newer-and-incomplete"),
        ],
    )  # fmt: skip
    def test_validation(self, fields: dict[str, Any], texts: list[str]) -> None:
        assert [str(error) for error in self.strategy.validate(new(EVENTS, **fields))] == texts

    def test_a_series_is_as_old_as_its_last(self) -> None:
        series = {"count": 9, "lastObservedTime": "2026-01-02T03:04:00.000000Z"}
        first = "2026-01-02T03:00:05.000000Z"
        made = new(
            EVENTS, eventTime=first, series=series, reportingComponent="c", reportingInstance="h"
        )
        row = self.strategy.row(made, NOW)
        assert (row[0], row[5], row[7], row[8]) == ("5s", "c, h", "4m", 9)


def test_a_lease_is_updated_by_whoever_read_it() -> None:
    assert not strategy_for(LEASES).allow_unconditional_update
