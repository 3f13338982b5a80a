"""Validation of metadata."""

from datetime import UTC, datetime

import pytest

from podium.api import meta, names
from podium.api.types import core_v1
from podium.api.types.meta_v1 import ManagedFieldsEntry, ObjectMeta, OwnerReference

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def created(namespaced=True, **members):
    members = {"name": "p", **({"namespace": "ns"} if namespaced else {})} | members
    errors = meta.validate_object_meta(
        ObjectMeta(**members), namespaced, names.name_is_dns_subdomain
    )
    return [str(error) for error in errors]


def owner(**members):
    defaults = {"api_version": "v1", "kind": "Pod", "name": "o", "uid": "u"}
    return OwnerReference(**defaults | members)


def test_fine_metadata():
    assert (
        created(
            labels={"a/b": "c", "d": ""},
            annotations={"A/b": "anything\n"},
            finalizers=["example.com/x", "orphan", "kubernetes"],
            owner_references=[owner(controller=True), owner(uid="v")],
            managed_fields=[ManagedFieldsEntry(operation="Apply", fields_type="FieldsV1")],
        )
        == []
    )
    assert created(namespaced=False) == []


NOT_EMPTY = 'Invalid value: "": {0} must not be empty'
FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"


@pytest.mark.parametrize(
    ("members", "errors"),
    [
        pytest.param(
            {"name": ""},
            ["metadata.name: Required value: name or generateName is required"],
            id="no-name",
        ),
        pytest.param({"namespace": ""}, ["metadata.namespace: Required value"], id="no-namespace"),
        pytest.param(
            {"generation": -1},
            ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
            id="negative-generation",
        ),
        pytest.param(
            {"annotations": {"a": "x" * 262144}},
            ["metadata.annotations: Too long: must have at most 262144 bytes"],
            id="large-annotations",
        ),
        pytest.param(
            {"finalizers": ["nodomain"]},
            [f'metadata.finalizers[0]: Invalid value: "nodomain": {FINALIZER}'],
            id="unqualified-finalizer",
        ),
        pytest.param(
            {"finalizers": ["orphan", "foregroundDeletion"]},
            [
                'metadata.finalizers: Invalid value: []string{"orphan", "foregroundDeletion"}: '
                "finalizer orphan and foregroundDeletion cannot be both set"
            ],
            id="contradicting-finalizers",
        ),
        pytest.param(
            {"owner_references": [owner(kind="", name="", uid="")]},
            [
                f"metadata.ownerReferences.{name}: {NOT_EMPTY.format(name)}"
                for name in ("kind", "name", "uid")
            ],
            id="incomplete-owner",
        ),
        pytest.param(
            {"owner_references": [owner(api_version="")]},
            ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty'],
            id="owner-without-version",
        ),
        pytest.param(
            {"owner_references": [owner(kind="Event")]},
            [
                'metadata.ownerReferences: Invalid value: v1.OwnerReference{APIVersion:"v1", '
                'Kind:"Event", Name:"o", UID:"u", Controller:(*bool)(nil), '
                "BlockOwnerDeletion:(*bool)(nil)}: /v1, Kind=Event is disallowed from being an "
                "owner"
            ],
            id="event-as-owner",
        ),
        pytest.param(
            {"managed_fields": [ManagedFieldsEntry(operation="Guess", fields_type="X")]},
            [
                'metadata.managedFields[0].operation: Invalid value: "Guess": must be `Apply` or '
                "`Update`",
                'metadata.managedFields[0].fieldsType: Invalid value: "X": must be `FieldsV1`',
            ],
            id="managed-fields",
        ),
    ],
)
def test_what_creation_refuses(members, errors):
    assert created(**members) == errors


