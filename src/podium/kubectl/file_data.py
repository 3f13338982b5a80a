"""What ``--from-file``, ``--from-literal`` and ``--from-env-file`` say: keys with their bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from podium.api import names
from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values

DATA_FLAGS = (
    Flag("append-hash", False, "Append a hash of what it holds to its name.", kind=Kind.BOOL),
    Flag("from-env-file", [], "Specify the path to a file to read lines of key=val pairs to make "
         "entries of.", kind=Kind.LIST),
    Flag("from-file", [], "Key file can be specified using its file path, in which case file "
         "basename will be used as the key, or optionally with a key and file path, in which case "
         "the given key will be used. Specifying a directory will iterate each named file in the "
         "directory.", kind=Kind.LIST),
    Flag("from-literal", [], "Specify a key and literal value to insert (i.e. mykey=somevalue)",
         kind=Kind.ARRAY),
)  # fmt: skip


def hashed(invocation: Invocation, kind: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return *fields*, with a name that ends in their hash where that is asked for."""
    if not invocation.values.append_hash:
        return fields
    from podium.kubectl.name_hash import suffix

    ending = suffix({"kind": kind, "metadata": {"name": name}, "data": {}, **fields})
    return {"metadata": {"name": f"{name}-{ending}"}, **fields}


def entries(values: Values, kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield keys and values that the flags name, for an object of *kind*. Raises CommandError."""
    literals = getattr(values, "from_literal", ())
    env_files = getattr(values, "from_env_file", ())
    if env_files and (values.from_file or literals):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    for text in values.from_file:
        for key, value in _of_file(text):
            yield _key(key, kind), value
    for text in literals:
        key, equals, literal = text.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid literal source {text}, expected key=value")
        yield _key(key, kind), literal.encode(errors="surrogateescape")
    for path in env_files:
        yield from _of_env_file(path)


def _key(key: str, kind: str) -> str:
    if problems := names.config_map_key(key):
        if kind == "Secret":
            raise CommandError(f'"{key}" is not valid key name for a Secret {";".join(problems)}')
        raise CommandError(f'"{key}" is not a valid key name for a {kind}: {",".join(problems)}')
    return key


def _of_file(text: str) -> Iterator[tuple[str, bytes]]:
    key, equals, rest = text.partition("=")
    if "=" in rest:
        raise CommandError("key names or file paths cannot contain '='")
    if equals and not key:
        raise CommandError(f"key name for file path {rest} missing")
    if equals and not rest:
        raise CommandError(f"file path for key name {key} missing")
    path = rest if equals else text
    if os.path.isdir(path):
        if equals:
            raise CommandError("cannot give a key name for a directory path")
        for name in sorted(os.listdir(path)):
            file = os.path.join(path, name)
            if os.path.isfile(file) and not os.path.islink(file):
                yield name, read(file)
        return
    yield (key if equals else os.path.basename(path)), read(path)


def _of_env_file(path: str) -> Iterator[tuple[str, bytes]]:
    if os.path.isdir(path):
        raise CommandError("env config file cannot be a directory")
    try:
        for key, value in variables(read(path)):
            if problems := names.env_var(key):
                raise CommandError(f'"{key}" is not a valid key name: {";".join(problems)}')
            yield key, value
    except NoText as exc:
        raise CommandError(
            f"env file {path} contains invalid utf8 bytes at line {exc.number}: {exc.shown}"
        ) from exc


class NoText(ValueError):
    """A *line* of a file of variables, its *number*-th, is no UTF-8; *shown* as Go prints bytes."""

    def __init__(self, number: int, line: bytes) -> None:
        super().__init__(number, line)
        self.number, self.line = number, line
        self.shown = f"[{' '.join(map(str, line))}]"


def variables(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the variables of a file's lines; one without a value has that of our own. Raises
    NoText."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, content in enumerate(lines, 1):
        content = content.removesuffix(b"\r")
        try:
            line = content.decode().lstrip()
        except UnicodeDecodeError:
            raise NoText(number, content) from None
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        yield key, (value if equals else os.environ.get(key, "")).encode()


def read(path: str) -> bytes:
    """Return what a file holds. Raises CommandError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as exc:
        reason = (exc.strerror or "").lower()
        raise CommandError(f"error reading {path}: {reason}") from exc
