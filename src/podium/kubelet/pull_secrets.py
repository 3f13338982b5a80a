"""``imagePullSecrets``: registry credentials out of ``.dockerconfigjson`` and ``.dockercfg``.

https://kubernetes.io/docs/concepts/containers/images/#using-a-private-registry
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
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
    """Whether what a Secret has for *server* is for *image*. A ``*`` stands for (a part of) one
    label of a host's name, and never for a port, so that nothing goes further than it should."""
    server = server.removeprefix("https://").removeprefix("http://")
    host, _, path = server.partition("/")
    for version in ("v1/", "v2/"):
        path = path.removeprefix(version)
    first, _, rest = image.partition("/")
    if not rest or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", image
    if host in _DOCKER_HUB and first in _DOCKER_HUB:
        return rest.startswith(path)
    return _host_matches(host, first) and rest.startswith(path)


def _host_matches(pattern: str, host: str) -> bool:
    (pattern, _, port), (host, _, its_port) = pattern.partition(":"), host.partition(":")
    patterns, labels = pattern.split("."), host.split(".")
    return (
        port == its_port
        and len(patterns) == len(labels)
        and all(map(fnmatchcase, labels, patterns))
    )


def _auth(entry: dict[str, Any]) -> AuthConfig:
    username, password, token = (
        str(entry.get(name) or "") for name in ("username", "password", "identitytoken")
    )
    if entry.get("auth"):
        try:
            username, _, password = b64decode(entry["auth"]).decode().partition(":")
        except (TypeError, ValueError):  # no text, or none in base64
            return AuthConfig(identity_token=token)
    return AuthConfig(username, password, token)
