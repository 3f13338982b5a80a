"""Objects from files: YAML, JSON, several in one, directories, stdin, URLs."""

from __future__ import annotations

import json
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
_SEPARATOR = r"^---(?=\s|\Z).*?$"

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
    for source in _sources(values.filename, getattr(values, "recursive", False)):
        try:
            for value, listed in _documents(source, _text(source), validates=validates):
                wrong = _undecoded(source, value, listed=listed)
                yield wrong or (source, value)
        except Unreachable:
            raise
        except CommandError as exc:
            yield exc


def _validate(source: str, value: Any) -> None:
    """Raise CommandError for what is no object, before the server does."""
    if not isinstance(value, dict):
        text = "invalid object to validate"
    else:
        wrong = []
        for name in ("apiVersion", "kind"):
            if not isinstance(value.get(name) or "", str):
                wrong.append(f"{name} isn't string type")
            elif not value.get(name):
                wrong.append(f"{name} not set")
        text = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]" if wrong else ""
    if text:
        raise CommandError(
            f'error validating "{source}": error validating data: {text}; if you choose to ignore '
            "these errors, turn validation off with --validate=false"
        )


GO_TYPES = {str: "string", list: "array", bool: "bool", int: "number", float: "number"}


def _undecoded(source: str, value: Any, *, listed: bool) -> CommandError | None:
    """Return why a value is no object, None where it is one."""
    if value is None:  # an item of a list; to Go, an object that says nothing
        value = {}
    if not isinstance(value, dict):
        what = f"json: cannot unmarshal {GO_TYPES[type(value)]} into Go value of type "
        return CommandError(f'unable to decode "{source}": {what}unstructured.detector')
    for name, shown in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if isinstance(value.get(name), str) and value[name]:
            continue
        if listed:
            return Said(
                'unable to get type info from the object "*unstructured.Unstructured": Object '
                f"'{shown}' is missing in 'object has no {name} field '"
            )
        text = json.dumps(value, separators=(",", ":"), sort_keys=True)
        return CommandError(
            f"unable to decode \"{source}\": Object '{shown}' is missing in '{text}'"
        )
    if wrong := _wrong_metadata(value.get("metadata")):
        return CommandError(f'unable to decode "{source}": json: cannot unmarshal {wrong}')
    return None


def _wrong_metadata(metadata: Any) -> str:
    """Return what of an object's metadata Go could not read, "" for nothing."""
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        what = f"{GO_TYPES[type(metadata)]} into Go struct field metadataOnlyObject.metadata"
        return f"{what} of type v1.ObjectMeta"
    for name, wanted in (
        ("name", str),
        ("namespace", str),
        ("labels", dict),
        ("annotations", dict),
    ):
        value = metadata.get(name)
        go_type = "string" if wanted is str else "map[string]string"
        wrong = [] if value is None or isinstance(value, wanted) else [value]
        if not wrong and isinstance(value, dict):
            wrong = [one for one in value.values() if one is not None and not isinstance(one, str)]
            go_type = "string"
        if wrong:
            found = GO_TYPES.get(type(wrong[0]), "object")
            return f"{found} into Go struct field ObjectMeta.metadata.{name} of type {go_type}"
    return ""


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


def content(name: str) -> str:
    """Return the text of a file, or of stdin for ``-``. Raises CommandError."""
    return _text(next(iter(_sources([name], False))))


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


def _text(source: str) -> str:
    if source == _STDIN:
        return sys.stdin.read()
    if source.startswith(_URLS):
        return _fetched(source)
    try:
        with open(source, encoding="utf-8") as file:
            return file.read()
    except OSError as exc:
        raise CommandError(f"open {source}: {(exc.strerror or '').lower()}") from exc
    except ValueError as exc:
        raise CommandError(f"error parsing {source}: {exc}") from exc


def _matching(pattern: str) -> list[str]:
    """Return the files that a pattern in quotes stands for."""
    if not any(character in pattern for character in "*?["):
        return []
    import glob

    return sorted(glob.glob(pattern))


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


def _fetched(url: str) -> str:
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(url) as answer:
            text: str = answer.read().decode()
    except HTTPError as exc:
        raise CommandError(
            f'unable to read URL "{url}", server reported {exc.code} {exc.reason}, '
            f"status code={exc.code}"
        ) from exc
    except URLError as exc:
        if isinstance(exc.reason, OSError):
            raise Unreachable(Url(url).authority, exc.reason) from exc
        raise CommandError(f'unable to read URL "{url}": {exc.reason}') from exc
    return text


def _documents(source: str, text: str, *, validates: bool) -> Iterator[tuple[Any, bool]]:
    """Yield the values of a text, and whether it was in a list; a list gives its items.

    Raises CommandError, with *validates* also for a value that is not as its schema says.
    """
    for value in _values(source, text):
        if value is None:
            continue
        if validates:
            _validate(source, value)
        kind = str(value.get("kind", "")) if isinstance(value, dict) else ""
        items = value.get("items") if kind.endswith("List") else None
        if not isinstance(items, list):
            yield value, False
            continue
        if kind != "List":
            of_list = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
            items = [{**of_list, **item} if isinstance(item, dict) else item for item in items]
        for item in items if validates else ():
            _validate(source, item)
        yield from ((item, True) for item in items)


def _values(source: str, text: str) -> Iterator[Any]:
    """Yield the values of a text: JSON, one behind the other, as far as it goes, then YAML."""
    decoder = json.JSONDecoder()
    cut_off = False
    while text.lstrip().startswith("{"):
        text = text.strip()
        try:
            value, end = decoder.raw_decode(text)
        except json.JSONDecodeError as exc:
            cut_off = exc.pos >= len(text)
            break  # it may be YAML, which has braces, too
        yield value
        text = text[end:]
    import re

    from podium.api import yaml_json

    for part in re.split(_SEPARATOR, text, flags=re.MULTILINE):
        if not part.strip():
            continue
        try:
            yield yaml_json.load(part.removeprefix("\n"))[0]
        except yaml_json.YamlFailure as exc:
            why = "unexpected EOF" if cut_off else f"error converting YAML to JSON: {exc}"
            raise CommandError(f"error parsing {source}: {why}") from exc
