"""What `podium down --purge` removes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from podium.cluster.config import make
from podium.cluster.down import purge


def test_only_what_is_the_clusters_own_goes(tmp_path: Path):
    config = make(tmp_path, {})
    config.save()
    for path in config.own_files:
        if not path.suffix and path != config.kubeconfig:
            path.mkdir()
    for name in ("state.db", "state.db-wal", "kubeconfig", "notes.txt"):
        (tmp_path / name).write_text("")
    purge(config)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_directory_goes_too(tmp_path: Path):
    config = make(tmp_path / "data", {})
    config.data_dir.mkdir()
    config.save()
    purge(config)
    assert list(tmp_path.iterdir()) == []
