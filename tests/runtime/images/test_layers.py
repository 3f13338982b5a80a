"""Layers become directories that overlayfs stacks, and never anything outside of them."""

import contextlib
import gzip
import io
import os
import stat
import struct
import subprocess
import tarfile

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.runtime.images import layers
from podium.runtime.images.layers import unpack
from podium.runtime.images.limits import Limits
from podium.runtime.images.spec import InvalidImage
from support.images import Entry, digest, directory, hardlink, layer, symlink

OPAQUE = "trusted.overlay.opaque"
CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service, effective


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "layer"
    path.mkdir()
    return path


def put(root, *entries, parents=(), **options):
    return unpack(io.BytesIO(layer(*entries)), str(root), parents, **options)


def below(tmp_path, name, *entries, parents=()):
    path = tmp_path / name
    path.mkdir()
    put(path, *entries, parents=parents)
    return str(path)


def is_whiteout(path):
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def facts(path):
    """What must not change when somebody tampers with *path*, or shows when somebody did."""
    status = path.stat()
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_ctime_ns


def tree(root):
    """Everything below *root*, as names."""
    return sorted(
        os.path.relpath(os.path.join(parent, name), root)
        for parent, directories, files in os.walk(root)
        for name in (*directories, *files)
    )


def test_files_keep_what_they_are(root):
    put(
        root,
        directory("d", 0o1770, uid=5, gid=6, mtime=1000),
        Entry("d/f", b"content", mode=0o4755, uid=1, gid=2, mtime=1234.5),
        symlink("d/link", "../../outside"),
        hardlink("d/same", "d/f"),
        Entry("d/pipe", type=tarfile.FIFOTYPE, mode=0o622),
        Entry("d/null", type=tarfile.CHRTYPE, mode=0o666, device=(1, 3), gid=7),
    )
    file = (root / "d/f").stat()
    assert (root / "d/f").read_bytes() == b"content"
    assert (stat.S_IMODE(file.st_mode), file.st_uid, file.st_gid) == (0o4755, 1, 2)
    assert file.st_mtime == 1234.5
    assert (root / "d/same").stat().st_ino == file.st_ino
    assert os.readlink(root / "d/link") == "../../outside"
    assert stat.S_ISFIFO((root / "d/pipe").stat().st_mode)
    null = (root / "d/null").stat()
    assert (null.st_rdev, stat.S_IMODE(null.st_mode), null.st_gid) == (os.makedev(1, 3), 0o666, 7)
    parent = (root / "d").stat()
    assert (stat.S_IMODE(parent.st_mode), parent.st_uid, parent.st_gid) == (0o1770, 5, 6)
    assert parent.st_mtime == 1000, "set after the directory was filled"


def test_capabilities_and_setuid_outlive_the_change_of_owner(root):
    text = CAPABILITY.decode("utf-8", "surrogateescape")
    pax = {"SCHILY.xattr.security.capability": text, "SCHILY.xattr.user.note": "x"}
    put(root, Entry("ping", b"", mode=0o6755, uid=1, gid=1, pax=pax))
    assert os.getxattr(root / "ping", "security.capability") == CAPABILITY
    assert os.getxattr(root / "ping", "user.note") == b"x"
    assert stat.S_IMODE((root / "ping").stat().st_mode) == 0o6755


def test_orders_to_overlayfs_are_not_taken_from_an_archive(root):
    pax = {
        "SCHILY.xattr.trusted.overlay.redirect": "/../../../etc",
        "SCHILY.xattr.trusted.overlay.opaque": "y",
        "SCHILY.xattr.user.overlay.opaque": "y",
        "SCHILY.xattr.security.selinux": "x",
    }
    put(root, directory("d", pax=pax), Entry("f", pax=pax))
    assert os.listxattr(root / "d") == []
    assert os.listxattr(root / "f") == []


def test_the_archives_root_entry_is_the_containers_root(root):
    put(root, directory("./", 0o711, uid=3, mtime=50))
    status = root.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_mtime) == (0o711, 3, 50)


def test_root_directory_without_an_entry_is_as_in_the_layer_below(tmp_path, root):
    lower = below(tmp_path, "lower", directory("./", 0o700, uid=9))
    put(root, Entry("f"), parents=[lower])
    assert (stat.S_IMODE(root.stat().st_mode), root.stat().st_uid) == (0o700, 9)


