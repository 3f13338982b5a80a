"""The suffix of names of ConfigMaps and Secrets: ``--append-hash``, and kustomize's. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from podium.kubectl.last_applied import compact

_NO_VOWELS = str.maketrans("013ae", "ghkmt")


def suffix(obj: dict[str, Any]) -> str:
    """Return the suffix for a ConfigMap or Secret of what it holds, its name and its type."""
    said: dict[str, Any] = {"kind": obj["kind"], "name": obj["metadata"]["name"],
                            "data": obj.get("data", "")}  # fmt: skip
    if obj["kind"] == "Secret":
        said["type"] = obj.get("type", "")
        optional = "stringData"
    else:
        optional = "binaryData"
    if obj.get(optional):
        said[optional] = obj[optional]
    return hashlib.sha256(compact(said).encode()).hexdigest()[:10].translate(_NO_VOWELS)
