"""ConfigMaps and Secrets that a kustomization makes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from podium.kubectl.file_data import NoText, variables
from podium.kubectl.kustomize.objects import Item, KustomizeError, find, id_of

Map = dict[str, Any]
Read = Callable[[str], bytes]
_LINE = 70


def generate(items: list[Item], kind: str, said: Map, common: Map, read: Read) -> None:
    """Make an object of *kind*, or change one that is there, as a generator says."""
    obj = _object(kind, said, common, read)
    behavior = str(said.get("behavior") or "unspecified")
    found = find(items, id_of(obj))
    if behavior in ("merge", "replace"):
        if len(found) != 1:
            raise KustomizeError(f"id {id_of(obj)} does not exist; cannot merge or replace")
        _change(found[0], obj, merge=behavior == "merge")
        return
    if found:
        raise KustomizeError(
            f"id {id_of(obj)} exists; can not use behavior: '{behavior}', behavior must be merge "
            "or replace"
        )
    options = {**common, **(said.get("options") or {})}
    items.append(Item(obj, hashed=not options.get("disableNameSuffixHash")))


def _change(item: Item, obj: Map, *, merge: bool) -> None:
    for field in ("immutable", "type"):
        item.obj.pop(field, None)
        item.obj |= {field: obj[field]} if field in obj else {}
    for field in ("data", "binaryData"):
        new = obj.get(field) or {}
        kept = {**(item.obj.get(field) or {}), **new} if merge else new
        item.obj.pop(field, None)
        if kept:
            item.obj[field] = kept
    for field in ("labels", "annotations"):
        if new := obj["metadata"].get(field):
            old = item.obj["metadata"].get(field) or {}
            item.obj["metadata"][field] = {**old, **new}


def _object(kind: str, said: Map, common: Map, read: Read) -> Map:
    if not said.get("name"):
        raise KustomizeError(f"a {kind.lower()} must have a name")
    own = said.get("options") or {}
    metadata: Map = {"name": said["name"]}
    if said.get("namespace"):
        metadata["namespace"] = said["namespace"]
    for field in ("labels", "annotations"):
        if pairs := {**(common.get(field) or {}), **(own.get(field) or {})}:
            metadata[field] = pairs
    obj: Map = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    for key, value in _entries(said, read):
        _put(obj, kind, key, value)
    if kind == "Secret":
        obj["type"] = said.get("type") or "Opaque"
    if own.get("immutable", common.get("immutable")):
        obj["immutable"] = True
    return obj


def _put(obj: Map, kind: str, key: str, value: bytes) -> None:
    if key in obj.get("data", {}) or key in obj.get("binaryData", {}):
        name = obj["metadata"]["name"]
        raise KustomizeError(f"{kind.lower()} {name} illegally repeats the key `{key}`")
    if kind == "ConfigMap":
        try:
            obj.setdefault("data", {})[key] = value.decode()
        except UnicodeDecodeError:
            obj.setdefault("binaryData", {})[key] = _encoded(value)
    else:
        obj.setdefault("data", {})[key] = _encoded(value)


def _encoded(value: bytes) -> str:
    """Base64, in lines where it is long."""
    text = base64.b64encode(value).decode()
    if len(text) < _LINE:
        return text
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "".join(f"{line}\n" for line in lines)


def _entries(said: Map, read: Read) -> Iterator[tuple[str, bytes]]:
    """Yield keys and values, sources in kustomize's order."""
    env_files = [*(said.get("envs") or ()), *([said["env"]] if said.get("env") else ())]
    for path in env_files:
        sources = f"env source files: [{' '.join(map(str, env_files))}]"
        try:
            yield from variables(_source(read, path, sources))
        except NoText as exc:
            shown = exc.line.decode(errors="replace")
            raise KustomizeError(
                f"loading KV pairs: {sources}: line {exc.shown} has invalid utf8 bytes : {shown}"
            ) from exc
    for text in said.get("literals") or ():
        key, equals, value = str(text).partition("=")
        if not equals or not key:
            sources = " ".join(map(str, said["literals"]))
            raise KustomizeError(
                f"loading KV pairs: literal sources [{sources}]: invalid literal source {text}, "
                "expected key=value"
            )
        yield key, _unquoted(value).encode()
    for text in said.get("files") or ():
        key, equals, path = str(text).partition("=")
        path = path if equals else key
        sources = f"file sources: [{' '.join(map(str, said['files']))}]"
        yield (key if equals else path.rpartition("/")[2]), _source(read, path, sources)


def _source(read: Read, path: str, sources: str) -> bytes:
    try:
        return read(path)
    except KustomizeError as exc:
        raise KustomizeError(f"loading KV pairs: {sources}: {exc}") from exc


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
