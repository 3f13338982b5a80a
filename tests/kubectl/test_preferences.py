"""Preferences beside upstream's: the same files after the same commands; and what they let run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from podium.kubectl import preferences
from podium.kubectl.errors import CommandError
from podium.kubectl.exec_credentials import credentials
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.main import main

_KUBECTL = Path(sys.executable).parent / "kubectl"
_HEAD = "apiVersion: kubectl.config.k8s.io/{}\nkind: Preference\n"
_LINES = (
    "--section=defaults --command=get --option=output=wide",
    "--section=defaults --command=get --option=--output=yaml",
    "--section=defaults --command=get --option=--chunk-size=7 --overwrite",
    "--section=defaults --command='set env'",
    "--section=aliases --name=nodes --command=get --prependarg no --appendarg -- --option output=x",
    "--section=aliases --name=nodes --command=describe --appendarg=a --overwrite",
    "--section=aliases --name=nodes --command=get",
    "--section=credentialplugin --policy=Allowlist --allowlist-entry=command=a,command=b",
    "--section=credentialplugin --policy=Allowlist --allowlist-entry=x,name=a --overwrite",
)


@pytest.mark.skipif(not _KUBECTL.exists(), reason="needs upstream's kubectl beside the interpreter")
def test_what_is_set_is_what_upstreams_sets(tmp_path, monkeypatch, capfd):
    said = []
    for name in ("theirs", "ours"):
        home = tmp_path / name
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        for line in _LINES:
            words = ["kuberc", "set", *shlex.split(line)]
            if name == "ours":
                code = main(words)
            else:
                code = subprocess.run([_KUBECTL, *words], check=False).returncode
            out, err = capfd.readouterr()
            path = home / ".kube" / "kuberc"
            said.append([code, out.replace(name, "X"), err, path.read_text()])
    assert said[len(_LINES) :] == said[: len(_LINES)]
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("version", "text", "found", "unknown"),
    [
        ("v1alpha1", "overrides: [{command: get, flags: [{name: a, default: b}]}]",
         {"defaults": [{"command": "get", "options": [{"name": "a", "default": "b"}]}]}, ""),
        ("v1alpha1", "defaults: [{command: get}]", {}, 'unknown field "defaults"'),
        ("v1beta1", "defaults: [{command: get, x: y}]", {"defaults": [{"command": "get"}]},
         'unknown field "defaults[0].x"'),
    ],
)  # fmt: skip
def test_older_versions_and_unknown_fields(tmp_path, capsys, version, text, found, unknown):
    path = tmp_path / "rc"
    path.write_text(f"foo: bar\n---\n{_HEAD.format(version)}{text}\n")
    loaded = preferences.load(["get", f"--kuberc={path}"])
    assert loaded is not None
    assert {k: v for k, v in loaded.items() if k not in ("apiVersion", "kind")} == found
    assert capsys.readouterr().err.partition("strict decoding error: ")[2] == unknown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("aliases: [{name: a1, command: get}]", "can only include alphabetical characters"),
        ("aliases: [{name: a, command: x}, {name: a, command: z}]", "duplicate alias name a"),
        ("defaults: [{command: get, options: [{name: --a}]}]", "should be in long form"),
        ("defaults: [{command: 1}]", "no valid preferences found"),
        ("credentialPluginPolicy: Foo", 'unknown plugin policy: "Foo"'),
        ("credentialPluginPolicy: Allowlist", "but allowlist is unspecified"),
        ("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []", "allowlist is empty"),
        ("credentialPluginAllowlist: [{command: x}]", "but allowlist is non-nil"),
        ("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]", "empty allowlist"),
        ("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: ./x}]",
         'non-normalized file path: "./x" vs "x"'),
    ],
)  # fmt: skip
def test_what_nobody_can_follow_is_refused(tmp_path, text, problem):
    path = tmp_path / "rc"
    path.write_text(f"{_HEAD.format('v1beta1')}{text}\n")
    with pytest.raises(preferences.Unapplied, match="error occurred while applying") as caught:
        preferences.load(["get", f"--kuberc={path}"])
    assert problem in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "rc"
    path.write_bytes(_HEAD.format("v1beta1").encode() + b"# \xff\n")
    with pytest.raises(preferences.Unapplied, match="no valid preferences found"):
        preferences.load(["get", f"--kuberc={path}"])


def test_a_file_that_cannot_be_written(monkeypatch, capfd):
    monkeypatch.setenv("HOME", "/proc/nothing")
    assert main(["kuberc", "set", "--section=aliases", "--name=a", "--command=get"]) == 1
    assert capfd.readouterr().err == (
        "error: failed to create directory /proc/nothing/.kube: "
        "mkdir /proc/nothing: no such file or directory\n"
    )


_PLUGINS = "client.authentication.k8s.io/v1"


def made_plugin(directory: Path, token: str) -> Path:
    directory.mkdir(exist_ok=True)
    plugin = directory / "plugin"
    answer = json.dumps(
        {"apiVersion": _PLUGINS, "kind": "ExecCredential", "status": {"token": token}}
    )
    plugin.write_text(f"#!/bin/sh\necho '{answer}'\n")
    plugin.chmod(0o700)
    return plugin


@pytest.mark.parametrize(
    ("policy", "allowed", "runs"),
    [("", [], True), ("AllowAll", [], True), ("DenyAll", [], False),
     ("Allowlist", ["other"], False), ("Allowlist", ["{}/plugin"], True)],
)  # fmt: skip
def test_plugins_run_where_the_policy_lets_them(tmp_path, policy, allowed, runs):
    plugin = made_plugin(tmp_path, "t")
    connection = Connection("https://nowhere")
    connection.plugin_policy = policy
    connection.plugins_allowed = [one.format(tmp_path) for one in allowed]
    said = {"apiVersion": _PLUGINS, "command": str(plugin), "interactiveMode": "Never"}
    if runs:
        assert credentials(said, connection) == {"token": "t"}
    else:
        with pytest.raises(CommandError, match=f'"{plugin}" (is )?not'):
            credentials(said, connection)


def test_the_plugin_that_was_allowed_is_the_one_that_runs(tmp_path, monkeypatch):
    """A kubeconfig's ``env`` may name another PATH: no plugin is looked for there."""
    good, evil = (made_plugin(tmp_path / name, name).parent for name in ("good", "evil"))
    monkeypatch.setenv("PATH", f"{good}:{os.environ['PATH']}")
    connection = Connection("https://nowhere")
    connection.plugin_policy, connection.plugins_allowed = "Allowlist", ["plugin"]
    said = {"apiVersion": _PLUGINS, "command": "plugin", "interactiveMode": "Never",
            "env": [{"name": "PATH", "value": str(evil)}]}  # fmt: skip
    assert credentials(said, connection) == {"token": "good"}


