"""Paths of ``cp``, and tars that go there and come back."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.kubectl import copying
from podium.kubectl.copying import FileSpec, Unpacking
from podium.kubectl.errors import CommandError, Lost
from podium.kubectl.verbs.cp import _Tar


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a/b", FileSpec("a/b")),
        ("a/", FileSpec("a")),
        ("web:/a", FileSpec("/a", "web")),
        ("ns/web:a/", FileSpec("a", "web", "ns")),
        ("web:", FileSpec("", "web")),
        ("web:c:\\d", FileSpec("c:/d", "web")),
    ],
)
def test_file_specs(text: str, spec: FileSpec):
    assert FileSpec.parse(text) == spec


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("/a/b", "a/b"), ("../a", "a"), ("/../../a", "a"), (".", ""), ("..", "")],
)
def test_names_in_a_tar_have_no_way_up(path: str, prefix: str):
    assert copying.prefix(path) == prefix


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with all there is: a file, a second name of it, a link, an empty directory."""
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "deep" / ("long" * 60)).mkdir(parents=True)
    (tree / "deep" / ("long" * 60) / "file").write_bytes(b"\0\xff" * 1000)
    (tree / "file").write_text("hello\n")
    (tree / "file").chmod(0o640)
    os.link(tree / "file", tree / "again")
    (tree / "link").symlink_to("/etc/passwd")
    return tree


def packed(tree: Path, name: str) -> bytes:
    told = []
    with tempfile.TemporaryFile() as output:
        packer = copying.Packer(output.fileno(), lambda path, count: told.append((path, count)))
        packer.pack(str(tree), name)
        output.seek(0)
        content = output.read()
    assert (f"{name}/file", 6) in told
    assert len(content) % tarfile.RECORDSIZE == 0
    return content


def test_what_is_packed(tree: Path):
    with tarfile.open(fileobj=io.BytesIO(packed(tree, "t"))) as tar:
        found = {member.name: member for member in tar}
        assert set(found) == {
            "t/again", f"t/deep/{'long' * 60}/file", "t/empty", "t/file", "t/link",
        }  # fmt: skip
        assert all(found[name].isreg() for name in ("t/again", "t/file"))
        assert found["t/link"].linkname == "/etc/passwd"
        assert found["t/file"].mode == 0o640


def unpack(content: bytes, target: Path, source: str = "/t") -> list[str]:
    warnings: list[str] = []
    hint = "kubectl exec x -- tar"
    Unpacking(source, str(target), warnings.append, hint, lambda _path, _count: None).unpack(
        io.BytesIO(content)
    )
    return warnings


def test_what_is_unpacked(tree: Path, tmp_path: Path):
    target = tmp_path / "target"
    warnings = unpack(packed(tree, "t"), target)
    assert (target / "file").read_text() == (target / "again").read_text() == "hello\n"
    assert (target / "deep" / ("long" * 60) / "file").read_bytes() == b"\0\xff" * 1000
    assert (target / "empty").is_dir()
    assert not (target / "link").is_symlink()
    assert warnings == [
        f'warning: skipping symlink: "{target}/link" -> "/etc/passwd" '
        '(consider using "kubectl exec x -- tar")'
    ]


def tar_of(*names: str, link: str = "") -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 2
            tar.addfile(info, io.BytesIO(b"ab"))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.LNKTYPE, names[0]
            tar.addfile(info)
    return output.getvalue()


def test_nothing_gets_out_of_the_target(tmp_path: Path):
    target = tmp_path / "target"
    warnings = unpack(tar_of("t/../../evil", "t/good"), target)
    assert warnings == [
        f'warning: file "{tmp_path.parent}/evil" is outside target destination, skipping'
    ]
    assert not (tmp_path.parent / "evil").exists()
    assert (target / "good").read_text() == "ab"


def test_a_tar_of_something_else(tmp_path: Path):
    with pytest.raises(CommandError, match="tar contents corrupted"):
        unpack(tar_of("other"), tmp_path / "target")


def test_a_second_name_is_a_copy(tmp_path: Path):
    assert unpack(tar_of("t/a", link="t/b"), tmp_path / "target") == []
    assert (tmp_path / "target" / "b").read_text() == "ab"
    assert (tmp_path / "target" / "b").stat().st_nlink == 1


class Losing:
    """A container whose connection is lost after so many bytes, each time it is asked."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at

    def output(self, cmd: list[str]) -> Iterator[memoryview]:
        begin = int(cmd[-1].rpartition("tail -c+")[2]) - 1 if cmd[0] == "sh" else 0
        rest = self._content[begin:]
        yield memoryview(rest[: self._at])
        if len(rest) > self._at:
            raise Lost("the connection was lost")


@pytest.mark.parametrize(("retries", "whole"), [(0, False), (2, False), (3, True), (-1, True)])
def test_a_tar_goes_on_where_the_connection_was_lost(retries: int, whole: bool):
    content = os.urandom(350)
    tar = _Tar(Losing(content, 100), "/t", retries)  # type: ignore[arg-type]
    found = tar.read()
    if whole:
        tar.check()
        assert found == content
    else:
        with pytest.raises(Lost):
            tar.check()
        assert found == content[: (retries + 1) * 100]


def test_who_is_away_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch):
    """Only a copy that goes on is resumed without a pause."""
    remote, pauses = Losing(os.urandom(350), 0), list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:  # by now it is back
            monkeypatch.setattr(remote, "_at", 100)

    monkeypatch.setattr(time, "sleep", pause)
    assert len(_Tar(remote, "/t", -1).read()) == 350  # type: ignore[arg-type]
    assert pauses == [1.0] * 3
