"""Structs as Go dumps them."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import go_syntax
from podium.api.field import Path, invalid
from podium.api.types.core_v1 import ContainerPort, SecretReference
from podium.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement, OwnerReference
from podium.api.types.networking_v1 import NetworkPolicyPort, ServiceCIDRSpec
from podium.api.types.policy_v1 import PodDisruptionBudgetSpec


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(
            LabelSelector(match_labels={"b": "2", "a": "1"}),
            'v1.LabelSelector{MatchLabels:map[string]string{"a":"1", "b":"2"}, '
            "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}",
            id="maps-sorted-and-nil-lists",
        ),
        pytest.param(
            LabelSelector(
                match_expressions=[LabelSelectorRequirement(key="a", operator="In", values=["b"])]
            ),
            "v1.LabelSelector{MatchLabels:map[string]string(nil), "
            'MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", '
            'Operator:"In", Values:[]string{"b"}}}}',
            id="lists-of-structs",
        ),
        pytest.param(
            SecretReference(name="a"),
            'core.SecretReference{Name:"a", Namespace:""}',
            id="the-internal-package",
        ),
        pytest.param(
            ServiceCIDRSpec(cidrs=["10.0.0.0/8"]),
            'networking.ServiceCIDRSpec{CIDRs:[]string{"10.0.0.0/8"}}',
            id="capitals",
        ),
        pytest.param(
            ContainerPort(container_port=80),
            'core.ContainerPort{Name:"", HostPort:0, ContainerPort:80, Protocol:"", HostIP:""}',
            id="numbers",
        ),
        pytest.param(
            NetworkPolicyPort(port=80),
            "networking.NetworkPolicyPort{Protocol:(*string)(nil), "
            "Port:(*intstr.IntOrString)(0xc000012345), EndPort:(*int32)(nil)}",
            id="pointers",
        ),
        pytest.param(
            PodDisruptionBudgetSpec(),
            "policy.PodDisruptionBudgetSpec{MinAvailable:(*intstr.IntOrString)(nil), "
            "Selector:(*v1.LabelSelector)(nil), MaxUnavailable:(*intstr.IntOrString)(nil), "
            "UnhealthyPodEvictionPolicy:(*string)(nil)}",
            id="pointers-to-structs",
        ),
        pytest.param(
            [OwnerReference(api_version="v1", kind="Pod", name="p", uid="u")],
            '[]v1.OwnerReference{v1.OwnerReference{Kind:"Pod", Name:"p", UID:"u", '
            'APIVersion:"v1", Controller:(*bool)(nil), BlockOwnerDeletion:(*bool)(nil)}}',
            id="a-list",
        ),
        pytest.param("text", "text", id="what-is-no-struct-stays"),
    ],
)
def test_dump(value: Any, shown: str) -> None:
    assert go_syntax.readable(value) == shown


def test_errors_show_structs_so() -> None:
    error = invalid(Path("spec").child("selector"), LabelSelector(), "field is immutable")
    assert str(error) == (
        "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
        "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"
    )
