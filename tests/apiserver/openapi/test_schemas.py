"""Definitions as a server gives them."""

from __future__ import annotations

from podium.apiserver.openapi import documents
from podium.apiserver.openapi.schemas import schemas_v2

POD = "io.k8s.api.core.v1.Pod"


def test_api_version_and_kind_are_any_string_and_keep_their_prose() -> None:
    fields = schemas_v2(documents._definitions(), [POD])[POD]["properties"]
    for name in ("apiVersion", "kind"):
        assert fields[name].keys() == {"type", "description"}
