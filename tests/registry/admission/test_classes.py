"""Plugins that follow a class: RuntimeClass, PriorityClass, StorageClass, IngressClass."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import (
    INGRESSCLASSES,
    INGRESSES,
    PERSISTENTVOLUMECLAIMS,
    PRIORITYCLASSES,
    RUNTIMECLASSES,
    STORAGECLASSES,
    Resource,
)
from podium.api.types.core_v1 import PersistentVolumeClaim
from podium.registry.admission.claim_resize import PersistentVolumeClaimResize
from podium.registry.admission.default_classes import DefaultIngressClass, DefaultStorageClass
from podium.registry.admission.priority import Priority
from podium.registry.admission.runtime_class import RuntimeClassAdmission
from support.admission import Objects, judged, write
from support.objects import pod

BEGIN = 'pods "p" is forbidden: '


def runtime(**fields: Any) -> Objects:
    reader = Objects()
    reader.add(RUNTIMECLASSES, {"metadata": {"name": "r"}, "handler": "h", **fields}, "")
    return reader


OVERHEAD = {"overhead": {"podFixed": {"cpu": "500m"}}}
WITHOUT = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
DIFFERENT = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


@pytest.mark.parametrize(
    ("fields", "spec", "problem"),
    [
        pytest.param(OVERHEAD, {"runtimeClassName": "r"}, "", id="taken"),
        pytest.param(OVERHEAD, {"runtimeClassName": "r", "overhead": {"cpu": "0.5"}}, "",
                     id="the-same"),
        pytest.param(OVERHEAD, {"runtimeClassName": "r", "overhead": {"cpu": "1"}}, DIFFERENT,
                     id="another"),
        pytest.param({}, {"runtimeClassName": "r", "overhead": {"cpu": "1"}}, WITHOUT,
                     id="class-without"),
        pytest.param({}, {"overhead": {"cpu": "1"}}, WITHOUT, id="no-class"),
        pytest.param({}, {"runtimeClassName": "x"}, 'pod rejected: RuntimeClass "x" not found',
                     id="unknown"),
        pytest.param({"scheduling": {"nodeSelector": {"a": "b"}}},
                     {"runtimeClassName": "r", "nodeSelector": {"a": "c"}},
                     "conflict: runtimeClass.scheduling.nodeSelector[a] = b; "
                     "pod.spec.nodeSelector[a] = c", id="contradiction"),
    ],
)  # fmt: skip
async def test_runtime_classes(fields: Any, spec: dict[str, Any], problem: str) -> None:
    said = await judged(RuntimeClassAdmission(), write(pod(spec), reader=runtime(**fields)))
    assert said == (BEGIN + problem if problem else "")


async def test_a_runtime_class_decides_about_nodes() -> None:
    tolerations = [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}]
    scheduling = {"nodeSelector": {"a": "b"}, "tolerations": tolerations}
    made = pod({
        "runtimeClassName": "r", "nodeSelector": {"c": "d"},
        "tolerations": [{"key": "a", "operator": "Equal", "value": "x"}],
    })  # fmt: skip
    attributes = write(made, reader=runtime(scheduling=scheduling, **OVERHEAD))
    assert await judged(RuntimeClassAdmission(), attributes) == ""
    assert made.spec.node_selector == {"a": "b", "c": "d"}
    assert made.spec.overhead == {"cpu": "500m"}
    assert [toleration.key for toleration in made.spec.tolerations] == ["a", "b"]


# ---------------------------------------------------------------------- priorities


def priorities(**defaults: bool) -> Objects:
    reader = Objects()
    for value, (name, default) in enumerate(defaults.items(), start=5):
        plain = {"metadata": {"name": name}, "value": value, "globalDefault": default}
        reader.add(PRIORITYCLASSES, plain, "")
    return reader


async def test_the_default_class_is_that_of_the_lowest_value() -> None:
    made = pod()
    attributes = write(made, reader=priorities(none=False, low=True, high=True))
    assert await judged(Priority(), attributes) == ""
    assert (made.spec.priority_class_name, made.spec.priority) == ("low", 6)


@pytest.mark.parametrize(
    ("name", "operation", "refused"),
    [
        pytest.param("new", "CREATE", True, id="a-second-one"),
        pytest.param("first", "CREATE", True, id="the-same-again"),
        pytest.param("first", "UPDATE", False, id="itself"),
        pytest.param("other", "UPDATE", True, id="another-becomes-it"),
    ],
)
async def test_there_is_one_default(name: str, operation: Any, refused: bool) -> None:
    plain = {"metadata": {"name": name}, "value": 1, "globalDefault": True}
    obj = codec.from_plain(PRIORITYCLASSES.type, plain)
    reader = priorities(first=True, other=False)
    attributes = write(
        obj, resource=PRIORITYCLASSES, operation=operation, namespace="", reader=reader
    )
    text = (
        f'priorityclasses.scheduling.k8s.io "{name}" is forbidden: PriorityClass first is already '
        "marked as default. Only one default can exist"
    )
    assert await judged(Priority(), attributes) == (text if refused else "")


# ---------------------------------------------------------------------- storage and ingress


STORAGE = "storageclass.kubernetes.io/is-default-class"
INGRESS = "ingressclass.kubernetes.io/is-default-class"


def classes(resource: Resource, key: str, **marks: tuple[str, str]) -> Objects:
    """Classes by name: when each was made, and whether it is the default."""
    reader = Objects()
    for name, (made, default) in marks.items():
        metadata = {"name": name, "creationTimestamp": made, "annotations": {key: default}}
        reader.add(resource, {"metadata": metadata, "provisioner": "p"}
                   if resource is STORAGECLASSES else {"metadata": metadata}, "")  # fmt: skip
    return reader


OLD, NEW = "2026-01-02T03:04:05Z", "2026-02-03T04:05:06Z"
MARKS: dict[str, tuple[str, str]] = {
    "b": (NEW, "true"), "a": (NEW, "true"), "older": (OLD, "true"), "not": (NEW, "false"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        pytest.param({}, "a", id="none-named"),
        pytest.param({"spec": {"storageClassName": "x"}}, "x", id="one-named"),
        pytest.param({"spec": {"storageClassName": ""}}, "", id="none-wanted"),
        pytest.param({"metadata": {"annotations": {
            "volume.beta.kubernetes.io/storage-class": "x"}}}, None, id="named-as-of-old"),
    ],
)  # fmt: skip
async def test_default_storage_class(claim: dict[str, Any], expected: str | None) -> None:
    metadata = {"name": "c", **claim.pop("metadata", {})}
    obj = codec.from_plain(PersistentVolumeClaim, {"metadata": metadata, **claim})
    reader = classes(STORAGECLASSES, STORAGE, **MARKS)
    attributes = write(obj, resource=PERSISTENTVOLUMECLAIMS, reader=reader)
    assert await judged(DefaultStorageClass(), attributes) == ""
    assert obj.spec.storage_class_name == expected


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        pytest.param({}, "a", id="none-named"),
        pytest.param({"spec": {"ingressClassName": "x"}}, "x", id="one-named"),
        pytest.param({"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}}, None,
                     id="named-as-of-old"),
    ],
)  # fmt: skip
async def test_default_ingress_class(ingress: dict[str, Any], expected: str | None) -> None:
    metadata = {"name": "i", **ingress.pop("metadata", {})}
    obj = codec.from_plain(INGRESSES.type, {"metadata": metadata, **ingress})
    attributes = write(obj, resource=INGRESSES, reader=classes(INGRESSCLASSES, INGRESS, **MARKS))
    assert await judged(DefaultIngressClass(), attributes) == ""
    assert obj.spec.ingress_class_name == expected


async def test_without_a_default_nothing_is_named() -> None:
    obj = codec.from_plain(PersistentVolumeClaim, {"metadata": {"name": "c"}})
    attributes = write(obj, resource=PERSISTENTVOLUMECLAIMS)
    assert await judged(DefaultStorageClass(), attributes) == ""
    assert obj.spec.storage_class_name is None


def claim(size: str, phase: str = "Bound", name: str = "grows") -> PersistentVolumeClaim:
    spec = {"storageClassName": name, "resources": {"requests": {"storage": size}}}
    plain = {"metadata": {"name": "c"}, "spec": spec, "status": {"phase": phase}}
    return codec.from_plain(PersistentVolumeClaim, plain)


NOT_BOUND = "Only bound persistent volume claims can be expanded"
NO_CLASS = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc "
    "must support resize"
)


@pytest.mark.parametrize(
    ("new", "old", "problem"),
    [
        pytest.param(claim("2Gi"), claim("1Gi"), "", id="grows"),
        pytest.param(claim("1Gi", name="fixed"), claim("1Gi", name="fixed"), "", id="the-same"),
        pytest.param(claim("2Gi"), claim("1Gi", "Pending"), NOT_BOUND, id="not-bound"),
        pytest.param(claim("2Gi", name="fixed"), claim("1Gi", name="fixed"), NO_CLASS, id="fixed"),
        pytest.param(claim("2Gi", name="x"), claim("1Gi", name="x"), NO_CLASS, id="unknown-class"),
        pytest.param(claim("2Gi", name=""), claim("1Gi", name=""), NO_CLASS, id="no-class"),
    ],
)
async def test_growing_claims(new: Any, old: Any, problem: str) -> None:
    reader = Objects()
    for name, grows in (("grows", True), ("fixed", False)):
        plain = {"metadata": {"name": name}, "provisioner": "p", "allowVolumeExpansion": grows}
        reader.add(STORAGECLASSES, plain, "")
    attributes = write(
        new, old=old, resource=PERSISTENTVOLUMECLAIMS, operation="UPDATE", reader=reader
    )
    text = f'persistentvolumeclaims "c" is forbidden: {problem}' if problem else ""
    assert await judged(PersistentVolumeClaimResize(), attributes) == text
