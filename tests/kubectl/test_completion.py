"""Shells complete command lines; what they are answered beside upstream's is in cases.txt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from podium.kubectl.main import main

KUBECONFIG = """\
contexts: [{name: one, context: {}}, {name: two, context: {}}]
clusters: [{name: c, cluster: {server: 'https://h:1'}}]
"""


@pytest.fixture
def environment(tmp_path, monkeypatch):
    (tmp_path / "kubectl").symlink_to(Path(sys.executable).with_name("podium"))
    (tmp_path / "config").write_text(KUBECONFIG)
    (tmp_path / "pod.yaml").touch()
    return {"PATH": f"{tmp_path}:/usr/bin:/bin", "KUBECONFIG": str(tmp_path / "config"),
            "HOME": str(tmp_path)}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("kubectl desc", ["describe"]),
        ("kubectl config use", ["use-context"]),
        ("kubectl config use-context ", ["one", "two"]),
        ("kubectl get -o js", ["json", "jsonpath", "jsonpath-as-json", "jsonpath-file"]),
        ("kubectl get --output=ya", ["yaml"]),
        ("kubectl get --output-w", ["--output-watch-events"]),
        ("kubectl --context t", ["two"]),
        ("kubectl apply -f p", []),
    ],
)
def test_bash(tmp_path, environment, line, replies):
    script = """
source <(kubectl completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
read -r -a COMP_WORDS <<< "${1//=/ = }"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
__kubectl_complete
printf '%s\\n' "${COMPREPLY[@]}"
"""
    run = subprocess.run(
        ["bash", "-c", script, "bash", line],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == replies


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_such_as_their_shells_read(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "kubectl __complete" in script.replace('"${words[1]}"', "kubectl").replace(
        "$program", "kubectl"
    ).replace('"${joined[0]}"', "kubectl")
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed: make install-test")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)
