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
    if not isinstance(value, dict):
        raise _unfit(f"{go_json.kind(value)} into Go value of type types.Kustomization")
    return _struct(value, "Kustomization", "")


def _struct(value: Map, name: str, path: str) -> Map:
    declared = {member.rpartition(".")[2].lower(): member for member in _STRUCTS[name]}
    found = {}
    for key in sorted(value):
        member = declared.get(key.lower())
        if member is None:
            raise KustomizeError(f'invalid Kustomization: json: unknown field "{key}"')
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
            return [_read(item, type_[2:], where, path) for item in value]
    elif type_.startswith("map"):
        if kind == "object":
            return {key: _read(value[key], "string", where, path) for key in sorted(value)}
    elif type_ in _NAMED_TEXTS or type_ in _SCALARS:
        if kind == _SCALARS.get(type_, "string"):
            if not isinstance(value, float):
                return value
            kind = f"number {value}"
    elif kind == "object":
        return value if type_ in _UNREAD else _struct(value, type_.removeprefix("types."), path)
    raise _unfit(f"{kind} into Go struct field {where} of type {type_}")


def _unfit(what: str) -> KustomizeError:
    return KustomizeError(f"invalid Kustomization: json: cannot unmarshal {what}")
