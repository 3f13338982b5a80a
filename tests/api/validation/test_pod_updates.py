"""What an update may change of a Pod, and of its status."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.types.core_v1 import Binding, Pod
from podium.api.validation.pod_status import validate_binding, validate_pod_status_update
from podium.api.validation.pod_updates import validate_pod_update
from support.objects import container, pod

IMMUTABLE = (
    "spec: Forbidden: pod updates may not change fields other than "
    "`spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, "
    "`spec.tolerations` (only additions to existing tolerations) or "
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def offences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [str(error) for error in validate_pod_update(pod(new), pod(old))]


TERMS = (
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
)


def in_terms(*terms: list[str]) -> dict[str, Any]:
    """A gated Pod for nodes with these labels, a term each."""
    listed = [
        {"matchExpressions": [{"key": key, "operator": "Exists"} for key in keys]} for keys in terms
    ]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}
    return {"schedulingGates": [{"name": "g"}], "affinity": {"nodeAffinity": required}}


GATED: dict[str, Any] = {"schedulingGates": [{"name": "g"}], "nodeSelector": {"a": "b"}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({}, {"containers": [container(image="app:2", imagePullPolicy="IfNotPresent")]},
                     id="image"),
        pytest.param({}, {"activeDeadlineSeconds": 5}, id="a-first-deadline"),
        pytest.param({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 4}, id="nearer"),
        pytest.param({}, {"tolerations": [{"operator": "Exists"}]}, id="one-more-toleration"),
        pytest.param({"terminationGracePeriodSeconds": -1}, {"terminationGracePeriodSeconds": 1},
                     id="mend-a-negative-grace-period"),
        pytest.param(GATED, {"nodeSelector": {"a": "b"}}, id="open-the-gate"),
        pytest.param(GATED, {**GATED, "nodeSelector": {"a": "b", "c": "d"}},
                     id="narrow-the-nodes-of-a-gated-pod"),
        pytest.param({"schedulingGates": [{"name": "g"}]}, in_terms(["a"]),
                     id="a-first-affinity-of-a-gated-pod"),
        pytest.param(in_terms(["a"]), in_terms(["a", "b"]), id="narrow-a-term-of-a-gated-pod"),
    ],
)  # fmt: skip
def test_allowed(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert offences(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        pytest.param({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 6},
                     "spec.activeDeadlineSeconds: Invalid value: 6: "
                     "must be less than or equal to previous value", id="a-later-deadline"),
        pytest.param({"tolerations": [{"key": "a", "operator": "Exists"}]}, {"tolerations": []},
                     "spec.tolerations: Forbidden: existing toleration can not be modified except "
                     "its tolerationSeconds", id="a-toleration-less"),
        pytest.param({}, {"schedulingGates": [{"name": "g"}]},
                     "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, "
                     "but found new scheduling gate 'g'", id="a-new-gate"),
        pytest.param(GATED, {**GATED, "nodeSelector": {"a": "x"}},
                     'spec.nodeSelector: Invalid value: map[string]string{"a":"x"}: '
                     "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
                     id="gated-to-other-nodes"),
        pytest.param(in_terms(["a"]), in_terms(["a"], ["b"]),
                     f"{TERMS}: Invalid value: "
                     '[{"matchExpressions":[{"key":"a","operator":"Exists"}]},'
                     '{"matchExpressions":[{"key":"b","operator":"Exists"}]}]: '
                     "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
                     id="gated-to-more-terms"),
        pytest.param(in_terms(["a", "b"]), in_terms(["b", "a"]),
                     f"{TERMS}[0]: Invalid value: "
                     '{"matchExpressions":[{"key":"b","operator":"Exists"},'
                     '{"key":"a","operator":"Exists"}]}: '
                     "only additions are allowed (no mutations or deletions)",
                     id="gated-to-another-term"),
        pytest.param({}, {"containers": [container(), container(name="d")]},
                     "spec.containers: Forbidden: pod updates may not add or remove containers",
                     id="a-container-more"),
    ],
)  # fmt: skip
def test_refused(old: dict[str, Any], new: dict[str, Any], text: str) -> None:
    assert offences(old, new) == [text]


def test_the_refusal_shows_what_differs() -> None:
    changed = {"containers": [container(command=["b"])], "nodeSelector": {"c": "d"}}
    (text,) = offences({"containers": [container(command=["a"])]}, changed)
    assert text == (
        f"{IMMUTABLE}\n"
        "  core.PodSpec{\n"
        '-   containers[0].command[0]: "a"\n'
        '+   containers[0].command[0]: "b"\n'
        '+   nodeSelector: {"c": "d"}\n'
        "  }\n"
    )


def with_status(status: dict[str, Any], **spec: Any) -> Pod:
    made = pod(spec)
    made.status = codec.from_plain(type(made.status), status)
    return made


OVER = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 1}}}]}
BACK = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}


@pytest.mark.parametrize(
    ("policy", "texts"),
    [
        pytest.param("Always", [], id="always"),
        pytest.param("OnFailure", [], id="it-failed"),
        pytest.param("Never", ["status.containerStatuses[0].state: Forbidden: "
                               "may not be transitioned to non-terminated state"], id="never"),
    ],
)  # fmt: skip
def test_what_is_over_stays_over(policy: str, texts: list[str]) -> None:
    new, old = with_status(BACK, restartPolicy=policy), with_status(OVER, restartPolicy=policy)
    assert [str(error) for error in validate_pod_status_update(new, old)] == texts


def ended(code: int, **container_fields: Any) -> Pod:
    status = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": code}}}]}
    return with_status(status, containers=[container(**container_fields)], restartPolicy="Never")


ONE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}
ALL = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [9]}}


@pytest.mark.parametrize(
    ("code", "fields", "comes_back"),
    [
        pytest.param(1, {"restartPolicy": "Always"}, True, id="its-own-policy"),
        pytest.param(0, {"restartPolicy": "OnFailure"}, False, id="done-by-its-own-policy"),
        pytest.param(1, {"restartPolicy": "Never", "restartPolicyRules": [ONE]}, True, id="a-rule"),
        pytest.param(2, {"restartPolicy": "Never", "restartPolicyRules": [ONE]}, False,
                     id="no-rule-for-that-code"),
        pytest.param(2, {"restartPolicy": "Never", "restartPolicyRules": [ALL]}, True,
                     id="another-may-restart-them-all"),
    ],
)  # fmt: skip
def test_what_may_restart_comes_back(code: int, fields: dict[str, Any], comes_back: bool) -> None:
    new = with_status(BACK, containers=[container(**fields)], restartPolicy="Never")
    assert (not validate_pod_status_update(new, ended(code, **fields))) is comes_back


@pytest.mark.parametrize(
    ("status", "texts"),
    [
        pytest.param({"observedGeneration": -1, "conditions": [
            {"type": "Ready", "status": "True", "observedGeneration": -2}]},
            ["metadata.conditions[0].observedGeneration: Invalid value: -2: "
             "must be a non-negative integer",
             "status.observedGeneration: Invalid value: -1: must be a non-negative integer"],
            id="negative-generations"),
        pytest.param({"resourceClaimStatuses": [{"name": "x", "resourceClaimName": "a"},
                                                {"name": "x"}]},
            ['status.resourceClaimStatuses[0].name: Invalid value: "x": '
             "must match the name of an entry in `spec.resourceClaims`",
             'status.resourceClaimStatuses[1].name: Invalid value: "x": '
             "must match the name of an entry in `spec.resourceClaims`",
             'status.resourceClaimStatuses[1].name: Duplicate value: "x"'],
            id="claims-that-the-pod-has-not"),
        pytest.param({"containerStatuses": [{"name": "c", "user": {"linux": {
            "uid": -1, "gid": 0, "supplementalGroups": [2**31]}}}]},
            ["status.containerStatuses[0].user.linux.uid: Invalid value: -1: "
             "must be between 0 and 2147483647, inclusive",
             "status.containerStatuses[0].user.linux.supplementalGroups[0]: "
             "Invalid value: 2147483648: must be between 0 and 2147483647, inclusive"],
            id="users"),
        pytest.param({"containerStatuses": [{"name": "c", "allocatedResourcesStatus": [
            {"name": "claim:a", "resources": [{"resourceID": "1", "health": "Good"},
                                              {"resourceID": "1", "health": "Healthy"}]},
            {"name": "example.com/gpu"}]}]},
            ["status.containerStatuses[0].allocatedResourcesStatus[0].name: "
             'Invalid value: "claim:a": must match one of the container\'s resource claims in a '
             "format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
             "status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: "
             'Unsupported value: "Good": supported values: "Healthy", "Unhealthy", "Unknown"',
             "status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: "
             'Duplicate value: "1"',
             "status.containerStatuses[0].allocatedResourcesStatus[1].name: "
             'Invalid value: "example.com/gpu": '
             "must match one of the container's resource requests"],
            id="health-of-devices"),
        pytest.param({"ephemeralContainerStatuses": [
            {"name": "e", "allocatedResourcesStatus": [{"name": "a"}]}]},
            ["status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: "
             "must not be specified in container status"], id="devices-of-ephemeral-containers"),
        pytest.param({"extendedResourceClaimStatus": {"resourceClaimName": "", "requestMappings": [
            {"containerName": "d", "resourceName": "a/b", "requestName": "r"},
            {"containerName": "c", "resourceName": "a/b", "requestName": "R"}]}},
            ["status.extendedResourceClaimStatus.requestMappings[0].containerName: "
             'Invalid value: "d": must match the name of an entry in spec.initContainers.name or '
             "spec.containers.name",
             "status.extendedResourceClaimStatus.requestMappings[1].resourceName: "
             'Invalid value: "a/b": must match the extended resource name of an entry in '
             "spec.initContainers.resources.requests or spec.containers.resources.requests",
             'status.extendedResourceClaimStatus.requestName: Invalid value: "R": '
             "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
             "'-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
             "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
             "status.extendedResourceClaimStatus.resourceClaimName: Required value"],
            id="a-claim-for-extended-resources"),
    ],
)  # fmt: skip
def test_status(status: dict[str, Any], texts: list[str]) -> None:
    found = validate_pod_status_update(with_status(status), with_status({}))
    assert [str(error) for error in found] == texts


def test_an_address_that_was_there_stays_whatever_it_looks_like() -> None:
    odd = {"podIP": "010.0.0.1", "podIPs": [{"ip": "010.0.0.1"}]}
    assert validate_pod_status_update(with_status(odd), with_status(odd)) == []
    assert [
        str(error) for error in validate_pod_status_update(with_status(odd), with_status({}))
    ] == ['status.podIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s']


COST = "controller.kubernetes.io/pod-deletion-cost"


def test_a_deletion_cost_that_was_wrong_before_does_not_stand_in_the_way() -> None:
    wrong, right = pod({}, annotations={COST: "x"}), pod({}, annotations={COST: "1"})
    assert validate_pod_update(wrong, wrong) == []
    assert [str(error) for error in validate_pod_update(wrong, right)] == [
        f'metadata.annotations[{COST}]: Invalid value: "x": must be a 32bit integer'
    ] * 2


@pytest.mark.parametrize(
    ("status", "texts"),
    [
        pytest.param({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, [],
                     id="one-of-each-family"),
        pytest.param({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]},
                     ['status.podIPs: Invalid value: []string{"10.0.0.1", "10.0.0.2"}: '
                      "may specify no more than one IP for each IP family"], id="two-of-a-family"),
        pytest.param({"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.2"}]},
                     ['status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`'],
                     id="host-addresses-disagree"),
    ],
)  # fmt: skip
def test_addresses(status: dict[str, Any], texts: list[str]) -> None:
    found = validate_pod_status_update(with_status(status), with_status({}))
    assert [str(error) for error in found] == texts


def test_the_qos_class_does_not_change() -> None:
    new, old = with_status({"qosClass": "Burstable"}), with_status({"qosClass": "BestEffort"})
    assert [str(error) for error in validate_pod_status_update(new, old)] == [
        'status.qosClass: Invalid value: "Burstable": field is immutable'
    ]


def test_a_binding_names_a_node() -> None:
    wrong = codec.from_plain(Binding, {"target": {"kind": "Pod"}})
    assert [str(error) for error in validate_binding(wrong)] == [
        'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
        "target.name: Required value",
    ]
