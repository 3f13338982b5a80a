"""``kubectl create namespace|configmap|secret generic|serviceaccount``: objects by their flags."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    VALIDATE_FLAG,
    dry_run,
    manager_flag,
    printed,
    write_query,
)

_COMMON = (DRY_RUN_FLAG, OUTPUT_FLAG, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
           manager_flag("kubectl-create"))  # fmt: skip
_DATA = (
    Flag("from-env-file", [], "Specify the path to a file to read lines of key=val pairs to make "
         "entries of.", kind=Kind.LIST),
    Flag("from-file", [], "Key file can be specified using its file path, in which case file "
         "basename will be used as the key, or optionally with a key and file path, in which case "
         "the given key will be used. Specifying a directory will iterate each named file in the "
         "directory.", kind=Kind.LIST),
    Flag("from-literal", [], "Specify a key and literal value to insert (i.e. mykey=somevalue)",
         kind=Kind.ARRAY),
)  # fmt: skip
_Fields = Callable[[Values, str], dict[str, Any]]


def _creates(plural: str, kind: str, fields: _Fields, failed: str = "") -> Any:
    """Return what makes an object of *kind*, with *fields* beside its metadata.

    A refusal is told behind *failed*, where there is one.
    """
    type_ = ResourceType("", "v1", plural, kind, kind != "Namespace", "", (), (), ())

    def run(invocation: Invocation) -> int:
        values, session, words = invocation.values, invocation.session, invocation.words
        if len(words) != 1:
            raise Said(
                f"error: exactly one NAME is required, got {len(words)}\n"
                f"See '{invocation.path} -h' for help and examples"
            )
        metadata = {"name": words[0]}
        if type_.namespaced and session.enforces_namespace:
            metadata["namespace"] = session.namespace
        obj = {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields(values, words[0])}
        query = write_query(values)
        if dry_run(values) != "client":
            path, body = type_.path(session.namespace), json.dumps(obj).encode()
            try:
                answer = session.http.request("POST", path, query, body=body)
            except StatusError as error:
                if not failed:
                    raise
                raise CommandError(f"{failed} {error}") from error
            session.warn(answer)
            obj = answer.json()
        printed(invocation, type_, obj, "created")
        return 0

    return run


def _namespace(_values: Values, _name: str) -> dict[str, Any]:
    return {"spec": {}, "status": {}}


def _service_account(_values: Values, _name: str) -> dict[str, Any]:
    return {}


def _config_map(values: Values, name: str) -> dict[str, Any]:
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, value in _entries(values):
        if key in data or key in binary:
            raise CommandError(
                f'cannot add key "{key}", another key by that name already exists in Data for '
                f'ConfigMap "{name}"'
            )
        try:
            data[key] = value.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(value).decode()
    fields = {"data": data, "binaryData": binary}
    return {field: found for field, found in fields.items() if found}


def _secret(values: Values, _name: str) -> dict[str, Any]:
    data: dict[str, str] = {}
    for key, value in _entries(values):
        if key in data:
            raise CommandError(f"cannot add key {key}, another key by that name already exists")
        data[key] = base64.b64encode(value).decode()
    fields: dict[str, Any] = {"data": data, "type": values.type}
    return {field: found for field, found in fields.items() if found}


def _entries(values: Values) -> Iterator[tuple[str, bytes]]:
    """Yield keys and values that the flags name. Raises CommandError."""
    if values.from_env_file and (values.from_file or values.from_literal):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    for text in values.from_file:
        yield from _of_file(text)
    for text in values.from_literal:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid literal source {text}, expected key=value")
        yield key, value.encode()
    for path in values.from_env_file:
        for line in _read(Path(path)).decode().splitlines():
            line = line.lstrip()
            if line and not line.startswith("#"):
                key, equals, value = line.partition("=")
                yield key, (value if equals else os.environ.get(key, "")).encode()


def _of_file(text: str) -> Iterator[tuple[str, bytes]]:
    key, equals, rest = text.partition("=")
    if equals and not key:
        raise CommandError(f"key name for file path {rest} missing")
    path = Path(rest if equals else text)
    if path.is_dir() and not equals:
        for file in sorted(path.iterdir()):
            if file.is_file():
                yield file.name, _read(file)
        return
    yield (key if equals else path.name), _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        reason = (exc.strerror or "").lower()
        raise CommandError(f"error reading {path}: {reason}") from exc


_GENERIC = Command(
    usage="kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] "
    "[--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
    short="Create a secret from a local file, directory, or literal value",
    run=_creates("secrets", "Secret", _secret, "failed to create secret"),
    flags=(*_COMMON, *_DATA, Flag("type", usage="The type of secret to create")),
)

CHILDREN = {
    "configmap": Command(
        usage="kubectl create configmap NAME [--from-file=[key=]source] "
        "[--from-literal=key1=value1] [--dry-run=server|client|none] [options]",
        short="Create a config map from a local file, directory or literal value",
        run=_creates("configmaps", "ConfigMap", _config_map, "failed to create configmap:"),
        flags=(*_COMMON, *_DATA),
        aliases=("cm",),
    ),
    "namespace": Command(
        usage="kubectl create namespace NAME [--dry-run=server|client|none] [options]",
        short="Create a namespace with the specified name",
        run=_creates("namespaces", "Namespace", _namespace),
        flags=_COMMON,
        aliases=("ns",),
    ),
    "secret": Command(
        usage="kubectl create secret generic [options]",
        short="Create a secret using a specified subcommand",
        children={"generic": _GENERIC},
    ),
    "serviceaccount": Command(
        usage="kubectl create serviceaccount NAME [--dry-run=server|client|none] [options]",
        short="Create a service account with the specified name",
        run=_creates(
            "serviceaccounts",
            "ServiceAccount",
            _service_account,
            "failed to create serviceaccount:",
        ),
        flags=_COMMON,
        aliases=("sa",),
    ),
}
