"""cluster.node: where a node keeps its Pods' secrets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from podium.cluster.config import ClusterConfig
from podium.cluster.node import keep_in_memory, kubelet_options
from podium.kubelet.config import KubeletConfiguration
from podium.runtime import linux
from support.ports import free_port


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Path]:
    if linux.filesystem(str(tmp_path)) == "tmpfs":
        pytest.skip("pytest's temporary directory is on a tmpfs itself")
    directory = tmp_path / "run" / "kubelet"
    yield directory
    while linux.umount(str(directory)):
        pass


def test_a_directory_on_a_disk_becomes_a_tmpfs_once(on_disk: Path):
    for _ in range(2):
        keep_in_memory(on_disk)
    assert linux.filesystem(str(on_disk)) == "tmpfs"
    assert on_disk.stat().st_mode & 0o777 == 0o700
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    assert [line.split()[4] for line in mounts].count(str(on_disk)) == 1


def test_a_directory_on_a_tmpfs_stays_as_it_is(on_disk: Path):
    keep_in_memory(on_disk)
    inner = on_disk / "inner"
    keep_in_memory(inner)
    assert inner.is_dir()
    assert not os.path.ismount(inner)


def test_the_doors_place_and_certificate_are_the_files_or_the_clusters(tmp_path: Path):
    config = ClusterConfig(id="x", data_dir=tmp_path, run_dir=tmp_path / "run", bind="127.0.0.1")
    settings = KubeletConfiguration(
        address="127.0.0.1", tls_cert_file="/c", tls_private_key_file="/k"
    )
    options = kubelet_options(config, settings)
    assert (options.bind_address, options.tls_cert_file, options.tls_key_file) == (
        "127.0.0.1", "/c", "/k"
    )  # fmt: skip
    with socket.socket() as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        elsewhere = kubelet_options(config, replace(settings, port=port))
        assert elsewhere.port not in (0, port), "a port that is taken is left alone"
    assert kubelet_options(config, replace(settings, port=port)).port == port
