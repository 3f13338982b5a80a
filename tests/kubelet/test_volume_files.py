"""Volumes on the node's disk: types of host paths, owners, parts, and removal."""

from __future__ import annotations

import os
import resource
import socket
import stat
from pathlib import Path

import pytest

from podium.domain.pods.volume_files import VolumeFile, VolumeProblem
from podium.kubelet.volumes import atomic_writer, empty_dir, host_path, ownership, sub_paths
from podium.kubelet.volumes.removal import remove
from podium.runtime import linux
from podium.runtime.mounts import parse, unmount_below
from support.pods import NOW


@pytest.fixture
def things(tmp_path: Path) -> Path:
    (tmp_path / "Directory").mkdir()
    (tmp_path / "File").write_text("x")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "Socket"))
    os.mknod(tmp_path / "CharDevice", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.mknod(tmp_path / "BlockDevice", stat.S_IFBLK | 0o600, os.makedev(7, 0))
    return tmp_path


KINDS = {
    "Directory": "a directory",
    "File": "a file",
    "Socket": "a socket file",
    "CharDevice": "a character device",
    "BlockDevice": "a block device",
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_of_the_type_is_accepted(things, kind):
    for thing in KINDS:
        path = str(things / thing)
        if thing == kind:
            host_path.check(path, kind)
            continue
        with pytest.raises(VolumeProblem) as caught:
            host_path.check(path, kind)
        assert str(caught.value) == f"hostPath type check failed: {path} is not {KINDS[kind]}"
    for nothing in (None, ""):
        host_path.prepare(str(things / "nothing"), nothing)
    assert not (things / "nothing").exists()


def test_what_is_missing_is_made_where_the_type_says_so(tmp_path):
    host_path.prepare(str(tmp_path / "a/b"), "DirectoryOrCreate")
    host_path.prepare(str(tmp_path / "file"), "FileOrCreate")
    assert (tmp_path / "a/b").is_dir()
    assert (tmp_path / "file").stat().st_size == 0
    with pytest.raises(VolumeProblem, match=r"file is not a directory$"):
        host_path.prepare(str(tmp_path / "file"), "DirectoryOrCreate")
    with pytest.raises(VolumeProblem, match=r"^open .*/no/file: no such file or directory$"):
        host_path.prepare(str(tmp_path / "no/file"), "FileOrCreate")


# -- owners


def test_a_volume_is_given_to_a_group_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o600)
    volume = tmp_path / "volume"
    (volume / "deep").mkdir(parents=True)
    (volume / "deep/file").write_text("x")
    (volume / "deep/file").chmod(0o600)
    (volume / "link").symlink_to(outside)

    ownership.give(volume, 4711)

    assert (outside.stat().st_gid, stat.S_IMODE(outside.stat().st_mode)) == (0, 0o600)
    assert (volume / "link").lstat().st_gid == 4711
    for path, mode in ((volume, 0o2775), (volume / "deep", 0o2775), (volume / "deep/file", 0o660)):
        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (4711, mode)


def test_a_root_that_is_right_is_taken_at_its_word(tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    ownership.give(volume, 4711)
    (volume / "later").write_text("x")
    os.chown(volume / "later", 0, 0)
    ownership.give(volume, 4711, on_mismatch_only=True)
    assert (volume / "later").stat().st_gid == 0
    ownership.give(volume, 4712, on_mismatch_only=True)
    assert (volume / "later").stat().st_gid == 4712


def test_files_that_are_written_for_a_group_and_a_user(tmp_path):
    files = {"deep/token": VolumeFile(b"t", 0o600, user=1000), "a": VolumeFile(b"1", 0o400)}
    assert atomic_writer.write(tmp_path, files, NOW, 4711)
    assert not atomic_writer.write(tmp_path, files, NOW, 4711)
    found = (tmp_path / "deep/token").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1000, 4711, 0o640)
    found = (tmp_path / "a").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, 4711, 0o440)
    assert (tmp_path / "deep").stat().st_mode & 0o7777 == 0o2755
    assert atomic_writer.write(tmp_path, files, NOW), "nobody's any more"


# -- emptyDir in memory, and parts


