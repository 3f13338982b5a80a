"""What a ResourceQuota may say."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.types.core_v1 import ResourceQuota
from podium.api.validation.quotas import validate_quota, validate_quota_update


def quota(hard: dict[str, str], **spec: Any) -> ResourceQuota:
    plain = {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}
    return codec.from_plain(ResourceQuota, plain)


def said(made: ResourceQuota) -> list[str]:
    return [str(error) for error in validate_quota(made)]


@pytest.mark.parametrize(
    "name",
    [
        "pods", "cpu", "requests.cpu", "limits.memory", "requests.storage", "ephemeral-storage",
        "hugepages-2Mi", "requests.hugepages-1Gi", "count/pods", "count/deployments.apps",
        "requests.example.com/gpu", "gold.storageclass.storage.k8s.io/requests.storage",
        "services.nodeports",
    ],
)  # fmt: skip
def test_names(name: str) -> None:
    assert said(quota({name: "1"})) == []


TYPE, STANDARD = "a standard resource type or fully qualified", "a standard resource for quota"


@pytest.mark.parametrize(
    ("name", "problems"),
    [("jobs", [TYPE, STANDARD]), ("storage", [STANDARD]), ("limits.pods", [TYPE, STANDARD])],
)
def test_wrong_names(name: str, problems: list[str]) -> None:
    assert said(quota({name: "1"})) == [
        f'spec.hard[{name}]: Invalid value: "{name}": must be {problem}' for problem in problems
    ]


def test_names_that_are_none() -> None:
    errors = said(quota({"a b": "1"}))
    assert len(errors) == 2
    assert errors[1].endswith(STANDARD)


def test_objects_come_whole() -> None:
    (error,) = said(quota({"count/secrets": "1500m"}))
    assert error.startswith("spec.hard[count/secrets]: Invalid value: ")
    assert error.endswith(": must be an integer")


@pytest.mark.parametrize(
    ("scopes", "hard", "problems"),
    [
        pytest.param(["BestEffort"], "pods", [], id="best-effort"),
        pytest.param(["NotBestEffort", "Terminating"], "limits.cpu", [], id="two"),
        pytest.param(["VolumeAttributesClass"], "requests.storage", [], id="of-claims"),
        pytest.param(["BestEffort"], "count/secrets", [], id="no-standard-resource"),
        pytest.param(["Other"], "pods", ["unsupported scope"], id="unknown"),
        pytest.param(["BestEffort"], "cpu", ["unsupported scope applied to resource"], id="unfit"),
        pytest.param(["PriorityClass"], "secrets", ["unsupported scope applied to resource"],
                     id="unfit-kind"),
        pytest.param(["BestEffort", "NotBestEffort"], "pods", ["conflicting scopes"],
                     id="conflict"),
        pytest.param(["Terminating", "NotTerminating"], "pods", ["conflicting scopes"],
                     id="another-conflict"),
    ],
)  # fmt: skip
def test_scopes(scopes: list[str], hard: str, problems: list[str]) -> None:
    shown = ", ".join(f'"{scope}"' for scope in scopes)
    assert said(quota({hard: "1"}, scopes=scopes)) == [
        f"spec.scopes: Invalid value: []core.ResourceQuotaScope{{{shown}}}: {problem}"
        for problem in problems
    ]


AT = "spec.scopeSelector.matchExpressions"


@pytest.mark.parametrize(
    ("need", "problem"),
    [
        pytest.param({"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}, "",
                     id="in"),
        pytest.param({"scopeName": "BestEffort", "operator": "Exists"}, "", id="exists"),
        pytest.param({"scopeName": "Other", "operator": "Exists"},
                     '.scopeName: Invalid value: "Other": unsupported scope', id="unknown-scope"),
        pytest.param({"scopeName": "PriorityClass", "operator": "Is"},
                     '.operator: Invalid value: "Is": not a valid selector operator',
                     id="unknown-operator"),
        pytest.param({"scopeName": "PriorityClass", "operator": "NotIn"},
                     ".values: Required value: must be at least one value when `operator` is 'In' "
                     "or 'NotIn' for scope selector", id="no-values"),
        pytest.param({"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]},
                     '.values: Invalid value: []string{"a"}: must be no value when `operator` is '
                     "'Exist' or 'DoesNotExist' for scope selector", id="values"),
        pytest.param({"scopeName": "Terminating", "operator": "DoesNotExist"},
                     '.operator: Invalid value: "DoesNotExist": must be \'Exist\' when scope is '
                     "any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                     "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                     "ResourceQuotaScopeCrossNamespacePodAffinity", id="exists-alone"),
        pytest.param({"scopeName": "VolumeAttributesClass", "operator": "Exists"},
                     ": Invalid value: core.ScopeSelector{MatchExpressions:[]core."
                     "ScopedResourceSelectorRequirement{core.ScopedResourceSelectorRequirement{"
                     'ScopeName:"VolumeAttributesClass", Operator:"Exists", Values:[]string(nil)}}}'
                     ": unsupported scope applied to resource", id="unfit"),
    ],
)  # fmt: skip
def test_selectors(need: dict[str, Any], problem: str) -> None:
    made = quota({"pods": "1"}, scopeSelector={"matchExpressions": [need]})
    assert said(made) == ([AT + problem] if problem else [])


def test_scopes_stay_as_they_are() -> None:
    old, new = quota({"pods": "1"}), quota({"pods": "2"}, scopes=["BestEffort"])
    assert [str(error) for error in validate_quota_update(new, old)] == [
        'spec.scopes: Invalid value: []core.ResourceQuotaScope{"BestEffort"}: field is immutable'
    ]