def test_left_out_directories_are_as_in_the_layers_below(tmp_path, root):
    lowest = below(tmp_path, "lowest", directory("a", 0o750, uid=4), directory("a/b", 0o1777))
    middle = below(tmp_path, "middle", Entry("other"), parents=[lowest])
    put(root, Entry("a/b/f"), Entry("new/deep/f"), parents=[middle, lowest])
    assert (stat.S_IMODE((root / "a").stat().st_mode), (root / "a").stat().st_uid) == (0o750, 4)
    assert stat.S_IMODE((root / "a/b").stat().st_mode) == 0o1777
    assert stat.S_IMODE((root / "new/deep").stat().st_mode) == 0o755


def test_a_link_in_a_layer_below_leads_where_it_leads_in_the_container(tmp_path, root):
    lower = below(
        tmp_path, "lower", directory("usr"), directory("usr/lib"), symlink("lib", "usr/lib")
    )
    put(root, Entry("lib/new.so"), parents=[lower])
    assert tree(root) == ["usr", "usr/lib", "usr/lib/new.so"]


def test_whiteouts_hide_what_is_below(tmp_path, root):
    lower = below(tmp_path, "lower", Entry("gone"), directory("d"), Entry("d/old"))
    put(root, Entry(".wh.gone"), Entry("d/.wh..wh..opq"), Entry("d/new"), parents=[lower])
    assert is_whiteout(root / "gone")
    assert os.getxattr(root / "d", OPAQUE) == b"y"
    assert tree(root) == ["d", "d/new", "gone"]


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_a_whiteout_does_not_hide_what_the_same_layer_brings(tmp_path, root, whiteout_first):
    lower = below(tmp_path, "lower", directory("d"), Entry("d/old"), Entry("f", b"old"))
    whiteouts = [Entry(".wh.d"), Entry(".wh.f")]
    content = [directory("d"), Entry("d/new"), Entry("f", b"new")]
    entries = whiteouts + content if whiteout_first else content + whiteouts
    put(root, *entries, parents=[lower])
    assert (root / "f").read_bytes() == b"new"
    assert tree(root) == ["d", "d/new", "f"]
    assert os.getxattr(root / "d", OPAQUE) == b"y", "the old content of d stays hidden"


def test_whiteout_then_child_without_its_directory(tmp_path, root):
    lower = below(tmp_path, "lower", directory("d"), Entry("d/old"))
    put(root, Entry(".wh.d"), Entry("d/new"), parents=[lower])
    assert os.getxattr(root / "d", OPAQUE) == b"y"


def test_whiteouts_in_the_lowest_layer_leave_nothing(root):
    put(root, Entry(".wh.x"), Entry(".wh..wh.plnk"), Entry(".wh..wh.aufs"))
    assert tree(root) == []


@pytest.mark.parametrize("name", [".wh.", ".wh...", ".wh.."], ids=["empty", "dot-dot", "dot"])
def test_a_whiteout_cannot_name_a_directory_itself(root, name):
    with pytest.raises(InvalidImage):
        put(root, directory("d"), Entry(f"d/{name}"), parents=[str(root)])


def test_a_later_entry_replaces_an_earlier_one(root):
    put(
        root,
        Entry("a", b"1"),
        Entry("a", b"2"),
        directory("b"),
        Entry("b/x"),
        Entry("b", b"file"),
        Entry("c"),
        directory("c"),
        directory("d", 0o700),
        Entry("d/kept"),
        directory("d", 0o755),
    )
    assert (root / "a").read_bytes() == b"2"
    assert (root / "b").read_bytes() == b"file"
    assert (root / "c").is_dir()
    assert (root / "d/kept").exists()
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o755


# Archives that want out


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(Entry("../escaped"), id="dot-dot"),
        pytest.param(Entry("a/../../escaped"), id="dot-dot-inside"),
        pytest.param(Entry("/../escaped"), id="absolute-dot-dot"),
        pytest.param(directory("../escaped"), id="directory"),
        pytest.param(symlink("../escaped", "x"), id="symlink"),
        pytest.param(hardlink("inside", "../outside"), id="hard-link-target"),
        pytest.param(Entry("x" * 5000), id="endless-name"),
    ],
)
def test_names_that_climb_out_are_refused(tmp_path, root, entry):
    (tmp_path / "outside").write_text("secret")
    with pytest.raises(InvalidImage):
        put(root, entry)
    assert sorted(os.listdir(tmp_path)) == ["layer", "outside"]


