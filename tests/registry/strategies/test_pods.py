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


def warnings(made: Pod) -> list[str]:
    made.spec.service_account_name = "default"  # as admission does
    found, texts = STRATEGY.judge(made)
    assert found == []
    return texts


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

    def test_label_keys_join_the_selectors(self) -> None:
        selector = {"matchLabels": {"a": "b"}}
        term = {"topologyKey": "z", "labelSelector": selector,
                "matchLabelKeys": ["v", "absent"], "mismatchLabelKeys": ["w"]}  # fmt: skip
        spread = {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
                  "labelSelector": selector, "matchLabelKeys": ["v"]}  # fmt: skip
        made = created(
            {
                "affinity": {
                    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
                },
                "topologySpreadConstraints": [spread],
            },
            labels={"v": "1", "w": "2"},
        )
        assert STRATEGY.validate(made) == []
        anti = made.spec.affinity.pod_anti_affinity
        (merged,) = anti.required_during_scheduling_ignored_during_execution
        assert codec.to_plain(merged.label_selector)["matchExpressions"] == [
            {"key": "v", "operator": "In", "values": ["1"]},
            {"key": "w", "operator": "NotIn", "values": ["2"]},
        ]
        (constraint,) = made.spec.topology_spread_constraints
        assert codec.to_plain(constraint.label_selector)["matchExpressions"] == [
            {"key": "v", "operator": "In", "values": ["1"]}
        ]

    @pytest.mark.parametrize(
        ("said", "profile"),
        [
            pytest.param("runtime/default", {"type": "RuntimeDefault"}, id="default"),
            pytest.param("unconfined", {"type": "Unconfined"}, id="none"),
            pytest.param("localhost/a", {"type": "Localhost", "localhostProfile": "a"}, id="own"),
            pytest.param("localhost/", None, id="nothing-valid"),
        ],
    )
    def test_apparmor_in_an_annotation_becomes_the_field(
        self, said: str, profile: dict[str, str] | None
    ) -> None:
        key = "container.apparmor.security.beta.kubernetes.io/c"
        made = created(annotations={key: said})
        context = made.spec.containers[0].security_context
        found = context and context.app_armor_profile
        assert (codec.to_plain(found) if found else None) == profile
        assert warnings(made) == [
            f"metadata.annotations[{key}]: deprecated since v1.30; "
            'use the "appArmorProfile" field instead'
        ]


CLOSED = {
    "schedulingGroup": {"podGroupName": "g"},
    "evictionResponders": [{"name": "a.example/b", "priority": 1}],
    "volumes": [
        {"name": "e", "emptyDir": {"mode": 448}},
        {"name": "s", "secret": {"secretName": "s", "defaultUser": 1,
                                 "items": [{"key": "k", "path": "p", "user": 2}]}},
        {"name": "p", "projected": {"defaultUser": 1, "sources": [
            {"serviceAccountToken": {"path": "t", "user": 3}},
            {"clusterTrustBundle": {"name": "b", "path": "c"}}]}},
    ],
    "containers": [container(volumeMounts=[
        {"name": "e", "mountPath": "/e", "bindMountOptions": ["noexec"]}])],
}  # fmt: skip


class TestClosedGates:
    def test_what_kubernetes_keeps_behind_closed_gates_is_dropped(self) -> None:
        spec = codec.to_plain(created(CLOSED).spec)
        assert not spec.keys() & {"schedulingGroup", "evictionResponders"}
        assert spec["volumes"] == [
            {"name": "e", "emptyDir": {}},
            {"name": "s", "secret": {"secretName": "s", "defaultMode": 420,
                                     "items": [{"key": "k", "path": "p"}]}},
            {"name": "p", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}, {}]}},
        ]  # fmt: skip
        assert spec["containers"][0]["volumeMounts"] == [{"name": "e", "mountPath": "/e"}]

    def test_what_is_in_use_stays(self) -> None:
        old, new = pod(CLOSED), pod(CLOSED)
        new.metadata.labels = {"a": "b"}
        STRATEGY.rules().prepare(new, old, NOW)
        assert new.spec == old.spec

    def test_one_feature_in_use_opens_no_other(self) -> None:
        old = pod({"schedulingGroup": {"podGroupName": "g"}})
        new = pod(CLOSED)
        STRATEGY.rules().prepare(new, old, NOW)
        assert new.spec.scheduling_group == old.spec.scheduling_group
        assert new.spec.eviction_responders == []

    def test_so_is_what_a_status_says(self) -> None:
        old, new = created(), created()
        new.status = codec.from_plain(type(new.status), {
            "volumeHealth": [{"name": "v"}],
            "containerStatuses": [{"name": "c", "volumeMounts": [
                {"name": "v", "mountPath": "/", "volumeStatus": {"image": {"imageRef": "x"}}}]}],
        })  # fmt: skip
        STRATEGY.rules("status").prepare(new, old, NOW)
        assert new.status.volume_health == []
        assert new.status.container_statuses[0].volume_mounts[0].volume_status is None


