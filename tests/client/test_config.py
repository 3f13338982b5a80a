from __future__ import annotations

import base64

import pytest
import yaml

from podium.client.config import ClientConfig
from podium.client.errors import ConfigurationError

DOCUMENT = {
    "current-context": "main",
    "contexts": [
        {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "apps"}},
        {"name": "lost", "context": {"cluster": "nowhere", "user": "u"}},
        {"name": "plugin", "context": {"cluster": "c", "user": "exec"}},
    ],
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": "https://127.0.0.1:6443/",
                "certificate-authority": "ca.crt",
                "tls-server-name": "kubernetes",
            },
        }
    ],
    "users": [
        {
            "name": "u",
            "user": {
                "client-certificate-data": base64.b64encode(b"cert").decode(),
                "client-key-data": base64.b64encode(b"key").decode(),
                "tokenFile": "/var/token",
            },
        },
        {"name": "exec", "user": {"exec": {"command": "aws"}}},
    ],
}


@pytest.fixture
def kubeconfig(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return path


def test_the_current_context(kubeconfig):
    assert ClientConfig.from_kubeconfig(kubeconfig, user_agent="t") == ClientConfig(
        server="https://127.0.0.1:6443",
        ca_file=str(kubeconfig.parent / "ca.crt"),
        cert_data=b"cert",
        key_data=b"key",
        token_file="/var/token",
        tls_server_name="kubernetes",
        namespace="apps",
        user_agent="t",
    )


def test_secrets_are_not_printed(kubeconfig):
    assert "key" not in repr(ClientConfig.from_kubeconfig(kubeconfig)).replace("key_file", "")


@pytest.mark.parametrize(
    ("context", "words"),
    [
        pytest.param("lost", 'no entry "nowhere" in clusters', id="cluster-missing"),
        pytest.param("none", 'no entry "none" in contexts', id="context-missing"),
        pytest.param("plugin", "users.user.exec is not supported", id="plugin"),
    ],
)
def test_what_is_wrong_is_said(kubeconfig, context, words):
    with pytest.raises(ConfigurationError, match=words):
        ClientConfig.from_kubeconfig(kubeconfig, context=context)


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        ClientConfig.from_kubeconfig(tmp_path / "none")
