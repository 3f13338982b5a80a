"""Which objects the scopes of a quota cover."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.types.core_v1 import PersistentVolumeClaim, ResourceQuota
from podium.domain.quota.scopes import covers
from support.objects import container, pod

STATED = {"containers": [container(resources={"requests": {"cpu": "1"}})]}
TERM = {"topologyKey": "x", "labelSelector": {}}


def quota(*scopes: str, select: list[dict[str, Any]] | None = None) -> ResourceQuota:
    spec: dict[str, Any] = {"scopes": list(scopes)}
    if select is not None:
        spec["scopeSelector"] = {"matchExpressions": select}
    return codec.from_plain(ResourceQuota, {"metadata": {"name": "q"}, "spec": spec})


def affinity(part: str, term: dict[str, Any], *, preferred: bool = False) -> dict[str, Any]:
    terms: Any = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    if preferred:
        weighted = {"weight": 1, "podAffinityTerm": term}
        terms = {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}
    return {"affinity": {part: terms}}


@pytest.mark.parametrize(
    ("scope", "spec", "covered"),
    [
        pytest.param("Terminating", {"activeDeadlineSeconds": 5}, True, id="terminating"),
        pytest.param("Terminating", {}, False, id="not-terminating"),
        pytest.param("NotTerminating", {}, True, id="endless"),
        pytest.param("NotTerminating", {"activeDeadlineSeconds": 5}, False, id="not-endless"),
        pytest.param("BestEffort", {}, True, id="best-effort"),
        pytest.param("BestEffort", STATED, False, id="not-best-effort"),
        pytest.param("NotBestEffort", STATED, True, id="burstable"),
        pytest.param("NotBestEffort", {}, False, id="not-burstable"),
        pytest.param("PriorityClass", {"priorityClassName": "x"}, True, id="priority"),
        pytest.param("PriorityClass", {}, False, id="no-priority"),
        *(
            pytest.param("CrossNamespacePodAffinity",
                         affinity(part, {**TERM, **more}, preferred=preferred), crosses,
                         id=f"{part}-{preferred}-{crosses}-{next(iter(more), '')}")
            for part in ("podAffinity", "podAntiAffinity")
            for preferred in (False, True)
            for more, crosses in (({}, False), ({"namespaces": ["x"]}, True),
                                  ({"namespaceSelector": {}}, True))
        ),
        pytest.param("CrossNamespacePodAffinity", {}, False, id="no-affinity"),
        pytest.param("VolumeAttributesClass", {}, False, id="of-claims-only"),
    ],
)  # fmt: skip
def test_scopes_of_pods(scope: str, spec: dict[str, Any], covered: bool) -> None:
    assert covers(quota(scope), scheme.PODS, pod(spec)) is covered
    exists = [{"scopeName": scope, "operator": "Exists"}]
    assert covers(quota(select=exists), scheme.PODS, pod(spec)) is covered


SELECTORS = [
    ("In", ["a", "b"], "a", True),
    ("In", ["a", "b"], "c", False),
    ("In", ["a"], "", False),
    ("NotIn", ["a"], "b", True),
    ("NotIn", ["a"], "a", False),
    ("NotIn", ["a"], "", True),
    ("Exists", [], "a", True),
    ("Exists", [], "", False),
    ("DoesNotExist", [], "", True),
    ("DoesNotExist", [], "a", False),
]


@pytest.mark.parametrize(("operator", "values", "name", "covered"), SELECTORS)
def test_selecting_priority_classes(
    operator: str, values: list[str], name: str, covered: bool
) -> None:
    select = [{"scopeName": "PriorityClass", "operator": operator, "values": values}]
    assert covers(quota(select=select), scheme.PODS, pod({"priorityClassName": name})) is covered


@pytest.mark.parametrize(("operator", "values", "name", "covered"), SELECTORS)
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda name: {"spec": {"volumeAttributesClassName": name}}, id="wanted"),
        pytest.param(lambda name: {"status": {"currentVolumeAttributesClassName": name}}, id="now"),
        pytest.param(
            lambda name: {"status": {"modifyVolumeStatus": {
                "targetVolumeAttributesClassName": name, "status": "InProgress"}}},
            id="soon",
        ),
    ],
)  # fmt: skip
def test_selecting_attributes_classes(
    place: Any, operator: str, values: list[str], name: str, covered: bool
) -> None:
    select = [{"scopeName": "VolumeAttributesClass", "operator": operator, "values": values}]
    plain = {"metadata": {"name": "c"}, **place(name)}
    claim = codec.from_plain(PersistentVolumeClaim, plain)
    assert covers(quota(select=select), scheme.PERSISTENTVOLUMECLAIMS, claim) is covered


def test_all_scopes_have_to_hold() -> None:
    both = quota("Terminating", "BestEffort")
    assert covers(both, scheme.PODS, pod({"activeDeadlineSeconds": 5}))
    assert not covers(both, scheme.PODS, pod({"activeDeadlineSeconds": 5, **STATED}))
    assert not covers(both, scheme.PODS, pod())


def test_other_kinds_are_in_no_scope() -> None:
    assert covers(quota(), scheme.SECRETS, object())
    assert not covers(quota("NotTerminating"), scheme.SECRETS, object())
    assert not covers(quota("NotTerminating"), scheme.PERSISTENTVOLUMECLAIMS, object())
