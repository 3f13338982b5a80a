"""A kustomization as its file says it; what is not served is refused by its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from podium.api import yaml_json
from podium.kubectl.kustomize import go_types
from podium.kubectl.kustomize.objects import KustomizeError

Map = dict[str, Any]
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
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
        said = yaml_json.load(path.read_bytes())[0]
    except (OSError, yaml_json.YamlFailure) as exc:
        raise KustomizeError(f"invalid Kustomization: {exc}") from exc
    if said is None or said == {}:
        raise KustomizeError(f"{path.name} is empty")
    for name in said if isinstance(said, dict) else ():
        if name in _NOT_SERVED:
            raise KustomizeError(f'the field "{name}" of a kustomization is not served')
    found = go_types.kustomization(said)
    _check_kind(found, directory)
    _check_values(found)
    _warn_of_old(found)
    return found


def _check_kind(found: Map, directory: Path) -> None:
    kind = found.get("kind") or "Kustomization"
    wanted = f"kustomize.config.k8s.io/{'v1alpha1' if kind == 'Component' else 'v1beta1'}"
    wrong = []
    if kind not in ("Kustomization", "Component"):
        wrong.append("kind should be Kustomization or Component")
    if found.get("apiVersion") not in (None, "", wanted):
        wrong.append(f"apiVersion for {kind} should be {wanted}")
    if wrong:
        lines = "\n".join(wrong)
        raise KustomizeError(f"Failed to read kustomization file under {directory}:\n{lines}")


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


def _warn_of_old(found: Map) -> None:
    for name in sorted(_OLD):
        if name in found:
            instead = f"'{_OLD[name]}' instead.{' [EXPERIMENTAL]' * (name == 'vars')}"
            print(f"# Warning: '{name}' is deprecated. Please use {instead} Run "
                  "'kustomize edit fix' to update your Kustomization automatically.",
                  file=sys.stderr)  # fmt: skip
