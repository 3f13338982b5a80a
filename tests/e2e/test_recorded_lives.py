"""Lives of Pods as a Kubernetes 1.25 node took them through, played here.

Each scenario has a namespace of its own; many are played at a time, and what was seen is compared
one by one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from podium.client import transport
from podium.client.client import Client
from podium.client.config import ClientConfig
from support.agnhost import NAME as AGNHOST
from support.agnhost import agnhost_archive
from support.cluster import Cluster
from support.images import Entry, busybox_archive, layer
from support.lives import PATIENCE, Life, living
from support.recorded import Recorded, differences

#: Whichever test comes first waits for all lives.
pytestmark = pytest.mark.timeout(900)
RECORDED = Path(__file__).resolve().parents[1] / "golden" / "kubelet"
NAMES = sorted(path.stem for path in (RECORDED / "golden").glob("*.json"))
#: Scenarios at a time. They mostly wait: for a second that must pass, for a back-off.
AT_ONCE = 12
IMAGES = ("docker.io/library/busybox:1.36", "registry.k8s.io/e2e-test-images/busybox:1.29-2")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = b"root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:\n"


async def play(cluster: Cluster, names: list[str]) -> dict[str, list[str] | BaseException]:
    """Play scenarios; return what was different, or why a scenario could not be played."""
    turns = asyncio.Semaphore(AT_ONCE)
    words = {str(cluster.data_dir / "kubelet"): "KUBELET_ROOT"}

    async def one(client: Client, name: str, scenario: Any, golden: Any) -> list[str]:
        expected = Recorded(golden)
        async with turns, living(client, scenario, f"life-{name}", words, expected) as life:
            return differences(golden, life)

    recorded = [(name, *_recorded(name)) for name in names]  # now: who connects is not to wait
    patience = dict.fromkeys(("CONNECT_TIMEOUT", "REQUEST_TIMEOUT"), PATIENCE)
    config = ClientConfig.from_kubeconfig(cluster.kubeconfig)
    with mock.patch.multiple(transport, **patience):
        async with Client(config) as client:
            found = await asyncio.gather(
                *(one(client, *each) for each in recorded), return_exceptions=True
            )
    return dict(zip(names, found, strict=True))


def _recorded(name: str) -> tuple[Any, Any]:
    """A scenario, and what came of it."""
    scenario = (RECORDED / "scenarios" / f"{name}.yaml").read_text()
    golden = (RECORDED / "golden" / f"{name}.json").read_text()
    return yaml.load(scenario, yaml.CSafeLoader), json.loads(golden)


@pytest.fixture(scope="module")
def seen(
    shared: Cluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, list[str] | BaseException]]:
    """The lives that this run of pytest has tests for."""
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    names = [name for name in NAMES if {"name": name} in asked]
    accounts = layer(Entry("etc/passwd", PASSWD))
    archive = busybox_archive(
        tmp_path_factory.mktemp("busybox") / "busybox.tar", *IMAGES, env=[PATH], layers=[accounts]
    )
    agnhost = agnhost_archive(tmp_path_factory.mktemp("agnhost") / "agnhost.tar")
    for loaded in (archive, agnhost):
        shared.podium("image", "load", str(loaded))
    yield asyncio.run(play(shared, names))
    for image in (*IMAGES, AGNHOST):
        shared.podium("image", "rm", "--force", image, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_life_is_as_it_was_recorded(seen: dict[str, list[str] | BaseException], name: str):
    found = seen[name]
    if isinstance(found, BaseException):
        raise found
    assert found == []


def test_a_life_that_differs_is_told(shared: Cluster):
    """The comparison itself: nothing seen is not the same as what was recorded."""
    golden = json.loads((RECORDED / "golden" / "run-never-exit1.json").read_text())

    async def idle() -> list[str]:
        async with Client(ClientConfig.from_kubeconfig(shared.kubeconfig)) as client:
            return differences(golden, Life(client, {}, "nothing", "node-1"))

    told = "\n".join(asyncio.run(idle()))
    assert "final/p/phase: recorded 'Failed', here None" in told
    assert "p/c: no 'running ready started restarts=0' at its place" in told
    assert "missing event: Normal Started Pod/p spec.containers{c} (kubelet)" in told
    assert "log p/c: recorded 'hello\\n', here None" in told
