"""Kubeconfig files that are none, in upstream's words."""

from __future__ import annotations

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.flags import parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.http import Http
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
        (b"users: [{user: {client-key-data: YQ}}]", "illegal base64 data at input byte 0"),
        (b"users: [{user: {client-key-data: YQ=A}}]", "illegal base64 data at input byte 2"),
        (b"a\xff: b\n", "yaml: invalid leading UTF-8 octet"),
    ],
)  # fmt: skip
def test_what_is_no_kubeconfig(tmp_path, content, why):
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        connected(path)
    assert str(caught.value) == f'error loading config file "{path}": {why}'


_BOTH = "are both specified for"


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        ("certificate-authority: /dev/null, certificate-authority-data: YQ==", "",
         f"certificate-authority-data and certificate-authority {_BOTH} c. "
         "certificate-authority-data will override."),
        ("proxy-url: 'h:1'", "",
         'invalid \'proxy-url\' "h:1" for cluster "c": could not parse: h:1'),
        ("proxy-url: 'a://h:1'", "", 'invalid \'proxy-url\' "a://h:1" for cluster "c": unsupported '
         'scheme "a", must be http, https, or socks5'),
        ("", "client-certificate-data: YQ==", "client-key-data or client-key must be specified for "
         "u to use the clientCert authentication method."),
        ("", "token: x, username: z", "more than one authentication method found for u; found "
         "[token basicAuth], only one is allowed"),
        ("", "exec: {command: x, apiVersion: client.authentication.k8s.io/v1}",
         "interactiveMode must be specified for u to use exec authentication plugin"),
        ("", "exec: {command: x, apiVersion: v, interactiveMode: z}",
         'invalid interactiveMode for u: "z"'),
        ("", "client-certificate: /none, client-key-data: YQ==",
         "unable to read client-cert /none for u due to open /none: no such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_together(tmp_path, cluster, user, says):
    with pytest.raises(CommandError) as caught:
        connected(_config(tmp_path, f"server: 'https://h:1', {cluster}", user))
    assert str(caught.value) == says


def _config(directory, cluster, user):
    path = directory / "config"
    path.write_text(
        f"clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    )
    return path


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("/foo", 'host must be a URL or a host:port pair: "/foo"'),
        ("https://", 'host must be a URL or a host:port pair: "https://"'),
        ("https://h:x", 'host must be a URL or a host:port pair: "https://h:x"'),
        ("ht tp://h:1", 'Unable to connect to the server: invalid character " " in host name'),
        ("ftp://h", 'Unable to connect to the server: unsupported protocol scheme "ftp"'),
    ],
)
def test_servers_that_are_none(tmp_path, server, says):
    with pytest.raises(CommandError) as caught:
        Http(connected(_config(tmp_path, f"server: '{server}'", "")))
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("cluster", "user", "says"),
    [
        ("certificate-authority-data: YQ==", "",
         "unable to load root certificates: unable to parse bytes as PEM block"),
        ("certificate-authority-data: YQ==, insecure-skip-tls-verify: true", "",
         "specifying a root certificates file with the insecure flag is not allowed"),
        ("", "client-certificate-data: YQ==, client-key-data: YQ==",
         "tls: failed to find any PEM data in certificate input"),
    ],
)  # fmt: skip
def test_certificates_that_are_none(tmp_path, cluster, user, says):
    http = Http(connected(_config(tmp_path, f"server: 'https://h:1', {cluster}", user)))
    with pytest.raises(CommandError) as caught:
        http.tls()
    assert str(caught.value) == says


def test_what_is_trusted_by_flag(tmp_path):
    """--insecure-skip-tls-verify is not contradicted by a kubeconfig's authority, nor the other way
    round."""
    path = _config(tmp_path, "server: 'https://h:1', certificate-authority-data: YQ==", "")
    made = connected(path, "--insecure-skip-tls-verify")
    assert (made.insecure, made.ca_data, made.ca_file) == (True, b"", "")
    path = _config(tmp_path, "server: 'https://h:1', insecure-skip-tls-verify: true", "")
    made = connected(path, "--certificate-authority=/dev/null")
    assert (made.insecure, made.ca_data, made.ca_file) == (False, b"", "/dev/null")


def test_secrets_are_not_for_servers_that_anybody_may_be(tmp_path):
    for scheme, said in (("http", []), ("https", [("Authorization", "Bearer x")])):
        path = _config(tmp_path, f"server: '{scheme}://h:1'", "token: x")
        assert Http(connected(path)).identity() == said
        asked = ("Impersonate-User", "ann")
        assert Http(connected(path, "--as=ann")).identity() == [*said, asked]


def test_a_plugin_stands_beside_the_kubeconfig_that_names_it(tmp_path, monkeypatch):
    plugin = "exec: {command: ./x, apiVersion: v, interactiveMode: Never}"
    path = _config(tmp_path, "server: 'https://h:1'", plugin)
    monkeypatch.chdir("/")
    assert connected(path).exec["command"] == f"{tmp_path}/x"
    assert connected(path, "--token=y").exec is None


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
