"""Definitions as a server gives them."""

from __future__ import annotations

from podium.api import schema
from podium.apiserver.openapi import documents, enums
from podium.apiserver.openapi.schemas import schemas_v2

POD = "io.k8s.api.core.v1.Pod"


def test_api_version_and_kind_are_any_string_and_keep_their_prose() -> None:
    fields = schemas_v2(documents._definitions(), [POD])[POD]["properties"]
    for name in ("apiVersion", "kind"):
        assert fields[name].keys() == {"type", "description"}


def test_fields_of_a_few_values_list_them() -> None:
    fields = documents._definitions()["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert fields["restartPolicy"]["enum"] == ["Always", "Never", "OnFailure"]
    assert fields["restartPolicy"]["description"].endswith(
        '\n\nPossible enum values:\n - `"Always"`\n - `"Never"`\n - `"OnFailure"`'
    )
    assert "enum" not in fields["nodeName"]


def test_values_are_of_fields_that_there_are_and_in_order() -> None:
    for name, fields in enums._fields().items():
        for field, values in fields.items():
            assert schema.definition(name)["properties"][field]["type"] == "string"
            assert values == sorted(set(values))


def test_without_prose_the_values_are_listed_all_the_same() -> None:
    listed = enums.with_values(schema.all_definitions())
    field = listed["io.k8s.api.core.v1.ServiceSpec"]["properties"]["type"]
    assert field == {
        "type": "string",
        "enum": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    }
