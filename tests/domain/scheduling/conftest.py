"""Small Pods and nodes for tests of scheduling."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from podium.api.types.core_v1 import Node, Pod

_uids = itertools.count(1)


def make_pod(name: str = "p", *, requests: dict[str, str] | None = None, **spec: Any) -> Pod:
    containers = [{"name": "c", "resources": {"requests": requests or {}}}]
    document = {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{next(_uids)}"},
        "spec": {"containers": containers, **spec},
    }
    return msgspec.convert(document, Pod)


def make_node(
    name: str = "node",
    *,
    labels: dict[str, str] | None = None,
    taints: list[dict[str, str]] | None = None,
    unschedulable: bool = False,
    **allocatable: str,
) -> Node:
    amounts = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    amounts.update({key.replace("_", "-"): value for key, value in allocatable.items()})
    document = {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": taints or [], "unschedulable": unschedulable},
        "status": {"allocatable": amounts},
    }
    return msgspec.convert(document, Node)


@pytest.fixture(scope="session")
def pod():
    return make_pod


@pytest.fixture(scope="session")
def node():
    return make_node
