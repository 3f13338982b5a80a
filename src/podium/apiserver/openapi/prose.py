"""The prose of the API's definitions, which ``kubectl explain`` prints.

Podium carries none itself. Where the package ``kubernetes-validate`` is installed
(``pip install podium[docs]``), its copy of Kubernetes' published definitions is read when the first
document is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

PACKAGE = "kubernetes-validate"
#: The version of Kubernetes that our types were generated from.
KUBERNETES = "1.37.0"

Schema = dict[str, Any]


class _Field(Struct):
    description: str = ""


class _Definition(Struct):
    description: str = ""
    properties: dict[str, _Field] = field(default_factory=dict)


class _Published(Struct, rename={"definitions": "$defs"}):
    definitions: dict[str, _Definition] = field(default_factory=dict)


_NOTHING = _Definition()
_NO_FIELD = _Field()


def described(definitions: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """Return *definitions* with their descriptions, as they are where there is no prose."""
    prose = _published()
    if not prose:
        return definitions
    return {
        name: _with_prose(schema, prose.get(name, _NOTHING)) for name, schema in definitions.items()
    }


@cache
def _published() -> Mapping[str, _Definition]:
    from importlib.metadata import PackageNotFoundError, files

    wanted = f"v{KUBERNETES}-local/_definitions.json"
    try:
        found = next((file for file in files(PACKAGE) or () if str(file).endswith(wanted)), None)
        content = Path(str(found.locate())).read_bytes() if found else b"{}"
    except (PackageNotFoundError, OSError):
        return {}
    return msgspec.json.decode(content, type=_Published).definitions


def _with_prose(schema: Schema, published: _Definition) -> Schema:
    """Return a copy of *schema* with the descriptions of it and of its fields."""
    described = _describe(schema, published.description)
    if "properties" in schema:
        described["properties"] = {
            name: _describe(member, published.properties.get(name, _NO_FIELD).description)
            for name, member in schema["properties"].items()
        }
    return described


def _describe(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else dict(schema)
