"""What a kustomization may say, as kustomize's types in Go have it. Pure.

Go's decoder finds members by their names in any case, refuses those it does not know, and names in
its errors the struct and the path to the member, embedded structs among it.
"""

from __future__ import annotations

from typing import Any

from podium.api import go_json
from podium.kubectl.kustomize.objects import KustomizeError

Map = dict[str, Any]

_TEXTS = "[]string"
_PAIRS = "map[string]string"
_GVK = {"Gvk.group": "string", "Gvk.version": "string", "Gvk.kind": "string"}
_ID = {f"ResId.{name}": "string" for name in (*_GVK, "name", "namespace")}
_GENERATOR: dict[str, str] = {
    **{f"GeneratorArgs.{name}": "string" for name in ("name", "namespace", "behavior")},
    **{f"GeneratorArgs.KvPairSources.{name}": _TEXTS for name in ("literals", "files", "envs")},
    "GeneratorArgs.KvPairSources.env": "string",
    "GeneratorArgs.options": "*types.GeneratorOptions",
}
#: Structs by their names: their members, behind the embedded structs that have them.
_STRUCTS: dict[str, dict[str, str]] = {
    "Kustomization": {
        "TypeMeta.apiVersion": "string",
        "TypeMeta.kind": "string",
        "metadata": "*types.ObjectMeta",
        "namespace": "string",
        "namePrefix": "string",
        "nameSuffix": "string",
        "generatorOptions": "*types.GeneratorOptions",
        "commonLabels": _PAIRS,
        "commonAnnotations": _PAIRS,
        "resources": _TEXTS,
        "bases": _TEXTS,
        "components": _TEXTS,
        "labels": "[]types.Label",
        "images": "[]types.Image",
        "imageTags": "[]types.Image",
        "replicas": "[]types.Replica",
        "configMapGenerator": "[]types.ConfigMapArgs",
        "secretGenerator": "[]types.SecretArgs",
        "patches": "[]types.Patch",
        "patchesStrategicMerge": "[]types.PatchStrategicMerge",
        "patchesJson6902": "[]types.Patch",
        "replacements": "[]types.ReplacementField",
        "vars": "[]types.Var",
        "sortOptions": "*types.SortOptions",
        "buildMetadata": _TEXTS,
        "generators": _TEXTS,
        "transformers": _TEXTS,
        "helmCharts": "[]types.HelmChart",
    },
    "ObjectMeta": {
        "name": "string", "namespace": "string", "labels": _PAIRS, "annotations": _PAIRS,
    },
    "GeneratorOptions": {
        "labels": _PAIRS, "annotations": _PAIRS, "disableNameSuffixHash": "bool",
        "immutable": "bool",
    },
    "Label": {
        "pairs": _PAIRS, "includeSelectors": "bool", "includeTemplates": "bool",
        "fields": "[]types.FieldSpec",
    },
    "FieldSpec": {**_GVK, "path": "string", "create": "bool"},
    "Image": dict.fromkeys(("name", "newName", "tagSuffix", "newTag", "digest"), "string"),
    "Replica": {"name": "string", "count": "int64"},
    "ConfigMapArgs": _GENERATOR,
    "SecretArgs": {**_GENERATOR, "type": "string"},
    "Patch": {
        "path": "string", "patch": "string", "target": "*types.Selector",
        "options": "*types.PatchArgs",
    },
    "PatchArgs": {"allowNameChange": "bool", "allowKindChange": "bool"},
    "Selector": {**_ID, "annotationSelector": "string", "labelSelector": "string"},
    "ReplacementField": {
        "Replacement.source": "*types.SourceSelector",
        "Replacement.sourceValue": "*string",
        "Replacement.targets": "[]*types.TargetSelector",
        "path": "string",
    },
    "Replacement": {
        "source": "*types.SourceSelector", "sourceValue": "*string",
        "targets": "[]*types.TargetSelector",
    },
    "SourceSelector": {**_ID, "fieldPath": "string", "options": "*types.FieldOptions"},
    "TargetSelector": {
        "select": "*types.Selector", "reject": "[]*types.Selector", "fieldPaths": _TEXTS,
        "options": "*types.FieldOptions",
    },
    "FieldOptions": {
        "delimiter": "string", "index": "int", "encoding": "string", "create": "bool",
    },
    "Var": {"name": "string", "objref": "types.Target", "fieldref": "types.FieldSelector"},
    "Target": {"apiVersion": "string", **_GVK, "name": "string", "namespace": "string"},
    "FieldSelector": {"fieldPath": "string"},
    "SortOptions": {
        "order": "types.SortOrder", "legacySortOptions": "*types.LegacySortOptions",
    },
    "LegacySortOptions": {"orderFirst": _TEXTS, "orderLast": _TEXTS},
}  # fmt: skip
#: Types that are texts, and one that is not looked into.
_NAMED_TEXTS = ("types.PatchStrategicMerge", "types.SortOrder")
_UNREAD = ("types.HelmChart",)
_SCALARS = {"string": "string", "bool": "bool", "int": "number", "int64": "number"}


def kustomization(value: Any) -> Map:
    """Return a kustomization with its members as they are named.

    Raises KustomizeError, in the words of Go's decoder, for the first that does not fit or is not
    known.
    """
    return _decoded(value, "Kustomization", "invalid Kustomization: ")


def replacement(value: Any) -> Map:
    """Return a replacement of a file of its own. Raises KustomizeError."""
    failed = "error unmarshaling JSON: while decoding JSON: "
    return _decoded({} if value is None else value, "Replacement", failed)


def _decoded(value: Any, name: str, failed: str) -> Map:
    try:
        if not isinstance(value, dict):
            raise _unfit(f"{go_json.kind(value)} into Go value of type types.{name}")
        return _struct(value, name, "")
    except KustomizeError as exc:
        raise KustomizeError(f"{failed}{exc}") from exc


def _struct(value: Map, name: str, path: str) -> Map:
    declared = {member.rpartition(".")[2].lower(): member for member in _STRUCTS[name]}
    found = {}
    for key in sorted(value):
        member = declared.get(key.lower())
        if member is None:
            raise KustomizeError(f'json: unknown field "{key}"')
        below = f"{path}.{member}" if path else member
        type_ = _STRUCTS[name][member]
        found[member.rpartition(".")[2]] = _read(value[key], type_, f"{name}.{below}", below)
    return found


def _read(value: Any, type_: str, where: str, path: str) -> Any:
    """Return a value of a type; *where* and *path* lead to it, one for errors, one to what is
    below."""
    if value is None:
        return None
    type_, kind = type_.removeprefix("*"), go_json.kind(value)
    if type_.startswith("[]"):
        if kind == "array":
            inner = type_[2:]
            return [_read(_nothing(inner) if item is None else item, inner, where, path)
                    for item in value]  # fmt: skip
    elif type_.startswith("map"):
        if kind == "object":
            return {key: _read(value[key], "string", where, path) or "" for key in sorted(value)}
    elif type_ in _NAMED_TEXTS or type_ in _SCALARS:
        if kind == _SCALARS.get(type_, "string"):
            if not isinstance(value, float):
                return value
            kind = f"number {value}"
    elif kind == "object":
        return value if type_ in _UNREAD else _struct(value, type_.removeprefix("types."), path)
    raise _unfit(f"{kind} into Go struct field {where} of type {type_}")


def _nothing(type_: str) -> Any:
    """Return what Go makes of a null among others of a type."""
    return "" if type_ in _SCALARS or type_ in _NAMED_TEXTS else {}


def _unfit(what: str) -> KustomizeError:
    return KustomizeError(f"json: cannot unmarshal {what}")
