"""Objects from files: YAML, JSON, several in one, directories, stdin, URLs."""

from __future__ import annotations

import json
import os
import sys

from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import Discovery, ResourceType
    from podium.kubectl.flags import Values

_ENDINGS = (".json", ".yaml", ".yml")
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


class Manifest:
    """An object of a file, and where it goes: *namespace* is "" for kinds without one."""

    __slots__ = ("document", "name", "namespace", "source", "type")

    def __init__(
        self, source: str, document: dict[str, Any], type_: ResourceType, namespace: str, name: str
    ) -> None:
        self.source, self.document, self.type = source, document, type_
        self.namespace, self.name = namespace, name

    @property
    def path(self) -> str:
        assert self.name  # without it, this would be all objects
        return self.type.path(self.namespace, self.name)

    @property
    def collection(self) -> str:
        return self.type.path(self.namespace)


#: What commands do with the objects of files, where their errors say so.
_DOES = {"delete": "deleting", "replace": "replacing"}


def manifests(
    invocation: Invocation, discovery: Discovery, *, nameless: bool = False
) -> Iterator[Manifest]:
    """Yield the objects of the command's files. Raises CommandError.

    Only *nameless* ones may be without a name: without one, a path is that of all objects.
    """
    for source, document in documents(invocation):
        made = _manifest(invocation, discovery, source, document)
        if not made.name and not nameless:
            raise CommandError(_without_name(invocation.path.split(" ")[1], made))
        yield made


def _without_name(verb: str, manifest: Manifest) -> str:
    text = "resource name may not be empty"
    return f'error when {_DOES[verb]} "{manifest.source}": {text}' if verb in _DOES else text


def documents(invocation: Invocation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the command's files say, each object with its file. Raises CommandError."""
    values = invocation.values
    if getattr(values, "kustomize", ""):
        yield from _kustomized(invocation)
        return
    if not values.filename:
        raise CommandError("must specify one of -f and -k")
    for source, text in _sources(values.filename, getattr(values, "recursive", False)):
        for document in _documents(source, text):
            yield source, document


def _manifest(
    invocation: Invocation, discovery: Discovery, source: str, document: dict[str, Any]
) -> Manifest:
    kind, version = document.get("kind"), document.get("apiVersion")
    if not kind or not version:
        _check_validity(invocation.values, source, kind, version)
        missing = "Kind" if not kind else "apiVersion"
        shown = json.dumps(document, separators=(",", ":"), sort_keys=True)
        raise CommandError(
            f"unable to decode \"{source}\": Object '{missing}' is missing in '{shown}'"
        )
    try:
        type_ = discovery.kind(version, kind)
    except CommandError as exc:
        name = (document.get("metadata") or {}).get("name", "")
        raise CommandError(
            f'resource mapping not found for name: "{name}" namespace: '
            f'"{(document.get("metadata") or {}).get("namespace", "")}" from "{source}": {exc}'
        ) from exc
    metadata = document.setdefault("metadata", {})
    namespace = ""
    if type_.namespaced:
        session = invocation.session
        namespace = metadata.get("namespace") or session.namespace
        if session.enforces_namespace and namespace != session.namespace:
            raise CommandError(
                f'the namespace from the provided object "{namespace}" does not match the '
                f"namespace \"{session.namespace}\". You must pass '--namespace={namespace}' to "
                "perform this operation."
            )
        metadata["namespace"] = namespace
    return Manifest(source, document, type_, namespace, metadata.get("name", ""))


def given(values: Values) -> bool:
    """Whether the command is for the objects of files."""
    return bool(getattr(values, "filename", None) or getattr(values, "kustomize", ""))


def _kustomized(invocation: Invocation) -> Iterator[tuple[str, dict[str, Any]]]:
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
        raise CommandError(str(exc)) from exc
    for obj in objects:
        yield values.kustomize, obj


def _check_validity(values: Values, source: str, kind: Any, version: Any) -> None:
    """Raise CommandError where the command is to find out what is wrong before the server does."""
    if str(getattr(values, "validate", "ignore")).lower() in ("ignore", "false"):
        return
    wrong = [f"{name} not set" for name, value in (("apiVersion", version), ("kind", kind))
             if not value]  # fmt: skip
    text = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
    raise CommandError(
        f'error validating "{source}": error validating data: {text}; if you choose to ignore '
        "these errors, turn validation off with --validate=false"
    )


def selected(found: list[Manifest], text: str) -> list[Manifest]:
    """Return what has the labels of a selector. Raises CommandError."""
    if not text:
        return found
    from podium.api.selectors import parse_labels

    try:
        selector = parse_labels(text)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc
    return [
        one
        for one in found
        if selector.matches((one.document.get("metadata") or {}).get("labels") or {})
    ]


def content(name: str) -> str:
    """Return the text of a file, or of stdin for ``-``. Raises CommandError."""
    return next(text for _, text in _sources([name], False))


def _sources(names: Iterable[str], recursive: bool) -> Iterator[tuple[str, str]]:
    for name in names:
        if name == "-":
            yield "STDIN", sys.stdin.read()
        elif name.startswith(("http://", "https://")):
            yield name, _fetched(name)
        else:
            for path in _files(name, recursive):
                yield path, _text(path)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as exc:
        raise CommandError(f"open {path}: {(exc.strerror or '').lower()}") from exc
    except ValueError as exc:
        raise CommandError(f"error parsing {path}: {exc}") from exc


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
    found: list[str] = []
    for directory, below, files in os.walk(name):
        below.sort()
        found += [os.path.join(directory, file) for file in sorted(files)
                  if file.endswith(_ENDINGS)]  # fmt: skip
        if not recursive:
            break
    if not found:
        raise CommandError(
            f"error reading [{name}]: recognized file extensions are [{' '.join(_ENDINGS)}]"
        )
    return found


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


def _documents(source: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a text; a list gives its items."""
    for value in _values(source, text):
        if value is None:
            continue
        if not isinstance(value, dict):
            raise CommandError(
                f'error validating "{source}": error validating data: invalid object to validate; '
                "if you choose to ignore these errors, turn validation off with --validate=false"
            )
        items = value.get("items")
        if str(value.get("kind", "")).endswith("List") and isinstance(items, list):
            yield from items
        else:
            yield value


def _values(source: str, text: str) -> Iterator[Any]:
    """Yield the values of a text: JSON, one behind the other, as far as it goes, then YAML."""
    decoder = json.JSONDecoder()
    while text.lstrip().startswith("{"):
        text = text.lstrip()
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
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
            raise CommandError(
                f"error parsing {source}: error converting YAML to JSON: {exc}"
            ) from exc
