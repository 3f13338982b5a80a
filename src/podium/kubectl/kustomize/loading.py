"""A kustomization as its file says it; what is not served is refused by its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from podium.api import yaml_json
from podium.kubectl.kustomize.objects import KustomizeError

Map = dict[str, Any]
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: What is served, each with its type in Go.
_SERVED = {
    **dict.fromkeys(("apiVersion", "kind", "namespace", "namePrefix", "nameSuffix"), "string"),
    **dict.fromkeys(("metadata", "generatorOptions"), "map"),
    **dict.fromkeys(("commonLabels", "commonAnnotations"), "map[string]string"),
    **dict.fromkeys(("resources", "bases", "components"), "[]string"),
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
    "sortOptions": "map",
    "buildMetadata": "[]string",
    "generators": "[]string",
    "transformers": "[]string",
    "helmCharts": "[]types.HelmChart",
}
_TEXTS = ("[]string", "[]types.PatchStrategicMerge")
_NOT_SERVED = frozenset((
    "configurations", "crds", "helmChartInflationGenerator", "helmGlobals", "inventory", "openapi",
    "validators",
))  # fmt: skip
_OLD = {"bases": "resources", "commonLabels": "labels", "imageTags": "images",
        "patchesJson6902": "patches", "patchesStrategicMerge": "patches",
        "vars": "replacements"}  # fmt: skip


def load(directory: Path) -> Map:
    """Return the kustomization of *directory*. Raises KustomizeError."""
    path = next((directory / name for name in _NAMES if (directory / name).is_file()), None)
    if path is None:
        raise KustomizeError(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
            f"directory '{directory}'"
        )
    try:
        found = yaml_json.load(path.read_text())[0]
    except yaml_json.YamlFailure as exc:
        raise KustomizeError(f"invalid Kustomization: {exc}") from exc
    if not found:
        raise KustomizeError(f"{path.name} is empty")
    if not isinstance(found, dict):
        raise KustomizeError("invalid Kustomization: it is no object")
    _check(found)
    return found


def _check_type(name: str, value: Any) -> None:
    wanted = _SERVED[name]
    if wanted.startswith("[]"):
        inner = str if wanted in _TEXTS else dict
        fits = isinstance(value, list) and all(isinstance(one, inner) for one in value)
    else:
        fits = isinstance(value, str if wanted == "string" else dict)
    if value is not None and not fits:
        raise KustomizeError(
            f"invalid Kustomization: json: cannot unmarshal {_go_type(value)} into Go struct field "
            f"Kustomization.{name} of type {wanted}"
        )


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _check_values(found: Map) -> None:
    """Raise KustomizeError for what is served in part, and is asked for otherwise."""
    if charts := found.get("helmCharts"):
        from podium.kubectl.printing.yaml_text import dump

        raise KustomizeError(
            "trouble configuring builtin HelmChartInflationGenerator with config: `\n"
            f"{dump(charts[0])}`: must specify --enable-helm"
        )
    for name in found.get("buildMetadata") or ():
        if name in ("originAnnotations", "transformerAnnotations"):
            raise KustomizeError(f'"{name}" among buildMetadata of a kustomization is not served')
    order = (found.get("sortOptions") or {}).get("order")
    if found.get("sortOptions") and order not in ("fifo", "legacy"):
        raise KustomizeError("the field 'sortOptions.order' must be one of [fifo, legacy]")


def _check(found: Map) -> None:
    for name in found:
        if name in _NOT_SERVED:
            raise KustomizeError(f'the field "{name}" of a kustomization is not served')
        if name not in _SERVED:
            raise KustomizeError(f'invalid Kustomization: json: unknown field "{name}"')
        _check_type(name, found[name])
    _check_values(found)
    for name in sorted(_OLD):
        if name in found:
            instead = f"'{_OLD[name]}' instead.{' [EXPERIMENTAL]' * (name == 'vars')}"
            print(f"# Warning: '{name}' is deprecated. Please use {instead} Run "
                  "'kustomize edit fix' to update your Kustomization automatically.",
                  file=sys.stderr)  # fmt: skip
