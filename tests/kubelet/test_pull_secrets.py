"""Which credentials of imagePullSecrets are for which image."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from podium.api.types.core_v1 import Secret
from podium.kubelet.pull_secrets import credentials
from podium.runtime.image_port import AuthConfig


def secret(auths: Any, key: str = ".dockerconfigjson") -> Secret:
    document = {"auths": auths} if key == ".dockerconfigjson" else auths
    return Secret(data={key: b64encode(json.dumps(document).encode()).decode()})


def found(image: str, *servers: str) -> list[str]:
    given = secret({server: {"username": server, "password": "p"} for server in servers})
    return [credential.auth.username for credential in credentials(image, [given])]


@pytest.mark.parametrize(
    ("server", "image", "matches"),
    [
        ("reg.example.com", "reg.example.com/a:1", True),
        ("https://reg.example.com/v2/", "reg.example.com/a:1", True),
        ("reg.example.com:5000", "reg.example.com:5000/a:1", True),
        ("reg.example.com", "reg.example.com:5000/a:1", False),
        ("reg.example.com:5000", "reg.example.com/a:1", False),
        ("reg.example.com/team", "reg.example.com/team/a:1", True),
        ("reg.example.com/team", "reg.example.com/other/a:1", False),
        ("*.example.com", "reg.example.com/a:1", True),
        ("*.example.com", "reg.of.example.com/a:1", False),
        ("*.*.example.com", "reg.of.example.com/a:1", True),
        ("*", "reg.example.com/a:1", False),
        ("reg*.example.com:5000", "reg1.example.com:5000/a:1", True),
        ("https://index.docker.io/v1/", "busybox:1", True),
        ("docker.io", "docker.io/library/busybox:1", True),
        ("reg.example.com", "busybox:1", False),
    ],
)
def test_servers(server: str, image: str, matches: bool):
    assert found(image, server) == ([server] if matches else [])


def test_the_longest_match_comes_first():
    servers = ("reg.example.com", "reg.example.com/team/app", "reg.example.com/team")
    assert found("reg.example.com/team/app:1", *servers) == [servers[1], servers[2], servers[0]]


@pytest.mark.parametrize(
    ("entry", "auth"),
    [
        ({"auth": b64encode(b"u:p:q").decode()}, AuthConfig("u", "p:q")),
        ({"username": "u", "password": None}, AuthConfig("u")),
        ({"identitytoken": "t"}, AuthConfig(identity_token="t")),
        ({"auth": "-"}, AuthConfig()),
        ({"auth": 1}, AuthConfig()),
        ({"auth": ["a"], "identitytoken": "t"}, AuthConfig(identity_token="t")),
    ],
)
@pytest.mark.parametrize("key", [".dockerconfigjson", ".dockercfg"])
def test_entries(entry: dict[str, Any], auth: AuthConfig, key: str):
    (credential,) = credentials("reg.example.com/a:1", [secret({"reg.example.com": entry}, key)])
    assert credential.auth == auth


@pytest.mark.parametrize("document", ["[]", "1", '{"auths": []}', '{"auths": {"a.b": 1}}', "{"])
def test_what_is_no_such_document_helps_nobody(document: str):
    given = Secret(data={".dockerconfigjson": b64encode(document.encode()).decode()})
    assert credentials("a.b/c:1", [given]) == []
