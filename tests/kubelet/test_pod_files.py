from __future__ import annotations

import os

import pytest

from podium.kubelet.pod_files import LARGEST_FILE, read_in_volume


def test_a_file_that_a_container_left(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "env").write_text("A='1'\n")
    (tmp_path / "link").symlink_to("/a/env")  # as the container sees it
    assert read_in_volume(tmp_path, "a/env") == "A='1'\n"
    assert read_in_volume(tmp_path, "link") == "A='1'\n"


def test_nothing_outside_of_the_volume_and_nothing_but_files(tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "secret").write_text("A='1'")
    (volume / "up").symlink_to("../secret")
    (volume / "whole").symlink_to(tmp_path / "secret")
    os.mkfifo(volume / "pipe")
    (volume / "directory").mkdir()
    (volume / "large").write_bytes(bytes(LARGEST_FILE + 1))
    for name, why in (
        ("up", "No such file"),
        ("whole", "No such file"),
        ("../secret", "No such file"),
        ("nosuch", "No such file"),
        ("pipe", "not a plain file"),
        ("directory", "not a plain file"),
        ("large", "File too large"),
    ):
        with pytest.raises(OSError, match=why):
            read_in_volume(volume, name)