@pytest.mark.parametrize("target", ["", "x" * 5000], ids=["empty", "endless"])
def test_links_to_what_no_path_can_be_are_refused(root, target):
    with pytest.raises(InvalidImage, match="cannot be the target of a symbolic link"):
        put(root, symlink("link", target))
    assert tree(root) == []


def test_absolute_names_are_names_in_the_layer(root):
    put(root, Entry("/etc/f"), Entry("///g"))
    assert tree(root) == ["etc", "etc/f", "g"]


@pytest.mark.parametrize(
    "target",
    ["../../../../{outside}", "{outside}", "..", "../.", "/"],
    ids=["relative", "absolute", "parent", "parent-dot", "root"],
)
@pytest.mark.parametrize("kind", ["file", "directory", "symlink", "hardlink", "whiteout", "opaque"])
def test_links_never_lead_out(tmp_path, root, target, kind):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "precious").write_text("untouched")
    before = facts(outside)
    entries = {
        "file": [Entry("link/precious", b"overwritten")],
        "directory": [directory("link/precious", 0o777), directory("link", 0o777, uid=1)],
        "symlink": [symlink("link/precious", "x")],
        "hardlink": [Entry("own"), hardlink("link/precious", "own")],
        "whiteout": [Entry("link/.wh.precious")],
        "opaque": [Entry("link/.wh..wh..opq")],
    }[kind]
    put(
        root,
        symlink("link", target.format(outside=outside)),
        *entries,
        parents=[below(tmp_path, "lower")],
    )
    assert (outside / "precious").read_text() == "untouched"
    assert os.listdir(outside) == ["precious"]
    assert facts(outside) == before
    assert sorted(os.listdir(tmp_path)) == ["layer", "lower", "outside"]


def test_hard_links_never_reach_out(tmp_path, root):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    with pytest.raises(InvalidImage, match="hard link"):
        put(root, symlink("up", ".."), hardlink("stolen", "up/outside"))
    put(root, symlink("direct", str(outside)), hardlink("other", "direct"))
    assert (root / "other").is_symlink(), "a link to the link, not to what it points at"
    assert outside.stat().st_nlink == 1


def test_writing_through_a_link_to_a_file_replaces_the_link(tmp_path, root):
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    put(root, symlink("f", str(outside)), Entry("f", b"new"))
    assert outside.read_text() == "untouched"
    assert not (root / "f").is_symlink()


def test_replacing_a_directory_does_not_follow_links_in_it(tmp_path, root):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    put(root, directory("d"), symlink("d/link", str(outside)), Entry("d", b""))
    assert (outside / "precious").exists()


def test_links_in_circles_are_refused(root):
    with pytest.raises(InvalidImage, match="too many symbolic links"):
        put(root, symlink("a", "b"), symlink("b", "a"), Entry("a/f"))


def test_a_file_cannot_have_children(root):
    with pytest.raises(InvalidImage, match="not a directory"):
        put(root, Entry("f"), Entry("f/child"))


def test_endless_depth_is_refused(root):
    with pytest.raises(InvalidImage):
        put(root, directory("/".join("d" * 600)))


# Archives that want too much


def test_a_bomb_stops_at_the_limit(root):
    bomb = gzip.compress(layer(Entry("zeros", bytes(5_000_000))))
    assert len(bomb) < 50_000
    with pytest.raises(InvalidImage, match="larger than 1000000 bytes"):
        unpack(io.BytesIO(bomb), str(root), limits=Limits(bytes=1_000_000))


def test_too_many_entries_are_refused(root):
    with pytest.raises(InvalidImage, match="more than 3 entries"):
        put(root, *(Entry(str(n)) for n in range(4)), limits=Limits(entries=3))


def test_a_full_disk_is_not_filled_further(root):
    with pytest.raises(OSError, match="No space left"):
        put(root, Entry("f", b"x"), limits=Limits(free=1 << 62))


def test_giant_headers_are_refused(root):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 * 1024**3
    with pytest.raises(InvalidImage, match="header of"):
        unpack(io.BytesIO(info.tobuf(tarfile.GNU_FORMAT)), str(root))