class TestWarnings:
    @pytest.mark.parametrize(
        ("spec", "texts"),
        [
            pytest.param({"hostAliases": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]},
                         ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"'], id="host-aliases"),
            pytest.param({"imagePullSecrets": [{"name": "a"}, {"name": "a"}, {"name": ""}]},
                         ['spec.imagePullSecrets[1].name: duplicate name "a"',
                          'spec.imagePullSecrets[2].name: invalid empty name ""'],
                         id="pull-secrets"),
            pytest.param({"containers": [container(env=[
                {"name": "A", "value": "a"}, {"name": "A", "value": "$(A)b"},
                {"name": "A", "value": "$(A)"}])]},
                ['spec.containers[0].env[2]: hides previous definition of "A", '
                 "which may be dropped when using apply"], id="a-variable-that-hides-another"),
            pytest.param({"containers": [
                container(ports=[{"containerPort": 80, "hostPort": 80}]),
                container(name="d", ports=[{"containerPort": 80, "hostIP": "10.0.0.1"}])]},
                ["spec.containers[1].ports[0]: hostIP set without hostPort: "
                 "{Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}",
                 "spec.containers[1].ports[0]: overlapping port definition with "
                 "spec.containers[0].ports[0]"], id="ports"),
            pytest.param({"topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "beta.kubernetes.io/os",
                "whenUnsatisfiable": "ScheduleAnyway"}]},
                ["spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/os is "
                 'deprecated since v1.14; use "kubernetes.io/os" instead',
                 "spec.topologySpreadConstraints[0].labelSelector: "
                 "a null labelSelector results in matching no pod"], id="spreading"),
            pytest.param({"affinity": {"podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "z"}]}}},
                ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
                 "labelSelector: a null labelSelector results in matching no pod"],
                id="an-affinity-to-nothing"),
            pytest.param({"overhead": {"memory": "1500m"}},
                         ['spec.overhead[memory]: fractional byte value "1500m" is invalid, '
                          "must be an integer"], id="overhead"),
            pytest.param({"dnsConfig": {"nameservers": ["2001:DB8::1"]}},
                         ['spec.dnsConfig.nameservers[0]: IPv6 address "2001:DB8::1" should be in '
                          'RFC 5952 canonical format ("2001:db8::1")'], id="addresses"),
            pytest.param({"volumes": [{"name": "p", "projected": {"sources": [
                {"serviceAccountToken": {"path": "t"}},
                {"configMap": {"name": "m", "items": [{"key": "k", "path": "t"}]}}]}}]},
                ["spec.volumes[0].projected.sources.configMap[0]: "
                 'has duplicated path with ServiceAccountToken "t"'], id="a-file-over-a-token"),
        ],
    )  # fmt: skip
    def test_warned_of(self, spec: dict[str, Any], texts: list[str]) -> None:
        assert warnings(created(spec)) == texts

    def test_a_name_that_cannot_be_a_host_name(self) -> None:
        made = created()
        made.metadata.name = "a.b"
        assert warnings(made) == [
            "metadata.name: this is used in the Pod's hostname, which can result in surprising "
            "behavior; a DNS label is recommended: [must not contain dots]"
        ]


class TestUpdate:
    def test_who_does_not_know_generations_does_not_take_them_away(self) -> None:
        old, new = created(), created()
        old.status = codec.from_plain(type(old.status), {"observedGeneration": 2, "conditions": [
            {"type": "Ready", "status": "True", "observedGeneration": 2}]})  # fmt: skip
        new.status = codec.from_plain(
            type(new.status), {"conditions": [{"type": "Ready", "status": "False"}]}
        )
        STRATEGY.rules("status").prepare(new, old, NOW)
        (condition,) = new.status.conditions
        assert (new.status.observed_generation, condition.observed_generation) == (2, 2)

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
        pytest.param(
            {"nodeName": "n"}, "Running", 2**63 - 1, 9223372036, id="longer-than-any-calendar"
        ),
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
    assert warnings(created(spec)) == [warning]


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
