"""``imagePullSecrets``: registry credentials out of ``.dockerconfigjson`` and ``.dockercfg``.

https://kubernetes.io/docs/concepts/containers/images/#using-a-private-registry
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from typing import Any

import msgspec

from podium.api.types.core_v1 import Secret
from podium.runtime.image_port import AuthConfig

_DOCKER_HUB = {"docker.io", "index.docker.io", "registry-1.docker.io"}


class Credential(msgspec.Struct, frozen=True):
    """``auth``, and the Secret that it comes from."""

    auth: AuthConfig
    uid: str = ""
    namespace: str = ""
    name: str = ""


def credentials(image: str, secrets: Sequence[Secret]) -> list[Credential]:
    """Return what the *secrets* have for the registry of *image*, the longest match first."""
    found: list[tuple[int, Credential]] = []
    for secret in secrets:
        meta = secret.metadata
        for server, entry in _entries(secret):
            if _matches(server, image):
                auth = Credential(_auth(entry), meta.uid, meta.namespace, meta.name)
                found.append((len(server), auth))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [credential for _, credential in found]


def _entries(secret: Secret) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, inner in ((".dockerconfigjson", "auths"), (".dockercfg", "")):
        if key not in secret.data:
            continue
        try:
            document = json.loads(b64decode(secret.data[key]))
            table = document.get(inner, {}) if inner else document
            yield from ((str(k), v) for k, v in table.items() if isinstance(v, dict))
        except (ValueError, AttributeError):
            continue  # an unreadable Secret helps no pull, as upstream


def _matches(server: str, image: str) -> bool:
    server = server.removeprefix("https://").removeprefix("http://").rstrip("/")
    for version in ("/v1", "/v2"):
        server = server.removesuffix(version)
    host, _, path = server.partition("/")
    first, _, rest = image.partition("/")
    if not rest or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", image
    if host in _DOCKER_HUB and first in _DOCKER_HUB:
        return rest.startswith(path)
    return fnmatch(first, host) and rest.startswith(path)


def _auth(entry: dict[str, Any]) -> AuthConfig:
    username, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if entry.get("auth"):
        try:
            username, _, password = b64decode(entry["auth"]).decode().partition(":")
        except (Base64Error, ValueError):
            return AuthConfig(identity_token=str(entry.get("identitytoken", "")))
    return AuthConfig(username, password, str(entry.get("identitytoken", "")))
