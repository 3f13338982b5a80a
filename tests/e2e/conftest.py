"""One real cluster per test process, with the demo image; a namespace of its own per test."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import REPOSITORY, Cluster, cluster, run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def demo_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo image's archive; its tag is ``localhost/kuard:demo``."""
    path = tmp_path_factory.mktemp("image") / "kuard.tar"
    run(sys.executable, REPOSITORY / "tools/demo_image.py", str(path))
    return path


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, demo_image: Path) -> Iterator[Cluster]:
    """A cluster for tests that leave it as it was."""
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        running.podium("image", "load", str(demo_image))
        yield running


_numbers = itertools.count()


@pytest.fixture
def namespace(shared: Cluster) -> Iterator[str]:
    """A fresh namespace; deleted, with all that is in it, at the end."""
    with shared.namespace(f"test-{next(_numbers)}") as name:
        yield name
