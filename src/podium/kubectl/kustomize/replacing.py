"""``replacements`` of a kustomization: fields that get the value of another field."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from podium.api import go_json
from podium.kubectl.kustomize import go_types
from podium.kubectl.kustomize.field_paths import get, places, plain, split, text
from podium.kubectl.kustomize.objects import Id, Item, KustomizeError
from podium.kubectl.kustomize.patching import selected
from podium.kubectl.kustomize.reading import documents

Map = dict[str, Any]
_NAME = "metadata.name"
_ANNOTATIONS = ["metadata", "annotations"]


def replace(items: Sequence[Item], said: Sequence[Map], read: Callable[[str], bytes]) -> None:
    """Follow the replacements that a kustomization says. Raises KustomizeError."""
    for entry in said:
        if entry.get("path"):
            for document in documents(read(entry["path"])):
                if not isinstance(document, dict | list):
                    raise KustomizeError(
                        "unsupported replacement type encountered within replacement path: "
                        f"{go_json.kind(document)}"
                    )
                for one in document if isinstance(document, list) else [document]:
                    _replace(items, go_types.replacement(one))
        else:
            _replace(items, entry)


def _replace(items: Sequence[Item], said: Map) -> None:
    source, fixed = said.get("source"), said.get("sourceValue")
    if (source is None and fixed is None) or not said.get("targets"):
        raise KustomizeError("replacements must specify a source and at least one target")
    if source is not None and fixed is not None:
        raise KustomizeError("value and resource selectors are mutually exclusive")
    value = fixed if source is None else _value(items, source)
    for target in said["targets"]:
        if not target.get("select"):
            raise KustomizeError("target must specify resources to select")
        rejected = [item for one in target.get("reject") or () for item in selected(items, one)]
        for item in selected(items, target["select"]):
            if not any(item is one for one in rejected):
                _put(item.obj, value, target)


def _value(items: Sequence[Item], source: Map) -> Any:
    """Return what is to be put into the targets. Raises KustomizeError."""
    found = [item for item in items if any(_is(one, source) for one in item.ids)]
    if len(found) != 1:
        why = "multiple matches for selector" if found else "nothing selected by"
        path = f":{source['fieldPath']}" if source.get("fieldPath") else ""
        raise KustomizeError(f"{why} {_shown(source)}{path}")
    path, options = source.get("fieldPath") or _NAME, source.get("options") or {}
    value = get(found[0].obj, path)
    if value is None:
        raise KustomizeError(
            f"fieldPath `{path}` is missing for replacement source {_shown(source)}"
        )
    delimiter = options.get("delimiter")
    if not delimiter:
        return value
    if isinstance(value, dict | list):
        raise KustomizeError("delimiter option can only be used with scalar nodes")
    parts, index = text(value).split(delimiter), options.get("index") or 0
    if not 0 <= index < len(parts):
        raise KustomizeError(f"options.index {index} is out of bounds for value {text(value)}")
    return parts[index]


def _is(found: Id, wanted: Map) -> bool:
    names = ("group", "version", "kind", "name", "namespace")
    return all(getattr(found, name) == wanted[name] for name in names if wanted.get(name))


def _shown(said: Map) -> str:
    """Return a selector as kustomize's errors name it."""
    kind = f"{said.get('kind') or '[noKind]'}.{said.get('version') or '[noVer]'}"
    name, namespace = said.get("name") or "[noName]", said.get("namespace") or "[noNs]"
    return f"{kind}.{said.get('group') or '[noGrp]'}/{name}.{namespace}"


def _put(obj: Map, value: Any, target: Map) -> None:
    options = target.get("options") or {}
    for path in target.get("fieldPaths") or [_NAME]:
        parts = split(path)
        found = list(places(obj, parts, create=bool(options.get("create")))) if parts else []
        if not found:
            raise KustomizeError(f'unable to find field "{path}" in replacement target')
        for holder, key in found:
            there = key in holder if isinstance(holder, dict) else True
            before = holder[key] if there else None
            if not there and parts[:-1] == _ANNOTATIONS:
                there, before = True, ""  # annotations are texts
            holder[key] = _replaced(before, value, options, there=there)


def _replaced(before: Any, value: Any, options: Map, *, there: bool) -> Any:
    if delimiter := options.get("delimiter"):
        if isinstance(before, dict | list):
            raise KustomizeError("delimiter option can only be used with scalar nodes")
        parts, index = text(before).split(delimiter), options.get("index") or 0
        if index < 0:
            parts.insert(0, text(value))
        elif index >= len(parts):
            parts.append(text(value))
        else:
            parts[index] = text(value)
        value = delimiter.join(parts)
    if isinstance(value, dict | list):
        return copy.deepcopy(value)
    # A field that is there keeps its type; a new one has that of a word without quotes.
    return text(value) if there and isinstance(before, str) else plain(text(value))
