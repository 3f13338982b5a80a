"""The files of ``configMap``, ``secret``, ``downwardAPI`` and ``projected`` volumes, unwritten.

Each function returns ``path below the volume -> VolumeFile`` or raises VolumeProblem with the words
that upstream's ``MountVolume.SetUp failed`` event carries.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence

import msgspec

from podium.api.types.core_v1 import (
    ConfigMap,
    DownwardAPIVolumeFile,
    KeyToPath,
    Pod,
    Secret,
)
from podium.domain.pods.downward import DownwardFacts, UnknownField, field_value, resource_value

DEFAULT_MODE = 0o644


class VolumeProblem(ValueError):
    """A volume cannot be filled yet."""


class VolumeFile(msgspec.Struct, frozen=True):
    data: bytes
    mode: int = DEFAULT_MODE
    user: int | None = None  #: who owns the file, None for root


Files = dict[str, VolumeFile]


def config_map_files(
    name: str,
    config_map: ConfigMap | None,
    items: Sequence[KeyToPath],
    *,
    mode: int | None,
    optional: bool,
) -> Files:
    if config_map is None:
        if optional:
            return {}
        raise VolumeProblem(f'configmap "{name}" not found')
    content = {key: text.encode() for key, text in config_map.data.items()}
    content.update((key, b64decode(text)) for key, text in config_map.binary_data.items())
    return _pick(content, items, mode, optional, "configmap references non-existent config key")


def secret_files(
    name: str,
    secret: Secret | None,
    items: Sequence[KeyToPath],
    *,
    mode: int | None,
    optional: bool,
) -> Files:
    if secret is None:
        if optional:
            return {}
        raise VolumeProblem(f'secret "{name}" not found')
    content = {key: b64decode(text) for key, text in secret.data.items()}
    return _pick(content, items, mode, optional, "references non-existent secret key")


def _pick(
    content: Mapping[str, bytes],
    items: Sequence[KeyToPath],
    mode: int | None,
    optional: bool,
    complaint: str,
) -> Files:
    default = DEFAULT_MODE if mode is None else mode
    if not items:
        return {key: VolumeFile(data, default) for key, data in content.items()}
    files: Files = {}
    for item in items:
        if item.key in content:
            own = default if item.mode is None else item.mode
            files[item.path] = VolumeFile(content[item.key], own)
        elif not optional:
            raise VolumeProblem(f"{complaint}: {item.key}")
    return files


def downward_files(
    pod: Pod,
    items: Sequence[DownwardAPIVolumeFile],
    facts: DownwardFacts,
    *,
    mode: int | None,
) -> Files:
    default = DEFAULT_MODE if mode is None else mode
    files: Files = {}
    for item in items:
        try:
            if item.field_ref is not None:
                text = field_value(pod, item.field_ref, facts)
            elif item.resource_field_ref is not None:
                text = resource_value(pod, item.resource_field_ref, None, facts)
            else:
                continue
        except UnknownField as exc:
            raise VolumeProblem(str(exc)) from exc
        files[item.path] = VolumeFile(text.encode(), default if item.mode is None else item.mode)
    return files
