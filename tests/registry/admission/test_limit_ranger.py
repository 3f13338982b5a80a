"""LimitRanger: what it fills in, and what is beyond its limits, in upstream's words."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import LIMITRANGES, PERSISTENTVOLUMECLAIMS
from podium.api.types.core_v1 import PersistentVolumeClaim
from podium.registry.admission.limit_ranger import ANNOTATION, LimitRanger
from support.admission import Objects, judged, write
from support.objects import container, pod

BEGIN = 'pods "p" is forbidden: '


def limits(*items: dict[str, Any]) -> Objects:
    reader = Objects()
    reader.add(LIMITRANGES, {"metadata": {"name": "l"}, "spec": {"limits": list(items)}})
    return reader


def asking(name: str = "c", requests: Any = None, limits: Any = None) -> dict[str, Any]:
    return container(name=name, resources={"requests": requests or {}, "limits": limits or {}})


async def test_what_containers_leave_out_is_filled_in_and_told() -> None:
    reader = limits({
        "type": "Container", "default": {"cpu": "1", "memory": "1Gi"},
        "defaultRequest": {"cpu": "500m", "memory": "512Mi"},
    })  # fmt: skip
    made = pod({
        "containers": [container(name="a"), asking("b", {"cpu": "1"}, {"memory": "2Gi"})],
        "initContainers": [container(name="i")],
    })  # fmt: skip
    assert await judged(LimitRanger(), write(made, reader=reader)) == ""
    assert made.metadata.annotations[ANNOTATION] == (
        "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for "
        "container a; cpu limit for container b; cpu, memory request for init container i; "
        "cpu, memory limit for init container i"
    )
    first, second = made.spec.containers
    assert first.resources.requests == {"cpu": "500m", "memory": "512Mi"}
    assert second.resources.requests == {"cpu": "1", "memory": "2Gi"}
    assert second.resources.limits == {"cpu": "1", "memory": "2Gi"}


CONTAINER = {"type": "Container", "min": {"cpu": "100m"}, "max": {"cpu": "1"}}
POD = {"type": "Pod", "max": {"memory": "1Gi"}}
RATIO = {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}


@pytest.mark.parametrize(
    ("item", "spec", "problem"),
    [
        pytest.param(CONTAINER, {"containers": [asking("c", {"cpu": "1"}, {"cpu": "1"})]}, "",
                     id="within"),
        pytest.param(CONTAINER, {}, "[minimum cpu usage per Container is 100m.  No request is "
                     "specified, maximum cpu usage per Container is 1.  No limit is specified]",
                     id="nothing-stated"),
        pytest.param(CONTAINER, {"containers": [asking("c", {"cpu": "50m"}, {"cpu": "1"})]},
                     "minimum cpu usage per Container is 100m, but request is 50m",
                     id="too-little"),
        pytest.param(CONTAINER, {"containers": [asking("c", {"cpu": "1"}, {"cpu": "2"})]},
                     "maximum cpu usage per Container is 1, but limit is 2", id="too-much"),
        pytest.param(CONTAINER, {"containers": [asking("a", {"cpu": "1"}, {"cpu": "2"}),
                                                asking("b", {"cpu": "1"}, {"cpu": "2"})]},
                     "maximum cpu usage per Container is 1, but limit is 2", id="the-same-twice"),
        pytest.param(CONTAINER, {"containers": [asking("c", {"cpu": "1"}, {"cpu": "1"})],
                                 "initContainers": [asking("i", {"cpu": "3"}, {"cpu": "3"})]},
                     "maximum cpu usage per Container is 1, but limit is 3", id="init-containers"),
        pytest.param(POD, {"containers": [asking("a", limits={"memory": "512Mi"}),
                                          asking("b", limits={"memory": "512Mi"})],
                           "overhead": {"memory": "1Gi"}}, "", id="a-pod-without-its-overhead"),
        pytest.param(POD, {"containers": [asking("a", limits={"memory": "1Gi"}),
                                          asking("b", limits={"memory": "512Mi"})]},
                     "maximum memory usage per Pod is 1Gi, but limit is 1536Mi", id="a-pod"),
        pytest.param(POD, {"resources": {"limits": {"memory": "2Gi"}}},
                     "maximum memory usage per Pod is 1Gi, but limit is 2Gi", id="as-a-whole"),
        pytest.param(RATIO, {"containers": [asking("c", {"cpu": "1"}, {"cpu": "2"})]}, "",
                     id="ratio"),
        pytest.param(RATIO, {"containers": [asking("c", {"cpu": "1"}, {"cpu": "3"})]},
                     "cpu max limit to request ratio per Container is 2, but provided ratio is "
                     "3.000000", id="ratio-too-high"),
        pytest.param(RATIO, {}, "cpu max limit to request ratio per Container is 2, but no request "
                     "is specified or request is 0", id="ratio-of-nothing"),
        pytest.param(RATIO, {"containers": [asking("c", {"cpu": "1"})]},
                     "cpu max limit to request ratio per Container is 2, but no limit is specified "
                     "or limit is 0", id="ratio-without-limit"),
    ],
)  # fmt: skip
async def test_bounds(item: dict[str, Any], spec: dict[str, Any], problem: str) -> None:
    said = await judged(LimitRanger(), write(pod(spec), reader=limits(item)))
    assert said == (BEGIN + problem if problem else "")


CLAIMS = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}


@pytest.mark.parametrize(
    ("requests", "problem"),
    [
        ({"storage": "2Gi"}, ""),
        ({"storage": "3Gi"}, "maximum storage usage per PersistentVolumeClaim is 2Gi, but request "
                             "is 3Gi"),
        ({"storage": "1Mi"}, "minimum storage usage per PersistentVolumeClaim is 1Gi, but request "
                             "is 1Mi"),
        ({}, "[minimum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified, "
             "maximum storage usage per PersistentVolumeClaim is 2Gi.  No request is specified]"),
    ],
    ids=str,
)  # fmt: skip
async def test_claims(requests: dict[str, str], problem: str) -> None:
    plain = {"metadata": {"name": "c"}, "spec": {"resources": {"requests": requests}}}
    claim = codec.from_plain(PersistentVolumeClaim, plain)
    for operation in ("CREATE", "UPDATE"):
        attributes = write(
            claim, resource=PERSISTENTVOLUMECLAIMS, operation=operation, reader=limits(CLAIMS)
        )
        said = await judged(LimitRanger(), attributes)
        begin = 'persistentvolumeclaims "c" is forbidden: '
        assert said == (begin + problem if problem else "")


async def test_updates_of_pods_are_let_be_but_for_resizes() -> None:
    reader, old, new = limits(CONTAINER), pod(), pod()
    update = write(new, old=old, operation="UPDATE", reader=reader)
    assert await judged(LimitRanger(), update) == ""
    resize = write(new, old=old, operation="UPDATE", subresource="resize", reader=reader)
    assert await judged(LimitRanger(), resize) != ""


async def test_what_is_being_deleted_is_let_be() -> None:
    old = pod(deletionTimestamp="2026-01-02T03:04:05Z")
    resize = write(
        pod(), old=old, operation="UPDATE", subresource="resize", reader=limits(CONTAINER)
    )
    assert await judged(LimitRanger(), resize) == ""