def test_a_plugin_that_cannot_run(tmp_path):
    plugin = made_plugin(tmp_path, "t")
    plugin.write_bytes(b"\x7fELF")
    said = {"apiVersion": _PLUGINS, "command": str(plugin), "interactiveMode": "Never"}
    with pytest.raises(CommandError, match=f"fork/exec {plugin}: exec format error"):
        credentials(said, Connection("https://nowhere"))
    plugin.chmod(0o600)
    with pytest.raises(CommandError, match=f"fork/exec {plugin}: permission denied"):
        credentials(said, Connection("https://nowhere"))


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("", "returned version client.authentication.k8s.io/__internal"),
        ("{}", "returned version client.authentication.k8s.io/__internal"),
        ("[]", "cannot unmarshal array into Go value of type struct"),
        ('{"kind": 3}', "cannot unmarshal number into Go struct field .kind of type string"),
        (f'{{"kind": "X", "apiVersion": "{_PLUGINS}"}}', 'no kind "X" is registered for version'),
        (f'{{"apiVersion": "{_PLUGINS}"}}', "exec plugin didn't return a status field"),
        (f'{{"apiVersion": "{_PLUGINS}", "status": {{"token": "t"}}}}', ""),
    ],
)
def test_what_a_plugin_prints(tmp_path, printed, says):
    """That it is an ExecCredential need not be said."""
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho '{printed}'\n")
    plugin.chmod(0o700)
    config = {"apiVersion": _PLUGINS, "command": str(plugin), "interactiveMode": "Never"}
    if says:
        with pytest.raises(CommandError, match=re.escape(says)):
            credentials(config, Connection("https://nowhere"))
    else:
        assert credentials(config, Connection("https://nowhere")) == {"token": "t"}
