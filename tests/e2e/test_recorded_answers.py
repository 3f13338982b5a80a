"""Answers of a Kubernetes 1.25 cluster, recorded, and the same requests and command lines here.

The cases are those for which more than an API server is needed, or more than one connection:
transcripts of kubectl (1.37), watches, what controllers see to. Their texts are those of Kubernetes
(Apache License 2.0).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from podium.client.config import ClientConfig
from podium.client.credentials import Credentials
from support.cluster import KUBECTL, Cluster
from support.recorded_api import Player

#: Whichever test comes first waits for all answers.
pytestmark = pytest.mark.timeout(900)
RECORDED = Path(__file__).resolve().parents[1] / "golden" / "api" / "cluster"
NAMES = sorted(path.stem for path in RECORDED.glob("*.json"))
AT_ONCE = 4
NODE = "gold-node"

Found = dict[str, list[str] | BaseException]


def _session(cluster: Cluster) -> ClientSession:
    """A plain HTTP client of the administrator."""
    config = ClientConfig.from_kubeconfig(cluster.kubeconfig)
    context, headers = Credentials(config).at(0.0)
    assert context is not None
    connector = TCPConnector(ssl=context)
    return ClientSession(config.server, connector=connector, headers=headers)


async def play(cluster: Cluster, names: list[str]) -> Found:
    turns = asyncio.Semaphore(AT_ONCE)
    async with _session(cluster) as session:
        player = Player(session, KUBECTL["1.37"], cluster.kubeconfig)

        async def one(name: str) -> list[str]:
            async with turns:
                return await player.differences(json.loads((RECORDED / f"{name}.json").read_text()))

        found = await asyncio.gather(*map(one, names), return_exceptions=True)
    return dict(zip(names, found, strict=True))


@pytest.fixture(scope="module")
def found(shared: Cluster, request: pytest.FixtureRequest) -> Found:
    """The differences of the cases that this run of pytest has tests for."""
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    with node(shared):
        return asyncio.run(play(shared, [name for name in NAMES if {"case": name} in asked]))


@contextlib.contextmanager
def node(shared: Cluster) -> Iterator[None]:
    """The node that cases say their Pods are bound to: else these are orphans, and garbage after
    forty seconds."""
    made = {"metadata": {"name": NODE}, "spec": {"unschedulable": True}}
    assert shared.request("POST", "/api/v1/nodes", made)[0] == 201
    try:
        yield
    finally:
        assert shared.request("DELETE", f"/api/v1/nodes/{NODE}")[0] == 200


@pytest.mark.parametrize("case", NAMES)
def test_it_answers_as_recorded(found: Found, case: str) -> None:
    differences = found[case]
    if isinstance(differences, BaseException):
        raise differences
    assert differences == []


def test_what_differs_is_told(shared: Cluster) -> None:
    """The comparison itself."""
    case = {
        "steps": [
            {"kubectl": "version --client", "expect": {"code": 1}, "view": "code"},
            {"method": "GET", "path": "/version", "pick": ["/major"],
             "expect": {"code": 200, "headers": {"Content-Type": "application/json"},
                        "body": {"/major": "2"}}},
        ]
    }  # fmt: skip

    async def told() -> list[str]:
        async with _session(shared) as session:
            return await Player(session, KUBECTL["1.37"], shared.kubeconfig).differences(case)

    first, second = asyncio.run(told())
    assert first == "step 1: recorded {'code': 1}, here {'code': 0}"
    assert second.startswith("step 2: recorded ")
    assert second.endswith("'body': {'/major': '1'}}")
