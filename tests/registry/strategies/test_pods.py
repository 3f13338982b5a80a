"""Pods: creation, status, binding, deletion, selection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import PODS
from podium.api.types.core_v1 import Binding, Pod
from podium.api.types.meta_v1 import DeleteOptions
from podium.registry.strategies import strategy_for
from support.objects import container, pod

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STRATEGY = strategy_for(PODS)


def created(spec: dict[str, Any] | None = None, **metadata: Any) -> Pod:
    made = pod(spec, **metadata)
    STRATEGY.default(made)
    STRATEGY.prepare_for_create(made, NOW)
    return made


class TestCreate:
    def test_a_new_pod_is_pending_whatever_the_client_says(self) -> None:
        made = pod()
        made.status.phase = "Running"
        made.metadata.generation = 7
        STRATEGY.prepare_for_create(made, NOW)
        assert (made.status.phase, made.status.qos_class) == ("Pending", "BestEffort")
        assert made.metadata.generation == 1

    def test_a_gated_pod_says_so(self) -> None:
        (condition,) = created({"schedulingGates": [{"name": "g"}]}).status.conditions
        assert (condition.type, condition.status) == ("PodScheduled", "False")
        assert condition.reason == "SchedulingGated"


class TestUpdate:
    def test_the_spec_counts_generations_and_metadata_does_not(self) -> None:
        old = created()
        relabelled, changed = created(labels={"a": "b"}), created({"activeDeadlineSeconds": 9})
        STRATEGY.rules().prepare(relabelled, old, NOW)
        STRATEGY.rules().prepare(changed, old, NOW)
        assert (relabelled.metadata.generation, changed.metadata.generation) == (1, 2)

    def test_it_leaves_the_status_alone(self) -> None:
        old, new = created(), created()
        new.status.phase = "Failed"
        STRATEGY.rules().prepare(new, old, NOW)
        assert new.status == old.status

    def test_a_status_update_leaves_everything_else_alone(self) -> None:
        old = created()
        new = created({"containers": [container(image="other")]})
        new.status = codec.from_plain(type(new.status), {"phase": "Running"})
        STRATEGY.rules("status").prepare(new, old, NOW)
        assert new.spec == old.spec
        assert (new.status.phase, new.status.qos_class) == ("Running", "BestEffort")
        assert new.metadata.generation == old.metadata.generation


def binding(**fields: Any) -> Binding:
    return codec.from_plain(Binding, {"target": {"kind": "Node", "name": "n"}, **fields})


class TestBinding:
    def test_it_assigns_the_node_and_says_scheduled(self) -> None:
        made = created(annotations={"a": "b"})
        STRATEGY.post("binding", made, binding(metadata={"annotations": {"c": "d"}}), NOW)
        (condition,) = made.status.conditions
        assert made.spec.node_name == "n"
        assert made.metadata.annotations == {"a": "b", "c": "d"}
        assert (condition.type, condition.status, condition.last_transition_time) == (
            "PodScheduled", "True", NOW)  # fmt: skip

    @pytest.mark.parametrize(
        ("spec", "deleting", "uid", "why"),
        [
            pytest.param({"nodeName": "m"}, False, "", 'pod p is already assigned to node "m"',
                         id="bound"),
            pytest.param({}, True, "", "pod p is being deleted, cannot be assigned to a host",
                         id="being-deleted"),
            pytest.param({"schedulingGates": [{"name": "g"}]}, False, "",
                         "pod p has non-empty .spec.schedulingGates", id="gated"),
            pytest.param({}, False, "x", "Precondition failed: UID in precondition: x, "
                         "UID in object meta: u", id="another-pod-of-the-name"),
        ],
    )  # fmt: skip
    def test_conflicts(self, spec: dict[str, Any], deleting: bool, uid: str, why: str) -> None:
        made = created(spec, uid="u")
        made.metadata.deletion_timestamp = NOW if deleting else None
        with pytest.raises(ApiError) as refused:
            STRATEGY.post("binding", made, binding(metadata={"uid": uid}), NOW)
        assert refused.value.code == 409
        assert str(refused.value) == (f'Operation cannot be fulfilled on pods/binding "p": {why}')

    def test_other_subresources_are_no_actions(self) -> None:
        with pytest.raises(LookupError):
            STRATEGY.post("log", created(), binding(), NOW)


@pytest.mark.parametrize(
    ("spec", "phase", "asked", "grace"),
    [
        pytest.param({}, "Pending", None, 0, id="not-bound"),
        pytest.param({"nodeName": "n"}, "Running", None, 30, id="as-the-spec-says"),
        pytest.param({"nodeName": "n"}, "Running", 5, 5, id="as-the-request-says"),
        pytest.param({"nodeName": "n"}, "Running", 0, 0, id="at-once"),
        pytest.param({"nodeName": "n"}, "Running", -5, 1, id="negative-is-one-second"),
        pytest.param({"nodeName": "n"}, "Succeeded", None, 0, id="succeeded"),
        pytest.param({"nodeName": "n"}, "Failed", 60, 0, id="failed"),
    ],
)
def test_grace_period(spec: dict[str, Any], phase: str, asked: int | None, grace: int) -> None:
    made = created(spec)
    made.status.phase = phase
    options = DeleteOptions(grace_period_seconds=asked)
    assert STRATEGY.grace_period(made, options) == grace


def test_fields_for_selectors() -> None:
    made = created({"nodeName": "n", "serviceAccountName": "a"})
    made.status.pod_ip = "10.0.0.1"
    assert STRATEGY.fields(made) == {
        "metadata.name": "p",
        "metadata.namespace": "default",
        "spec.hostNetwork": "false",
        "spec.nodeName": "n",
        "spec.restartPolicy": "Always",
        "spec.schedulerName": "default-scheduler",
        "spec.serviceAccountName": "a",
        "status.nominatedNodeName": "",
        "status.phase": "Pending",
        "status.podIP": "10.0.0.1",
        "status.podIPs": "10.0.0.1",
    }


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        pytest.param({"containers": [container(env=[{"name": "A"}, {"name": "A"}])]},
                     'spec.containers[0].env[1]: hides previous definition of "A", '
                     "which may be dropped when using apply", id="env-twice"),
        pytest.param({"containers": [container(ports=[{"containerPort": 1}] * 2)]},
                     "spec.containers[0].ports[1]: duplicate port definition with "
                     "spec.containers[0].ports[0]", id="port-twice"),
        pytest.param({"terminationGracePeriodSeconds": -1},
                     "spec.terminationGracePeriodSeconds: must be >= 0; negative values are "
                     "invalid and will be treated as 1", id="negative-grace-period"),
        pytest.param({"containers": [container(resources={"requests": {"memory": "100m"}})]},
                     'spec.containers[0].resources.requests[memory]: fractional byte value "100m" '
                     "is invalid, must be an integer", id="part-of-a-byte"),
        pytest.param({"volumes": [{"name": "g", "glusterfs": {"endpoints": "e", "path": "p"}}]},
                     "spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+",
                     id="deprecated-volume"),
    ],
)  # fmt: skip
def test_warnings(spec: dict[str, Any], warning: str) -> None:
    assert STRATEGY.warnings_on_create(created(spec)) == [warning]


STARTED = {"state": {"running": {}}, "ready": True, "started": True}


@pytest.mark.parametrize(
    ("spec", "status", "cells"),
    [
        pytest.param(
            {"initContainers": [container(name="i", restartPolicy="Always")]},
            {"phase": "Running",
             "initContainerStatuses": [{"name": "i", "restartCount": 2, **STARTED}],
             "containerStatuses": [{"name": "c", "restartCount": 1, **STARTED}]},
            ["2/2", "Running", "3"], id="a-sidecar-counts"),
        pytest.param(
            {"initContainers": [container(name="i")]},
            {"phase": "Running",
             "initContainerStatuses": [{"name": "i", "restartCount": 2,
                                        "state": {"terminated": {"exitCode": 0}}}],
             "containerStatuses": [{"name": "c", **STARTED}]},
            ["1/1", "Running", "0"], id="restarts-before-the-start-are-forgotten"),
        pytest.param(
            {"containers": [container(), container(name="d")]},
            {"phase": "Running",
             "containerStatuses": [
                 {"name": "c", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
                 {"name": "d", **STARTED}]},
            ["1/2", "NotReady", "0"], id="one-is-done-and-the-pod-not-ready"),
        pytest.param(
            {"schedulingGates": [{"name": "g"}]},
            {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
            ["0/1", "SchedulingGated", "0"], id="gated"),
        pytest.param(
            {},
            {"phase": "Running", "containerStatuses": [
                {"name": "c", "restartCount": 1, **STARTED,
                 "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-02T03:04:00Z"}},
                 }]},
            ["1/1", "Running", "1 (5s ago)"], id="restarted-lately"),
    ],
)  # fmt: skip
def test_row(spec: dict[str, Any], status: dict[str, Any], cells: list[str]) -> None:
    made = created(spec)
    made.status = codec.from_plain(type(made.status), status)
    assert STRATEGY.row(made, NOW)[1:4] == cells
