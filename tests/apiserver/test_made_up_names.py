"""Names that clients make up leave nothing behind, however many they are."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable

import pytest

from podium.api import protobuf
from podium.api.errors import ApiError
from podium.api.types.meta_v1 import DeleteOptions
from podium.apiserver import discovery, paths, routes
from podium.apiserver.errors import PathNotFound
from podium.apiserver.openapi import documents
from support.protobuf_writer import delimited

COUNT, LENGTH = 2000, 200


def route(name: str) -> None:
    with contextlib.suppress(ApiError, PathNotFound):
        routes.find(paths.read("GET", f"/apis/{name}/v2/things?{'x' * 256}")[0])


def options(name: str) -> None:
    """Options of a deletion are the same in every version."""
    kind = delimited(1, name.encode()) + delimited(2, b"DeleteOptions")
    protobuf.decode(protobuf.MAGIC + delimited(1, kind), DeleteOptions)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda name: discovery.resource_list(name, "v1"), id="group"),
        pytest.param(lambda name: discovery.resource_list("", name), id="version"),
        pytest.param(lambda name: documents.v3(f"apis/{name}/v1"), id="openapi"),
        pytest.param(route, id="resource"),
        pytest.param(options, id="protobuf"),
    ],
)
def test_names_that_are_made_up(ask: Callable[[str], object]) -> None:
    for number in range(300):  # what is remembered of the last ones is full
        ask(f"{number}-before".ljust(LENGTH, "x"))
    tracemalloc.start()
    try:
        for number in range(COUNT):
            ask(f"{number}".ljust(LENGTH, "x"))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < COUNT * LENGTH * 0.8