@pytest.mark.parametrize(
    "pax",
    [
        pytest.param({"size": "-5"}, id="negative-size"),
        pytest.param({"uid": str(1 << 70)}, id="giant-owner"),
        pytest.param({"mtime": "inf"}, id="endless-time"),
        pytest.param({"mtime": "nan"}, id="no-time"),
        pytest.param({"mtime": "1e300"}, id="far-future"),
        pytest.param({"path": "a/../../b"}, id="other-name"),
        pytest.param({"path": "a\0b"}, id="zero-byte"),
    ],
)
@pytest.mark.parametrize("make", [Entry, directory], ids=["file", "directory"])
def test_impossible_values_are_refused(root, pax, make):
    with pytest.raises(InvalidImage):
        put(root, make("x", pax=pax))


def test_a_sparse_map_without_end_is_not_read_into_memory(root, monkeypatch):
    """GNU's sparse format 1.0 has its map before the data, of any length."""
    monkeypatch.setattr(layers, "_HEADER_BUDGET", 1 << 17)  # 8 MiB take their time to be read
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    data = b"99999999\n" + b"0\n" * 100_000
    with pytest.raises(InvalidImage, match="headers of an entry are too large"):
        put(root, Entry("f", data, pax=pax))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no tar archive, " * 100, id="text"),
        pytest.param(layer(Entry("f", b"x" * 5000))[:2000], id="cut-in-a-file"),
        pytest.param(gzip.compress(layer(Entry("f", os.urandom(5000))))[:2000], id="cut-gzip"),
        pytest.param(b"\x1f\x8b" + bytes(100), id="bad-gzip"),
        pytest.param(b"\x28\xb5\x2f\xfd" + bytes(range(100)), id="bad-zstd"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_is_no_layer_is_refused(root, data):
    with pytest.raises(InvalidImage):
        unpack(io.BytesIO(data), str(root))


def test_a_checkpoint_stops_it(root):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    with pytest.raises(Stop):
        put(root, Entry("f"), checkpoint=stop)


@pytest.mark.parametrize(
    "compress",
    [
        pytest.param(lambda data: data, id="plain"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(
            lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]), id="members"
        ),
        pytest.param(zstandard.ZstdCompressor().compress, id="zstd"),
    ],
)
def test_digests_are_of_the_blob_and_of_the_archive(root, compress):
    content = layer(Entry("f", b"x" * 3000))
    blob = compress(content)
    unpacked = unpack(io.BytesIO(blob), str(root))
    assert (unpacked.digest, unpacked.diff_id) == (digest(blob), digest(content))
    assert unpacked.size == len(blob)
    assert (root / "f").stat().st_size == 3000


def test_an_empty_layer(root):
    assert unpack(io.BytesIO(bytes(1024)), str(root)).diff_id == digest(bytes(1024))
    assert tree(root) == []


@pytest.mark.parametrize("tar_format", ["gnu", "posix"])
def test_sparse_files_keep_their_holes(tmp_path, root, tar_format):
    source = tmp_path / "sparse"
    with source.open("wb") as file:
        file.seek(1_000_000)
        file.write(b"end")
    tar = ["tar", "--sparse", f"--format={tar_format}", "-C", tmp_path, "-cf", tmp_path / "s.tar"]
    subprocess.run([*tar, "sparse"], check=True)
    unpack(io.BytesIO((tmp_path / "s.tar").read_bytes()), str(root))
    assert (root / "sparse").read_bytes() == source.read_bytes()
    assert (root / "sparse").stat().st_blocks * 512 < 100_000


part = st.sampled_from(["a", "b", "c", "..", ".", "", "link", ".wh.a", ".wh..wh..opq"])
path = st.lists(part, min_size=1, max_size=4).map("/".join)
target = st.one_of(path, path.map(lambda text: "/" + text), st.just("../../outside"))
entry = st.one_of(
    st.builds(Entry, path, st.binary(max_size=3)),
    st.builds(directory, path),
    st.builds(symlink, path, target),
    st.builds(hardlink, path, target),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(entry, max_size=8))
def test_no_mix_of_entries_gets_out(tmp_path_factory, entries):
    top = tmp_path_factory.mktemp("mix")
    root, outside = top / "layer", top / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "a").write_text("untouched")
    before = facts(outside)
    with contextlib.suppress(InvalidImage):
        put(root, *entries, parents=[str(outside)])
    assert sorted(os.listdir(top)) == ["layer", "outside"]
    assert facts(outside) == before
    assert (outside / "a").read_text() == "untouched"
    assert (outside / "a").stat().st_nlink == 1
