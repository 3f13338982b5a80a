"""``kubectl create configmap``."""

from __future__ import annotations

import base64

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.file_data import DATA_FLAGS, entries, hashed


def _config_map(invocation: Invocation, name: str) -> Map:
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, value in entries(invocation.values, "ConfigMap"):
        if key in data or key in binary:
            raise CommandError(
                f'cannot add key "{key}", another key by that name already exists in Data for '
                f'ConfigMap "{name}"'
            )
        try:
            data[key] = value.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(value).decode()
    fields = {"data": data, "binaryData": binary}
    return hashed(invocation, "ConfigMap", name, {k: v for k, v in fields.items() if v})


CONFIG_MAP = generator(
    dry_run_usage("configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1]"),
    "Create a config map from a local file, directory or literal value",
    creates(resource("", "v1", "configmaps", "ConfigMap"), _config_map,
            "failed to create configmap:"),
    DATA_FLAGS,
    aliases=("cm",),
)  # fmt: skip
