"""Plugins: programs on PATH, listed and run as upstream's does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
PROGRAMS = ([str(BIN / "podium"), "kubectl"], [str(BIN / "kubectl")])


@pytest.fixture
def path(tmp_path):
    for directory, name, mode in (("a", "kubectl-foo", 0o755), ("a", "kubectl-foo-bar_baz", 0o755),
                                  ("a", "kubectl-dead", 0o644), ("b", "kubectl-foo", 0o755),
                                  ("b", "kubectl-get", 0o755), ("b", "kubectl-create-thing", 0o755),
                                  ("b", "other", 0o755)):  # fmt: skip
        program = tmp_path / directory / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {directory}/{name} "$@"\nexit 3\n')
        program.chmod(mode)
    no_program = tmp_path / "b" / "kubectl-none"
    no_program.write_text("#!/no/such/shell\n")
    no_program.chmod(0o755)
    return f"{tmp_path / 'a'}:{tmp_path / 'b'}:/usr/bin:/bin"


@pytest.mark.skipif(not (BIN / "kubectl").exists(), reason="needs upstream's kubectl")
@pytest.mark.parametrize(
    "words",
    [["plugin", "list"], ["plugin", "list", "--name-only"], ["foo", "x", "-n", "y"],
     ["foo", "bar-baz", "--z"], ["create", "thing", "--z"], ["get", "--raw"],
     ["none"]],
    ids=" ".join,
)  # fmt: skip
def test_plugins(tmp_path, path, words):
    ours, theirs = (
        subprocess.run(
            [*program, *words], env={"PATH": path, "HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )
        for program in PROGRAMS
    )  # fmt: skip
    assert (ours.returncode, ours.stdout, ours.stderr) == (
        theirs.returncode, theirs.stdout, theirs.stderr
    )  # fmt: skip
