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
                     "only additions are allowed to spec.nodeSelector", id="gated-to-other-nodes"),
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
