"""Objects from files: YAML, JSON, several in one, directories, stdin, URLs."""

from __future__ import annotations

import os
import sys

from podium.kubectl.errors import CommandError, Said, Unreachable
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.flags import Values

_ENDINGS = (".json", ".yaml", ".yml")
_URLS = ("http://", "https://")

FILENAME_FLAG = Flag("filename", [], "Filename, directory, or URL to files identifying the "
                     "resource.", short="f", kind=Kind.LIST)  # fmt: skip
KUSTOMIZE_FLAG = Flag("kustomize", usage="Process the kustomization directory. This flag can't be "
                      "used together with -f or -R.", short="k")  # fmt: skip


def recursive_flag(*, default: bool = False) -> Flag:
    return Flag("recursive", default, "Process the directory used in -f, --filename recursively. "
                "Useful when you want to manage related manifests organized within the same "
                "directory.", short="R", kind=Kind.BOOL)  # fmt: skip


FILE_FLAGS = (FILENAME_FLAG, KUSTOMIZE_FLAG, recursive_flag())


def documents(
    invocation: Invocation, *, validates: bool = False
) -> Iterator[tuple[str, dict[str, Any]] | CommandError]:
    """Yield what the command's files say, each object with its file, or why there is none.

    A text that is broken ends its file; so does an object that is not as its schema says, with
    *validates*. Raises CommandError for files that are not there.
    """
    values = invocation.values
    if getattr(values, "kustomize", ""):
        yield from _kustomized(invocation)
        return
    if not values.filename:
        raise CommandError("must specify one of -f and -k")
    validates = validates and str(values.validate).lower() not in ("ignore", "false")
    from podium.kubectl.manifest_text import decoded, objects

    for source in _sources(values.filename, getattr(values, "recursive", False)):
        try:
            yield from objects(source, decoded(_bytes(source)), validates=validates)
        except Unreachable:
            raise
        except CommandError as exc:
            yield exc


def given(values: Values) -> bool:
    """Whether the command is for the objects of files."""
    return bool(getattr(values, "filename", None) or getattr(values, "kustomize", ""))


def _kustomized(invocation: Invocation) -> Iterator[tuple[str, dict[str, Any]] | CommandError]:
    values = invocation.values
    if values.filename:
        raise CommandError("only one of -f or -k can be specified")
    if values.recursive:
        raise CommandError("the -k flag can't be used with -f or -R")
    from podium.kubectl.kustomize.build import build
    from podium.kubectl.kustomize.objects import KustomizeError

    try:
        objects = build(values.kustomize)
    except KustomizeError as exc:
        yield CommandError(str(exc))
        return
    for obj in objects:
        yield values.kustomize, obj


def single(values: Values) -> bool:
    """Whether the command is for one file, which may have several objects."""
    names: list[str] = values.filename
    if len(names) != 1 or getattr(values, "kustomize", None):
        return False
    return not os.path.isdir(names[0])


_STDIN = "STDIN"


def _sources(names: Iterable[str], recursive: bool) -> list[str]:
    """Return the files, URLs and STDIN. Raises CommandError for those that are not there."""
    names = list(names)
    if names.count("-") > 1:
        raise CommandError("standard input cannot be used for multiple arguments")
    found: list[str] = []
    missing: list[CommandError] = []
    for name in names:
        if name == "-":
            found.append(_STDIN)
        elif name.startswith(_URLS):
            found.append(name)
        else:
            try:
                found += _files(name, recursive)
            except CommandError as exc:
                missing.append(exc)
    if len(missing) == 1:
        raise missing[0]
    if missing:
        raise Said("\n".join(map(str, missing)))
    return found


def _bytes(source: str) -> bytes:
    if source == _STDIN:
        return sys.stdin.buffer.read()
    if source.startswith(_URLS):
        return _fetched(source)
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as exc:
        raise CommandError(f"open {source}: {(exc.strerror or '').lower()}") from exc


def _matching(pattern: str) -> list[str]:
    """Return the files that a pattern in quotes stands for."""
    if not any(character in pattern for character in "*?["):
        return []
    import glob

    return sorted(glob.glob(pattern, include_hidden=True))


def _files(name: str, recursive: bool) -> list[str]:
    if not os.path.exists(name):
        matching = _matching(name)
        if not matching:
            raise CommandError(f'the path "{name}" does not exist')
        return [path for one in matching for path in _files(one, recursive)]
    if not os.path.isdir(name):
        return [name]
    found = list(_below(name, recursive))
    if not found:
        raise CommandError(
            f"error reading [{name}]: recognized file extensions are [{' '.join(_ENDINGS)}]"
        )
    return found


def _below(directory: str, recursive: bool) -> Iterator[str]:
    """Yield the files of a directory, and of those below in their places. Raises CommandError."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as exc:
        raise CommandError(f"open {directory}: {(exc.strerror or '').lower()}") from exc
    for name in names:
        path = os.path.normpath(os.path.join(directory, name))
        if os.path.isdir(path):
            if recursive and not os.path.islink(path):
                yield from _below(path, recursive)
        elif name.endswith(_ENDINGS):
            yield path


def _fetched(url: str) -> bytes:
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(url) as answer:
            data: bytes = answer.read()
    except HTTPError as exc:
        raise CommandError(
            f'unable to read URL "{url}", server reported {exc.code} {exc.reason}, '
            f"status code={exc.code}"
        ) from exc
    except URLError as exc:
        if isinstance(exc.reason, OSError):
            raise Unreachable(Url(url), exc.reason) from exc
        raise CommandError(f'unable to read URL "{url}": {exc.reason}') from exc
    return data
