"""Definitions of kinds as schemas of OpenAPI 2 and 3. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from podium.api.scheme import RESOURCES

Schema = dict[str, Any]

V2_ROOT = "#/definitions/"
V3_ROOT = "#/components/schemas/"
GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
#: Types that are written in more than one JSON form have no definition of their own.
_SCALARS_V2: Mapping[str, Schema] = {
    _QUANTITY: {"type": "string"},
    _INT_OR_STRING: {"type": "string", "format": "int-or-string"},
    _RAW_EXTENSION: {"type": "object"},
}
_SCALARS_V3: Mapping[str, Schema] = {
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _INT_OR_STRING: {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
    },
    _RAW_EXTENSION: {"type": "object"},
}


def schemas_v2(definitions: Mapping[str, Schema], roots: Iterable[str]) -> dict[str, Schema]:
    """Return what *roots* need of *definitions*, by name."""
    return _closure(definitions, roots, _SCALARS_V2, lambda schema: schema)


def schemas_v3(definitions: Mapping[str, Schema], roots: Iterable[str]) -> dict[str, Schema]:
    """Like :func:`schemas_v2`, with references as OpenAPI 3 writes them."""
    return _closure(definitions, roots, _SCALARS_V3, _as_v3)


def _closure(
    definitions: Mapping[str, Schema],
    roots: Iterable[str],
    scalars: Mapping[str, Schema],
    turn: Callable[[Schema], Schema],
) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        schema = scalars.get(name) or _served(definitions[name])
        found[name] = turn(schema)
        waiting += references(schema)
    return dict(sorted(found.items()))


def references(schema: Any) -> Iterable[str]:
    """Yield the names of the definitions that *schema* refers to."""
    if isinstance(schema, list):
        for item in schema:
            yield from references(item)
    elif isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(V2_ROOT)
        for value in schema.values():
            yield from references(value)


def _served(schema: Schema) -> Schema:
    """A definition as a server gives it: apiVersion and kind are any string, and the kinds that
    share it (DeleteOptions is every group's) are those of the groups that are served."""
    turned = dict(schema)
    properties = schema.get("properties")
    if properties:
        turned["properties"] = {
            name: {key: value for key, value in field.items() if key != "enum"}
            if name in ("apiVersion", "kind")
            else field
            for name, field in properties.items()
        }
    kinds = schema.get(GROUP_VERSION_KIND)
    if kinds and len(kinds) > 1:
        served = {(resource.group, resource.version) for resource in RESOURCES}
        turned[GROUP_VERSION_KIND] = [
            kind for kind in kinds if (kind["group"], kind["version"]) in served
        ]
    return turned


def _as_v3(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_as_v3(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and len(schema) > 1:  # beside a bare one nothing else counts
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_as_v3(rest), "allOf": [{"$ref": reference.replace(V2_ROOT, V3_ROOT)}]}
    return {
        key: value.replace(V2_ROOT, V3_ROOT)
        if key == "$ref" and isinstance(value, str)
        else _as_v3(value)
        for key, value in schema.items()
    }
