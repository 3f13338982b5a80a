"""Descriptions, where the package that has them is installed, and where it is not."""

from __future__ import annotations

import pytest

from podium.api import schema
from podium.apiserver.openapi import prose

POD_SPEC = "io.k8s.api.core.v1.PodSpec"


@pytest.fixture(autouse=True)
def _read_anew():
    prose._published.cache_clear()
    yield
    prose._published.cache_clear()


def test_fields_and_definitions_are_described():
    found = prose.described(schema.all_definitions())[POD_SPEC]
    assert found["description"] == "PodSpec is a description of a pod."
    assert found["properties"]["nodeName"]["description"].startswith("NodeName indicates in which")
    assert found["properties"]["nodeName"]["type"] == "string"
    assert "description" not in schema.definition(POD_SPEC), "what others read stays as it is"


def test_without_the_package_there_is_no_prose(monkeypatch):
    monkeypatch.setattr(prose, "PACKAGE", "no-such-package")
    definitions = schema.all_definitions()
    assert prose.described(definitions) is definitions
