"""``kubectl config`` beside upstream's: the same words, and the same files after them."""

from __future__ import annotations

import difflib
import os
import shlex
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podium.kubectl import kubeconfig
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.kubeconfig_files import Files, changed
from podium.kubectl.main import main

_HERE = Path(__file__).parent
_KUBECTL = Path(sys.executable).parent / "kubectl"


def cases():
    """Lines of each block, which begins with a fresh file."""
    text = (_HERE / "config_cases.txt").read_text()
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [[line for line in block if not line.startswith("#")] for block in blocks]


def upstreams(lines, directory):
    path = directory / "config"
    environment = {**os.environ, "KUBECONFIG": str(path), "HOME": str(directory), "GOGC": "off"}
    return [
        (line, run.returncode, run.stdout, run.stderr, path.exists() and path.read_text())
        for line in lines
        for run in [subprocess.run([_KUBECTL, "config", *shlex.split(line)], env=environment,
                                   cwd=directory, capture_output=True, text=True, check=False)]
    ]  # fmt: skip


def difference(one, other):
    texts = ["\n".join(map(str, said)).splitlines() for said in (one, other)]
    return "\n".join(difflib.unified_diff(*texts, "upstream", "ours", lineterm="", n=1))


@pytest.mark.skipif(not _KUBECTL.exists(), reason="needs upstream's kubectl beside the interpreter")
def test_what_ours_says_and_writes_is_what_upstreams_does(tmp_path, monkeypatch, capsys):
    blocks = cases()
    directories = [tmp_path / str(number) / "x" for number in range(len(blocks))]
    for directory in directories:
        directory.mkdir(parents=True)
        (directory / "ca.crt").write_text("abc")
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(upstreams, blocks, directories))
    differing = []
    for directory, lines, expected in zip(directories, blocks, theirs, strict=True):
        path = directory / "config"
        path.unlink(missing_ok=True)
        monkeypatch.setenv("KUBECONFIG", str(path))
        monkeypatch.setenv("HOME", str(directory))
        monkeypatch.chdir(directory)
        for line, *said in expected:
            code = main(["config", *shlex.split(line)])
            out = capsys.readouterr()
            ours = [code, out.out, out.err, path.exists() and path.read_text()]
            if ours != said:
                differing.append(f"config {line}\n{difference(said, ours)}")
        assert len(lines) == len(expected)
        assert not path.exists() or stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.with_name("config.lock").exists()
    assert not differing, "\n\n".join(differing)


def test_data_may_come_in_lines_as_base64_writes_them(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert main(["config", "set", "users.u.client-key-data", "YW\nJj\n"]) == 0
    assert "client-key-data: YWJj\n" in (tmp_path / "config").read_text()


def test_each_entry_is_changed_where_it_stands(tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("users: [{name: a, user: {token: x}}]\nfuture: kept\n")
    two.write_text("users: [{name: b, user: {token: w}}, {name: a, user: {token: hidden}}]\n")
    monkeypatch.setenv("KUBECONFIG", f"{one}:{two}:{tmp_path / 'none'}")
    files = Files(parse(GLOBAL_FLAGS, []).values)
    files.put("users", "b", {"token": "z"})
    files.put("users", "c", {"token": "new"})
    said = {path: kubeconfig.read(str(path)) for path in (one, two)}
    names = {path: {user["name"]: user["user"]["token"] for user in document["users"]}
             for path, document in said.items()}  # fmt: skip
    assert names == {one: {"a": "x", "c": "new"}, two: {"a": "hidden", "b": "z"}}
    assert said[one]["future"] == "kept"


def test_a_file_that_somebody_writes_is_left_alone(tmp_path):
    path = tmp_path / "config"
    path.with_name("config.lock").touch()
    with pytest.raises(CommandError, match=r"config\.lock: file exists"):
        changed(str(path), lambda document: None)
    assert not path.exists()
