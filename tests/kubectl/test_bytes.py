"""Command lines and files that are no UTF-8."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from podium.kubectl.urls import query_string

_SECRET = ["create", "secret", "generic", "x", "--from-literal=a=\udcff", "--dry-run=client"]


def kubectl(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "podium", "kubectl", *map(os.fsencode, words)],
        capture_output=True, check=False, env=os.environ | {"KUBECONFIG": os.devnull},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        pytest.param([*_SECRET, "-o", "jsonpath={.data.a}"], 0, b"/w==", b"", id="data"),
        pytest.param([*_SECRET, "-o", "jsonpath=\udcff"], 0, b"\xff", b"", id="what-is-printed"),
        pytest.param(
            ["run", "x", "--image=y", "--env=A=\udcff", "--dry-run=client", "--image=\udcff"],
            1, b"", b'error: invalid image name "\xff": invalid reference format\n', id="refused",
        ),
    ],
)  # fmt: skip
def test_bytes_of_arguments_stay_what_they_are(words, code, out, err):
    done = kubectl(*words)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_bytes_in_addresses():
    assert query_string([("command", "a\udcffé")]) == "command=a%FF%C3%A9"


def test_a_template_that_is_no_text(tmp_path):
    (tmp_path / "t").write_bytes(b"{{.kind}}\xff")
    done = kubectl(*_SECRET, "-o", f"go-template-file={tmp_path / 't'}")
    assert (done.returncode, done.stdout) == (0, "Secret\ufffd".encode())
