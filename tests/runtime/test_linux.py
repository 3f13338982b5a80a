"""runtime.linux: the calls that need care: paths out of a root, threads that do not last."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from podium.runtime import linux
from podium.runtime.oci.rootfs_mount import read_in_root


def test_no_link_of_an_image_leads_to_the_hosts_files(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("the host's")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "up").symlink_to("../../secret")
    (root / "etc" / "absolute").symlink_to(secret)
    (root / "etc" / "inside").symlink_to("/etc/real")
    (root / "etc" / "real").write_text("the image's")
    assert read_in_root(str(root), "/etc/up") == ""
    assert read_in_root(str(root), "/etc/absolute") == ""
    assert read_in_root(str(root), "/etc/inside") == "the image's"


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo"])
def test_what_is_no_file_is_empty(tmp_path: Path, kind: str):
    if kind == "directory":
        (tmp_path / "passwd").mkdir()
    elif kind == "fifo":
        os.mkfifo(tmp_path / "passwd")
    assert read_in_root(str(tmp_path), "/passwd") == ""


def test_a_threads_own_directory_stays_its_own(tmp_path: Path):
    here = os.getcwd()

    def work() -> int:
        linux.unshare(linux.CLONE_FS)
        os.chdir(tmp_path)
        return threading.get_native_id()

    assert linux.in_own_thread(work) != threading.get_native_id()
    assert os.getcwd() == here


def test_a_threads_failure_is_the_callers():
    def work() -> None:
        raise OSError(5, "broken")

    with pytest.raises(OSError, match="broken"):
        linux.in_own_thread(work)


def test_unmounting_what_is_not_mounted(tmp_path: Path):
    assert linux.umount(str(tmp_path)) is False
    assert linux.umount(str(tmp_path / "nosuch")) is False
