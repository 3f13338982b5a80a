"""``kubectl create secret generic|docker-registry|tls``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from podium.kubectl.command import Command, Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, resource
from podium.kubectl.errors import CommandError, unreadable
from podium.kubectl.file_data import DATA_FLAGS, entries, hashed
from podium.kubectl.flags import Flag, Values

_SECRETS = resource("", "v1", "secrets", "Secret")
_DOCKER_KEY = ".dockerconfigjson"
_APPEND_HASH, _, _FROM_FILE, _ = DATA_FLAGS


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _generic(invocation: Invocation, name: str) -> Map:
    values = invocation.values
    data: dict[str, str] = {}
    for key, value in entries(values, "Secret"):
        if key in data:
            raise CommandError(f"cannot add key {key}, another key by that name already exists")
        data[key] = _encoded(value)
    fields: Map = {"data": data, "type": values.type}
    return hashed(invocation, "Secret", name, {k: v for k, v in fields.items() if v})


def _docker_registry(invocation: Invocation, name: str) -> Map:
    values = invocation.values
    data: dict[str, str] = {}
    if values.from_file:
        for text, (key, value) in zip(values.from_file, entries(values, "Secret"), strict=True):
            data[key if "=" in text else _DOCKER_KEY] = _encoded(value)
    else:
        data[_DOCKER_KEY] = _encoded(_docker_config(values))
    fields: Map = {"data": data, "type": "kubernetes.io/dockerconfigjson"}
    return hashed(invocation, "Secret", name, fields)


def _docker_config(values: Values) -> bytes:
    for name in ("username", "password", "server"):
        if not getattr(values, f"docker_{name}"):
            raise CommandError(
                "either --from-file or the combination of --docker-username, --docker-password "
                "and --docker-server is required"
            )
    user, password = values.docker_username, values.docker_password
    entry = {"username": user, "password": password, "email": values.docker_email,
             "auth": _encoded(f"{user}:{password}".encode())}  # fmt: skip
    entry = {key: value for key, value in entry.items() if value}
    auths = {"auths": {values.docker_server: entry}}
    return json.dumps(auths, separators=(",", ":"), ensure_ascii=False).encode()


def _tls(invocation: Invocation, name: str) -> Map:
    values = invocation.values
    if not values.cert or not values.key:
        raise CommandError("key and cert must be specified")
    certificate, key = _content(values.cert), _content(values.key)
    _check_pair(certificate, key)
    data = {"tls.crt": _encoded(certificate), "tls.key": _encoded(key)}
    return hashed(invocation, "Secret", name, {"data": data, "type": "kubernetes.io/tls"})


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise CommandError(f"Cannot read file {path}, {unreadable(exc, path)}") from exc


def _check_pair(certificate: bytes, key: bytes) -> None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        raise CommandError("tls: failed to find any PEM data in certificate input")
    if b"PRIVATE KEY-----" not in key:
        raise CommandError("tls: failed to find any PEM data in key input")
    try:
        public = x509.load_pem_x509_certificate(certificate).public_key()
        own = load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise CommandError(f"tls: failed to parse the pair: {exc}") from exc
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != own.public_bytes(*form):
        raise CommandError("tls: private key does not match public key")


_GENERIC = generator(
    dry_run_usage(
        "secret generic NAME [--type=string] [--from-file=[key=]source] "
        "[--from-literal=key1=value1]"
    ),
    "Create a secret from a local file, directory, or literal value",
    creates(_SECRETS, _generic, "failed to create secret"),
    (*DATA_FLAGS, Flag("type", usage="The type of secret to create")),
)
_DOCKER = generator(
    dry_run_usage(
        "secret docker-registry NAME --docker-username=user --docker-password=password "
        "--docker-email=email [--docker-server=string] [--from-file=[key=]source]"
    ),
    "Create a secret for use with a Docker registry",
    creates(_SECRETS, _docker_registry, "failed to create secret"),
    (
        _APPEND_HASH, _FROM_FILE,
        Flag("docker-email", usage="Email for Docker registry"),
        Flag("docker-password", usage="Password for Docker registry authentication"),
        Flag("docker-server", "https://index.docker.io/v1/", "Server location for Docker registry"),
        Flag("docker-username", usage="Username for Docker registry authentication"),
    ),
)  # fmt: skip
_TLS = generator(
    dry_run_usage("secret tls NAME --cert=path/to/cert/file --key=path/to/key/file"),
    "Create a TLS secret",
    creates(_SECRETS, _tls, "failed to create secret"),
    (
        _APPEND_HASH,
        Flag("cert", usage="Path to PEM encoded public key certificate."),
        Flag("key", usage="Path to private key associated with given certificate."),
    ),
)

SECRET = Command(
    usage="kubectl create secret (docker-registry | generic | tls) [options]",
    short="Create a secret using a specified subcommand",
    children={"docker-registry": _DOCKER, "generic": _GENERIC, "tls": _TLS},
)
