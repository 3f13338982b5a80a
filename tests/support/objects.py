"""Objects for tests, written as plain values and completed as the API server does."""

from __future__ import annotations

from typing import Any

from podium.api import codec
from podium.api.defaults.pods import set_defaults_pod
from podium.api.types.core_v1 import Pod


def pod(spec: dict[str, Any] | None = None, **metadata: Any) -> Pod:
    """Return a Pod with defaults filled in; without containers given it has one."""
    spec = {"containers": [{"name": "c", "image": "app:1"}], **(spec or {})}
    obj = codec.from_plain(Pod, {"metadata": {"name": "p", **metadata}, "spec": spec})
    obj.metadata.namespace = "default"
    set_defaults_pod(obj)
    return obj


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "c", "image": "app:1", **fields}
