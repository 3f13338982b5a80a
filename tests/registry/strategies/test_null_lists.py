"""Lists that Go writes without ``omitempty``: ``null`` when they are empty, as upstream's store,
which does not tell an empty list from none, gives them back."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import (
    CLUSTERROLES,
    CSINODES,
    ENDPOINTSLICES,
    HORIZONTALPODAUTOSCALERS,
    LIMITRANGES,
    ROLES,
    Resource,
)
from podium.registry.strategies import strategy_for


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        pytest.param(LIMITRANGES, ("spec", "limits"), id="limits"),
        pytest.param(ENDPOINTSLICES, ("endpoints",), id="endpoints"),
        pytest.param(ENDPOINTSLICES, ("ports",), id="ports"),
        pytest.param(CSINODES, ("spec", "drivers"), id="drivers"),
        pytest.param(ROLES, ("rules",), id="rules"),
        pytest.param(CLUSTERROLES, ("rules",), id="cluster-wide-rules"),
        pytest.param(HORIZONTALPODAUTOSCALERS, ("status", "currentMetrics"), id="metrics"),
    ],
)
@pytest.mark.parametrize("sent", ["nothing", "null", "empty"])
def test_an_empty_list_is_written_as_null(
    resource: Resource, path: tuple[str, ...], sent: str
) -> None:
    body: dict[str, Any] = {"metadata": {"name": "a"}}
    if sent != "nothing":
        value: Any = None if sent == "null" else []
        for name in reversed(path):
            value = {name: value}
        body.update(value)
    obj, _ = codec.decode(resource, codec.encode(body))
    strategy_for(resource).default(obj)
    shown = codec.to_plain(obj)
    for name in path:
        shown = shown[name]
    assert shown is None
