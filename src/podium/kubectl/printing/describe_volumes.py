"""The volumes of a Pod in its description. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]


def volumes(lines: Lines, listed: Sequence[Map] | None) -> None:
    if not listed:
        lines.add(0, "Volumes:\t<none>")
        return
    lines.add(0, "Volumes:")
    for volume in listed:
        lines.add(1, f"{volume['name']}:")
        kind = next((key for key in volume if key != "name"), "")
        _volume(lines, kind, volume.get(kind) or {})


def _volume(lines: Lines, kind: str, source: Map) -> None:
    match kind:
        case "emptyDir":
            _type(lines, "EmptyDir (a temporary directory that shares a pod's lifetime)")
            lines.add(2, f"Medium:\t{source.get('medium', '')}")
            lines.add(2, f"SizeLimit:\t{source.get('sizeLimit', '<unset>')}")
        case "hostPath":
            _type(lines, "HostPath (bare host directory volume)")
            lines.add(2, f"Path:\t{source['path']}")
            lines.add(2, f"HostPathType:\t{source.get('type', '')}")
        case "configMap":
            _type(lines, "ConfigMap (a volume populated by a ConfigMap)")
            lines.add(2, f"Name:\t{source.get('name', '')}")
            lines.add(2, f"Optional:\t{_flag(source.get('optional'))}")
        case "secret":
            _type(lines, "Secret (a volume populated by a Secret)")
            lines.add(2, f"SecretName:\t{source.get('secretName', '')}")
            lines.add(2, f"Optional:\t{_flag(source.get('optional'))}")
        case "persistentVolumeClaim":
            _type(lines, "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the "
                  "same namespace)")  # fmt: skip
            lines.add(2, f"ClaimName:\t{source['claimName']}")
            lines.add(2, f"ReadOnly:\t{_flag(source.get('readOnly'))}")
        case "downwardAPI":
            _type(lines, "DownwardAPI (a volume populated by information about the pod)")
            lines.add(2, "Items:")
            _downward(lines, source.get("items") or ())
        case "projected":
            _type(lines, "Projected (a volume that contains injected data from multiple sources)")
            for one in source.get("sources") or ():
                _projected(lines, one)
        case _:
            lines.add(1, "<unknown>")


def _projected(lines: Lines, source: Map) -> None:
    if source.get("secret") is not None:
        lines.add(2, f"SecretName:\t{source['secret'].get('name', '')}")
        lines.add(2, f"Optional:\t{_flag(source['secret'].get('optional'))}")
    elif source.get("downwardAPI") is not None:
        lines.add(2, "DownwardAPI:\ttrue")
    elif source.get("configMap") is not None:
        lines.add(2, f"ConfigMapName:\t{source['configMap'].get('name', '')}")
        lines.add(2, f"Optional:\t{_flag(source['configMap'].get('optional'))}")
    elif source.get("serviceAccountToken") is not None:
        seconds = source["serviceAccountToken"].get("expirationSeconds", 3600)
        lines.add(2, f"TokenExpirationSeconds:\t{seconds}")


def _downward(lines: Lines, items: Sequence[Map]) -> None:
    for item in items:
        if item.get("fieldRef"):
            lines.add(3, f"{item['fieldRef']['fieldPath']} -> {item['path']}")
        if item.get("resourceFieldRef"):
            lines.add(3, f"{item['resourceFieldRef']['resource']} -> {item['path']}")


def _type(lines: Lines, text: str) -> None:
    lines.add(2, f"Type:\t{text}")


def _flag(value: bool | None) -> str:
    return str(bool(value)).lower()
