"""Patches of a kustomization: strategic merges and JSON patches, and which objects they are for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from podium.kubectl.kustomize.merging import merged
from podium.kubectl.kustomize.objects import Id, Item, KustomizeError, find, id_of
from podium.kubectl.kustomize.reading import documents
from podium.kubectl.patches import definition_of

Map = dict[str, Any]


class UnparsedError(KustomizeError):
    """A text is neither a strategic merge patch nor a JSON patch."""


def parsed(text: str | bytes, *, named: bool = False) -> list[Any]:
    """Return the patches of a text; *named* merge patches say which object they are for. Raises
    UnparsedError."""
    shown = text if isinstance(text, str) else text.decode(errors="replace")
    failed = UnparsedError(f"unable to parse SM or JSON patch from [patch: {json.dumps(shown)}]")
    try:
        if shown.startswith("["):
            json.loads(shown)  # what looks like a JSON patch is to be JSON, not only YAML
        found = documents(text)
    except ValueError as exc:
        raise failed from exc
    for one in found:
        plain = isinstance(one, dict) and not (named and not id_of(one).name)
        if not plain and not isinstance(one, list):
            raise failed
    return found


def apply(
    items: list[Item], patches: Sequence[Any], target: Mapping[str, Any], options: Map
) -> None:
    """Apply patches to the objects of their *target*, or to those that they name."""
    for patch in patches:
        if isinstance(patch, list):
            if not target:
                raise KustomizeError("must specify a target for JSON patch")
            for item in selected(items, target):
                item.obj = _patched(item.obj, patch)
        elif target:
            _merge_into(items, selected(items, target), patch, options)
        else:
            _merge_into(items, [_named(items, patch)], patch, options)


def _named(items: Sequence[Item], patch: Map) -> Item:
    wanted = id_of(patch)
    found = find(items, wanted)
    if len(found) != 1:
        why = "multiple matches" if found else "no matches"
        raise KustomizeError(
            f'no resource matches strategic merge patch "{wanted}": {why} for Id {wanted}; '
            f"failed to find unique target for patch {wanted}"
        )
    return found[0]


def _merge_into(items: list[Item], chosen: list[Item], patch: Map, options: Map) -> None:
    for item in chosen:
        was = item.id
        metadata = {**(patch.get("metadata") or {})}
        if not options.get("allowNameChange"):
            metadata.pop("name", None)
            metadata.pop("namespace", None)
        plain = {**patch, "metadata": metadata} if metadata else dict(patch)
        if not metadata:
            plain.pop("metadata", None)
        for name in ("apiVersion", "kind"):
            if not options.get("allowKindChange"):
                plain.pop(name, None)
        found = merged(item.obj, plain, definition_of(was.group, was.version, was.kind))
        if found is None:
            items.remove(item)
        else:
            item.remember()
            item.obj = found


def _patched(obj: Map, operations: list[Any]) -> Map:
    from podium.api.patch import json_patch

    try:
        json_patch.check(operations)
        result: Map = json_patch.apply(obj, operations)
    except ValueError as exc:
        raise KustomizeError(_why(obj, operations, exc)) from exc
    return result


def _why(obj: Map, operations: list[Any], error: ValueError) -> str:
    """What kustomize says of a path to remove that is not there; else the reason itself."""
    for operation in operations:
        path = operation.get("path", "") if isinstance(operation, dict) else ""
        if isinstance(operation, dict) and operation.get("op") == "remove":
            found: Any = obj
            *parents, last = path.lstrip("/").split("/")
            for name in parents:
                found = found.get(name, {}) if isinstance(found, dict) else {}
            if isinstance(found, dict) and last not in found:
                return (
                    f"error in remove for path: '{path}': Unable to remove nonexistent key: "
                    f"{last}: missing value"
                )
    return str(error)


def selected(items: Sequence[Item], target: Mapping[str, Any]) -> list[Item]:
    """Return the objects that a target's expressions fit. Raises KustomizeError."""
    from podium.api.selectors import parse_labels

    try:
        labels = parse_labels(str(target.get("labelSelector") or ""))
        annotations = parse_labels(str(target.get("annotationSelector") or ""))
    except ValueError as exc:
        raise KustomizeError(str(exc)) from exc
    found = []
    for item in items:
        metadata = item.obj.get("metadata") or {}
        if not labels.matches(metadata.get("labels") or {}):
            continue
        if not annotations.matches(metadata.get("annotations") or {}):
            continue
        if any(_fits(one, target) for one in item.ids):
            found.append(item)
    return found


def _fits(found: Id, target: Mapping[str, Any]) -> bool:
    for name in ("group", "version", "kind", "name", "namespace"):
        wanted = str(target.get(name) or "")
        try:
            if wanted and not re.fullmatch(wanted, getattr(found, name)):
                return False
        except re.error as exc:
            raise KustomizeError(f"error parsing regexp: {exc}") from exc
    return True