def test_names_labels_and_annotations_are_checked():
    errors = created(
        name="A",
        generate_name="Bad_-",
        namespace="C",
        labels={"a b": "c d"},
        annotations={"e f": ""},
    )
    assert [error.partition(": ")[0] for error in errors] == [
        "metadata.generateName",
        "metadata.name",
        "metadata.namespace",
        "metadata.labels",
        "metadata.labels",
        "metadata.annotations",
    ]


def test_a_namespace_where_there_is_none():
    assert created(namespaced=False, namespace="x") == [
        "metadata.namespace: Forbidden: not allowed on this type"
    ]


def test_there_is_one_controller_at_most():
    errors = created(
        owner_references=[owner(name="a", controller=True), owner(name="b", controller=True)]
    )
    assert len(errors) == 1
    assert errors[0].endswith(
        'Only one reference can have Controller set to true. Found "true" in references for a and b'
    )
    assert "[]v1.OwnerReference{v1.OwnerReference{" in errors[0]


OLD = {
    "name": "p",
    "namespace": "ns",
    "uid": "u",
    "creation_timestamp": NOW,
    "resource_version": "5",
    "generation": 2,
}


def updated(old=None, **members):
    errors = meta.validate_object_meta_update(
        ObjectMeta(**OLD | members), ObjectMeta(**OLD | (old or {}))
    )
    return [str(error) for error in errors]


def test_a_fine_update():
    assert updated(labels={"a": "b"}, finalizers=["a/b"], generation=3) == []


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"name": "q"}, 'metadata.name: Invalid value: "q": field is immutable'),
        ({"namespace": "q"}, 'metadata.namespace: Invalid value: "q": field is immutable'),
        ({"uid": "q"}, 'metadata.uid: Invalid value: "q": field is immutable'),
        (
            {"creation_timestamp": NOW.replace(year=2025)},
            "metadata.creationTimestamp: Invalid value: 2025-01-02 03:04:05 +0000 UTC: field is "
            "immutable",
        ),
        (
            {"deletion_timestamp": NOW},
            "metadata.deletionTimestamp: Invalid value: 2024-01-02 03:04:05 +0000 UTC: field is "
            "immutable",
        ),
        (
            {"deletion_grace_period_seconds": 5},
            "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable",
        ),
        (
            {"resource_version": ""},
            'metadata.resourceVersion: Invalid value: "": must be specified for an update',
        ),
        (
            {"generation": 1},
            "metadata.generation: Invalid value: 1: must not be decremented",
        ),
    ],
    ids=str,
)
def test_what_an_update_cannot_change(members, error):
    assert updated(**members) == [error]


def test_no_finalizer_comes_to_what_is_being_deleted():
    errors = updated(
        {"deletion_timestamp": NOW, "finalizers": ["a/b", "c/d"]},
        deletion_timestamp=NOW,
        finalizers=["c/d", "z/z", "e/f"],
    )
    assert errors == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
        'deleted, found new finalizers []string{"e/f", "z/z"}'
    ]


@pytest.mark.parametrize(
    ("manager", "errors"),
    [
        ("kubectl", []),
        ("m" * 129, ["fieldManager: Too long: must have at most 128 bytes"]),
        (
            "a\nb",
            [
                'fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
            ],
        ),
    ],
)
def test_field_managers(manager, errors):
    found = meta.validate_field_manager(manager, meta.Path("fieldManager"))
    assert [str(error) for error in found] == errors


def test_helpers():
    pod = core_v1.Pod(metadata=ObjectMeta(name="p", namespace="ns", uid="u"))
    node = core_v1.Node(metadata=ObjectMeta(name="n"))
    reference = meta.owner_reference(pod, controller=True)
    assert (reference.kind, reference.name, reference.controller) == ("Pod", "p", True)
    node.metadata.owner_references = [meta.owner_reference(pod), reference]
    assert meta.controller_of(node) is reference
    assert meta.controller_of(pod) is None


def test_of_finalizers_without_number_some_are_told():
    assert len(created(finalizers=["no domain"] * 300_000)) == 2 * 10_000
