"""The settings in force, as ``/configz`` tells them: fields of a KubeletConfiguration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from podium.domain.pods.durations import go_duration
from podium.domain.pods.shutdown import ShutdownGrace
from podium.kubelet import config_readers as read
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.config_fields import FIELDS, GROUPS, ONLY, by_priority


def configz(config: KubeletConfiguration) -> dict[str, Any]:
    """Return what :func:`~podium.kubelet.config.parse` reads as *config*, defaults included; what
    the cluster says where the configuration does not is left out."""
    return {**ONLY, **_told(FIELDS, config), **_told(GROUPS, config)}


def _told(fields: Mapping[str, Any], config: KubeletConfiguration) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, entry in fields.items():
        if isinstance(entry, dict):
            told[name] = _told(entry, config)
            continue
        attribute, reader = entry
        value = getattr(config, attribute)
        if value not in ("", None) and (attribute, value) != ("port", 0):
            told[name] = _WRITERS.get(reader, _plain)(value)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return go_duration(value)
    plain = msgspec.to_builtins(value)
    return list(plain) if isinstance(plain, tuple) else plain


def _size(size: int) -> str:
    for shift, unit in ((30, "Gi"), (20, "Mi"), (10, "Ki")):
        if size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def _graces(graces: tuple[ShutdownGrace, ...]) -> list[dict[str, int]]:
    return [
        {"priority": grace.priority, "shutdownGracePeriodSeconds": grace.seconds}
        for grace in graces
    ]


#: By what reads them: fields that are written otherwise than they are kept.
_WRITERS: Mapping[Any, Callable[[Any], Any]] = {
    read.size: _size,
    read.user_namespaces: lambda ids: {"idsPerPod": ids},
    read.durations_by_name: lambda found: {name: go_duration(each) for name, each in found.items()},
    by_priority: _graces,
}
