"""One real cluster for all clients, with the demo image; a namespace of its own per test."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import KUBECTL, REPOSITORY, Cluster, cluster, run
from support.kubectls import Kubectl
from support.relay import Relay, relay


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that has the image ``localhost/kuard:demo``."""
    image = tmp_path_factory.mktemp("image") / "kuard.tar"
    run(sys.executable, REPOSITORY / "tools/demo_image.py", str(image))
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        running.podium("image", "load", str(image))
        yield running


@pytest.fixture(scope="module")
def rubbish() -> Iterator[None]:
    """For clients that leave connections open: they are collected before the next module."""
    yield
    gc.collect()


_numbers = itertools.count()


@pytest.fixture
def namespace(shared: Cluster) -> Iterator[str]:
    """A fresh namespace; deleted, with all that is in it, at the end."""
    with shared.namespace(f"client-{next(_numbers)}") as name:
        yield name


@pytest.fixture
def kubectl(shared: Cluster, namespace: str, version: str) -> Kubectl:
    """A kubectl of the test's *version* in the test's namespace."""
    if not KUBECTL[version].exists():
        pytest.skip(f"there is no kubectl {version}: tools/fetch_kubectl.py could not fetch it")
    return Kubectl(shared, namespace, version)


@pytest.fixture
def relayed(shared: Cluster, tmp_path: Path) -> Iterator[Relay]:
    """A way to the API server on which all connections can be cut: ``relayed.cut()``."""
    with relay(shared, tmp_path) as made:
        yield made
