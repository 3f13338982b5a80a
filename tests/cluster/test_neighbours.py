"""What clusters of one machine have for themselves, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.cluster import neighbours
from podium.cluster.config import ClusterConfig, ConfigError


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared"


def cluster(tmp_path: Path, number: int, **changes: str) -> ClusterConfig:
    settings = {
        "pod_cidr": f"10.{number}.0.0/16",
        "service_cidr": f"10.{100 + number}.0.0/16",
        **changes,
    }
    made = ClusterConfig(
        id=f"0000000{number}",
        data_dir=tmp_path / f"data-{number}",
        run_dir=tmp_path / changes.pop("run", f"run-{number}"),
        node_name="n",
        pod_cidr=settings["pod_cidr"],
        service_cidr=settings["service_cidr"],
    )
    made.data_dir.mkdir()
    return made


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pod_cidr": "10.1.7.0/24"}, "--pod-cidr 10.1.7.0/24 overlaps 10.1.0.0/16"),
        ({"pod_cidr": "10.101.7.0/24"}, "--pod-cidr 10.101.7.0/24 overlaps 10.101.0.0/16"),
        ({"service_cidr": "10.0.0.0/8"}, "--service-cidr 10.0.0.0/8 overlaps 10.1.0.0/16"),
        ({"service_cidr": "10.101.0.0/16"}, "--service-cidr 10.101.0.0/16 overlaps"),
        ({"run": "run-1"}, "--run-dir"),
    ],
    ids=["pods-pods", "pods-services", "services-pods", "services-services", "run-dir"],
)
def test_what_another_cluster_has_is_refused(tmp_path, shared, changes, said):
    neighbours.claim(cluster(tmp_path, 1), shared)
    two = cluster(tmp_path, 2, **changes)
    for ask in (neighbours.check, neighbours.claim):
        with pytest.raises(ConfigError) as caught:
            ask(two, shared)
        assert said in str(caught.value)
        assert str(tmp_path / "data-1") in str(caught.value)
    assert list(two.data_dir.iterdir()) == []


def test_a_cluster_may_claim_again_and_change_its_mind(tmp_path, shared):
    one = cluster(tmp_path, 1)
    for _ in range(2):
        neighbours.claim(one, shared)
    neighbours.claim(cluster(tmp_path, 2), shared)


def test_what_was_released_is_free(tmp_path, shared):
    one = cluster(tmp_path, 1)
    neighbours.claim(one, shared)
    for _ in range(2):
        neighbours.release(one, shared)
    neighbours.claim(cluster(tmp_path, 2, pod_cidr="10.1.0.0/16"), shared)


def test_a_cluster_whose_data_directory_is_gone_has_nothing(tmp_path, shared):
    one = cluster(tmp_path, 1)
    neighbours.claim(one, shared)
    (one.data_dir / "cluster.json").unlink()
    neighbours.claim(cluster(tmp_path, 2, pod_cidr="10.1.0.0/16"), shared)


def test_claims_end_with_the_boot(tmp_path, shared, monkeypatch):
    neighbours.claim(cluster(tmp_path, 1), shared)
    later = tmp_path / "boot_id"
    later.write_text("another boot\n")
    monkeypatch.setattr(neighbours, "_BOOT_ID", later)
    neighbours.claim(cluster(tmp_path, 2, pod_cidr="10.1.0.0/16"), shared)
