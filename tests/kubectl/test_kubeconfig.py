"""Kubeconfig files that are none, in upstream's words."""

from __future__ import annotations

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.flags import parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.kubeconfig import connection, load


def connected(path, *words):
    """Return what a kubeconfig, and flags beside it, mean. Raises CommandError."""
    values = parse(GLOBAL_FLAGS, [f"--kubeconfig={path}", *words]).values
    return connection(load(values), values)


@pytest.mark.parametrize(
    ("text", "found", "field"),
    [
        ("clusters: {a: b}", "object", "Config.clusters of type []v1.NamedCluster"),
        ("clusters: [a]", "string", "Config.clusters of type v1.NamedCluster"),
        ("clusters: [{name: 3}]", "number", "NamedCluster.clusters.name of type string"),
        ("clusters: [{cluster: [1]}]", "array", "NamedCluster.clusters.cluster of type v1.Cluster"),
        ("clusters: [{cluster: {server: 3}}]", "number",
         "Cluster.clusters.cluster.server of type string"),
        ("clusters: [{cluster: {insecure-skip-tls-verify: 'true'}}]", "string",
         "Cluster.clusters.cluster.insecure-skip-tls-verify of type bool"),
        ("clusters: [{cluster: {certificate-authority-data: 1}}]", "number",
         "Cluster.clusters.cluster.certificate-authority-data of type []uint8"),
        ("users: [{user: a}]", "string", "NamedAuthInfo.users.user of type v1.AuthInfo"),
        ("users: [{user: {as-groups: a}}]", "string",
         "AuthInfo.users.user.as-groups of type []string"),
        ("users: [{user: {as-user-extra: [a]}}]", "array",
         "AuthInfo.users.user.as-user-extra of type map[string][]string"),
        ("users: [{user: {exec: {env: [{name: 3}]}}}]", "number",
         "ExecEnvVar.users.user.exec.env.name of type string"),
        ("current-context: [a]\nusers: a", "array", "Config.current-context of type string"),
        ("preferences: [a]", "array", "Config.preferences of type v1.Preferences"),
        ("extensions: {a: b}", "object", "Config.extensions of type []v1.NamedExtension"),
    ],
)  # fmt: skip
def test_fields_of_other_types(tmp_path, text, found, field):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(CommandError) as caught:
        connected(path)
    why = f"json: cannot unmarshal {found} into Go struct field {field}"
    assert str(caught.value) == f'error loading config file "{path}": {why}'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"kind: Pod\n", 'no kind "Pod" is registered for version "v1" in scheme '
         '"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50"'),
        (b"kind: 2\n", "couldn't get version/kind; json parse error: json: cannot unmarshal number "
         "into Go struct field .kind of type string"),
        (b"users: [{user: {client-key-data: '!'}}]", "illegal base64 data at input byte 0"),
        (b"a\xff: b\n", "yaml: invalid leading UTF-8 octet"),
    ],
)  # fmt: skip
def test_what_is_no_kubeconfig(tmp_path, content, why):
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        connected(path)
    assert str(caught.value) == f'error loading config file "{path}": {why}'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_what_is_null_or_unknown_says_nothing(tmp_path, encoding):
    path = tmp_path / "config"
    text = (
        "clusters: [null, {name: c, future: 1, cluster: {server: 'http://h:1', future: 1}}]\n"
        "users: [{name: u, user: null}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
        "current-context: x\n"
    )
    path.write_bytes(("\ufeff" * (encoding != "utf-8") + text).encode(encoding))
    assert connected(path).server == "http://h:1"
