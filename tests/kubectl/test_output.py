"""Where what is printed cannot go: as upstream's, and never into a connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_BIN = Path(sys.executable).parent
_PROGRAMS = (f"{_BIN / 'podium'} kubectl", str(_BIN / "kubectl"))


@pytest.mark.skipif(not (_BIN / "kubectl").exists(), reason="needs upstream's kubectl")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("config view > /dev/full", 1),
        ("config view >&-", 0),
        ("config view nosuch >&- 2>&- <&-", 1),
    ],
)
def test_output_that_cannot_go_anywhere(tmp_path: Path, line: str, code: int):
    ours, theirs = (
        subprocess.run(
            ["bash", "-c", f"{program} {line}"], env={"HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )
        for program in _PROGRAMS
    )  # fmt: skip
    assert (ours.returncode, ours.stdout, ours.stderr) == (
        theirs.returncode, theirs.stdout, theirs.stderr
    )  # fmt: skip
    assert ours.returncode == code


def test_who_is_not_read_ends_as_if_killed_by_it(tmp_path: Path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [*_PROGRAMS[0].split(), "config", "view"], env={"HOME": str(tmp_path)},
            stdout=writing, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
