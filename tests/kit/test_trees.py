"""Directories that somebody else fills: links and mounts in them lead nowhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.kit import trees
from podium.runtime import linux


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    directory = tmp_path / "root"
    directory.mkdir()
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def target(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def test_links_that_stay_below_are_followed(root, tmp_path):
    (tmp_path / "root/real").mkdir()
    (tmp_path / "root/link").symlink_to("real")
    assert target(trees.open_beneath(root, "link")) == str(tmp_path / "root/real")


@pytest.mark.parametrize("aim", ["/etc", "..", "../other", "real/../../other"])
def test_links_that_lead_out_are_refused(root, tmp_path, aim):
    (tmp_path / "other").mkdir()
    (tmp_path / "root/real").mkdir()
    (tmp_path / "root/link").symlink_to(aim)
    with pytest.raises(OSError, match="cross-device") as caught:
        trees.open_beneath(root, "link")
    assert caught.value.errno == errno.EXDEV
    with pytest.raises(OSError, match="cross-device"):
        trees.make_beneath(root, "link/new", 0o755)
    assert not (tmp_path / "other/new").exists()


def test_a_dangling_link_is_not_made_good(root, tmp_path):
    (tmp_path / "root/link").symlink_to("/nowhere/at/all")
    with pytest.raises(OSError, match="link"):
        trees.make_beneath(root, "link", 0o755)


def test_directories_are_made_with_the_mode_asked_for(root, tmp_path):
    before = os.umask(0o077)
    try:
        made = target(trees.make_beneath(root, "a/b", 0o777))
    finally:
        os.umask(before)
    assert made == str(tmp_path / "root/a/b")
    for path in (tmp_path / "root/a", tmp_path / "root/a/b"):
        assert path.stat().st_mode & 0o7777 == 0o777
    (tmp_path / "root/a").chmod(0o700)
    os.close(trees.make_beneath(root, "a/b", 0o755))
    assert (tmp_path / "root/a").stat().st_mode & 0o7777 == 0o700, "what is there stays as it is"


def test_new_directories_keep_their_parents_group(root, tmp_path):
    os.chown(tmp_path / "root", -1, 4711)
    (tmp_path / "root").chmod(0o2770)
    os.close(trees.make_beneath(root, "a/b", 0o770))
    found = (tmp_path / "root/a/b").stat()
    assert (found.st_gid, found.st_mode & 0o7777) == (4711, 0o2770)


# -- removal


def test_links_are_removed_and_not_followed(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a/out").symlink_to(kept)
    (tree / "out").symlink_to(kept / "file")
    trees.remove_tree(tree)
    assert not tree.exists()
    assert (kept / "file").read_text() == "x"


def test_what_is_not_there_is_gone_already(tmp_path):
    trees.remove_tree(tmp_path / "nothing")
    trees.remove_tree(tmp_path / "nothing/at/all")


def test_a_tree_deeper_than_any_path_and_than_the_stack(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    current = os.open(tree, os.O_PATH)
    for _ in range(1100):
        os.mkdir("directory", dir_fd=current)
        following = os.open("directory", os.O_PATH, dir_fd=current)
        os.close(current)
        current = following
    os.close(current)
    trees.remove_tree(tree)
    assert not tree.exists()


@pytest.mark.parametrize("place", ["tree", "tree/a/b"])
def test_what_is_mounted_below_is_not_touched(tmp_path, place):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    point = tmp_path / place
    point.mkdir(parents=True)
    linux.mount(str(precious), str(point), flags=linux.MS_BIND)
    try:
        with pytest.raises(OSError, match="cross-device"):
            trees.remove_tree(tmp_path / "tree")
    finally:
        linux.umount(str(point))
    assert (precious / "file").read_text() == "x"
    trees.remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