def test_what_a_killed_kubelet_has_begun_is_brought_to_its_end(tmp_path):
    files = {"a": VolumeFile(b"x", 0o644), "d/b": VolumeFile(b"y", 0o644)}
    assert atomic_writer.write(tmp_path, files, NOW)
    (tmp_path / "a").unlink()  # killed before it made the link
    (tmp_path / "gone").symlink_to("..data/gone")  # and before it took this one away
    assert not atomic_writer.write(tmp_path, files, NOW)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "d/b").read_bytes()) == (b"x", b"y")
    assert not (tmp_path / "gone").is_symlink()

    (tmp_path / "..2020_01_01_00_00_00.1/d").mkdir(parents=True)  # killed while it wrote
    assert atomic_writer.write(tmp_path, {"a": VolumeFile(b"z", 0o644)}, NOW)
    data = (tmp_path / "..data").readlink()
    assert {path.name for path in tmp_path.iterdir()} == {"..data", str(data), "a"}


def test_what_finds_no_room_leaves_all_as_it_was(tmp_path):
    before = {"a": VolumeFile(b"x", 0o644)}
    atomic_writer.write(tmp_path, before, NOW)
    there = sorted(path.name for path in tmp_path.iterdir())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            atomic_writer.write(tmp_path, {"a": VolumeFile(bytes(8192), 0o644)}, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert sorted(path.name for path in tmp_path.iterdir()) == there
    assert (tmp_path / "a").read_bytes() == b"x"


@pytest.fixture
def mounts(tmp_path: Path):
    yield tmp_path
    unmount_below(tmp_path)


def test_memory_is_mounted_once_and_as_large_as_asked(mounts):
    path = mounts / "a/b"
    empty_dir.in_memory(path, 1 << 20, 4711)
    empty_dir.in_memory(path, 1 << 20, 4711)
    found = os.statvfs(path)
    assert found.f_blocks * found.f_frsize == 1 << 20
    assert (path.stat().st_gid, path.stat().st_mode & 0o7777) == (4711, 0o3777)
    linux.umount(str(path))
    assert not empty_dir.is_mounted(path)


ABOUT = 'volumeMount "v" of container "c"'


def test_a_part_is_pinned_whatever_becomes_of_its_name(mounts):
    volume, target = mounts / "volume", mounts / "run/v/c/0"
    volume.mkdir(mode=0o750)
    sub_paths.pin(str(volume), "a/b", target, ABOUT)
    (volume / "a/b/file").write_text("x")
    assert (volume / "a").stat().st_mode & 0o7777 == 0o750
    (volume / "a").rename(volume / "c")
    (volume / "a").symlink_to("/etc")
    assert os.listdir(target) == ["file"]

    (volume / "file").write_text("y")
    sub_paths.pin(str(volume), "file", target, ABOUT)
    assert target.read_text() == "y"


@pytest.mark.parametrize(
    ("aim", "part", "text"),
    [
        ("/etc", "link", f"failed to prepare subPath for {ABOUT}"),
        ("/etc", "link/new", f"failed to prepare subPath for {ABOUT}"),
        ("nowhere", "link/new", f"failed to create subPath directory for {ABOUT}"),
        ("link", "link", f"failed to prepare subPath for {ABOUT}"),
    ],
)
def test_a_part_that_leads_out_is_refused(mounts, aim, part, text):
    (mounts / "link").symlink_to(aim)
    with pytest.raises(VolumeProblem) as caught:
        sub_paths.pin(str(mounts), part, mounts / "t", ABOUT)
    assert str(caught.value) == text
    assert not (mounts / "t").exists()


def test_removal_takes_mounts_off_and_leaves_what_they_show(mounts):
    precious, pod = mounts / "precious", mounts / "pod"
    precious.mkdir()
    (precious / "file").write_text("x")
    sub_paths.pin(str(precious), "file", pod / "v/c/0", ABOUT)
    sub_paths.pin(str(mounts), "precious", pod / "v/c/1", ABOUT)
    empty_dir.in_memory(pod / "m", 0, None)
    linux.mount(str(precious), str(pod / "v/c/1"), flags=linux.MS_BIND)  # one upon the other
    remove(pod, mounts / "nothing")
    assert not pod.exists()
    assert (precious / "file").read_text() == "x"


def test_a_line_of_mountinfo():
    line = "36 35 98:0 / /a\\040b rw,noatime shared:1 master:2 - ext3 /dev/root rw\n"
    assert (parse(line).path, parse(line).shared, parse(line).slave) == ("/a b", True, True)
    line = "36 35 98:0 / / rw - ext3 /dev/root rw\n"
    assert (parse(line).path, parse(line).shared, parse(line).slave) == ("/", False, False)
