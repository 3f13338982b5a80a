"""What the schema says of a type's fields as far as ownership goes; made once for each type.

A list is owned as a whole (atomic), by item (its type is ``map``, with keys) or by value
(``set``); objects and maps are owned by field unless they are atomic. Follows
``k8s.io/kube-openapi/pkg/schemaconv``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from podium.api import schema
from podium.api.fields import elements
from podium.api.schema import Definition

#: Keys with a default: the published schema leaves it out, the items of a list do, too.
_DEFAULT_KEYS = {
    ("io.k8s.api.core.v1.ContainerPort", "protocol"): "TCP",
    ("io.k8s.api.core.v1.ServicePort", "protocol"): "TCP",
}


#: Text that JSON writes as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]*").fullmatch


class Shape:
    """One type. ``atomic``: its values are owned as a whole."""

    __slots__ = ("atomic",)

    def __init__(self, atomic: bool) -> None:
        self.atomic = atomic


class Scalar(Shape):
    """``sort`` is ``string``, ``number``, ``boolean`` or ``untyped``; owned as a whole."""

    __slots__ = ("sort",)

    def __init__(self, sort: str) -> None:
        super().__init__(atomic=True)
        self.sort = sort


class Struct(Shape):
    """An object with declared fields."""

    __slots__ = ("_definition", "members")

    def __init__(self, definition: Definition, atomic: bool) -> None:
        super().__init__(atomic)
        self._definition: Definition = definition
        #: Those asked for so far.
        self.members: dict[str, tuple[str, Shape]] = {}

    def member(self, name: str) -> tuple[str, Shape] | None:
        """Return the path element and the shape of a field, None where none is declared."""
        found = self.members.get(name)
        if found is None:
            field = self._definition.get("properties", {}).get(name)
            if field is None:
                return None
            found = self.members[name] = (elements.field(name), _shape(field))
        return found


class Map(Shape):
    """A map from text to values of one shape."""

    __slots__ = ("values",)

    def __init__(self, values: Shape, atomic: bool) -> None:
        super().__init__(atomic)
        self.values = values


class List(Shape):
    """``keys`` tell items from each other; without keys a list that is not atomic is a set."""

    __slots__ = ("_defaults", "_prefix", "items", "keys")

    def __init__(
        self, items: Shape, atomic: bool, keys: tuple[str, ...], defaults: dict[str, Any]
    ) -> None:
        super().__init__(atomic)
        self.items, self.keys, self._defaults = items, tuple(sorted(keys)), defaults
        self._prefix = f'k:{{"{keys[0]}":' if len(keys) == 1 else ""

    def element(self, item: Any) -> str:
        """Return the path element of *item*. Raises ValueError in upstream's words."""
        if not self.keys:
            return _set_element(item)
        if not isinstance(item, dict):
            what = "a null element" if item is None else "non-map elements"
            raise ValueError(f"associative list with keys may not have {what}")
        if self._prefix:
            only = item.get(self.keys[0])
            if type(only) is str and _PLAIN(only):
                return f'{self._prefix}"{only}"}}'
        values = {}
        for key in self.keys:
            if key not in item and key not in self._defaults:
                raise ValueError(
                    f'associative list with keys has an element that omits key field "{key}" '
                    "(and doesn't have default value)"
                )
            values[key] = item[key] if key in item else self._defaults[key]
        return elements.keyed(values)


def _set_element(item: Any) -> str:
    if isinstance(item, dict):
        raise ValueError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ValueError("not supported: associative list with lists as elements")
    if item is None:
        raise ValueError("associative list without keys has an element that's an explicit null")
    return elements.value(item)


@cache
def shape_of(name: str) -> Shape:
    """Return the shape of the definition *name* (``io.k8s.api.core.v1.Pod``)."""
    return _object(schema.definition(name), {})


def shape_of_type(cls: type[Any]) -> Shape:
    """Return the shape of what the struct *cls* was generated from."""
    found = _BY_TYPE.get(cls)
    if found is None:
        found = _BY_TYPE[cls] = shape_of(schema.definition_of(cls))
    return found


_BY_TYPE: dict[type[Any], Shape] = {}


_UNTYPED = Scalar("untyped")
_SCALARS = {
    "string": Scalar("string"),
    "integer": Scalar("number"),
    "number": Scalar("number"),
    "boolean": Scalar("boolean"),
}


def _shape(field: Definition) -> Shape:
    reference = field.get("$ref")
    if reference is None:
        return _inline(field)
    name = reference.rpartition("/")[2]
    try:
        definition = schema.definition(name)
    except KeyError:
        return _UNTYPED  # quantities, numbers that may be text, free-form values
    if "x-kubernetes-map-type" in field:
        return _object(definition, field)
    return shape_of(name)


def _inline(field: Definition) -> Shape:
    sort = field.get("type")
    if sort == "array":
        return _list(field)
    if sort == "object":
        return _object(field, {})
    return _SCALARS.get(sort or "", _UNTYPED)


def _object(definition: Definition, markers: Definition) -> Shape:
    sort = definition.get("type")
    if "properties" in definition:
        return Struct(definition, _is_atomic(definition, markers))
    if "additionalProperties" in definition:
        values = definition["additionalProperties"]
        inner = _shape(values) if isinstance(values, dict) else _UNTYPED
        return Map(inner, _is_atomic(definition, markers))
    if sort == "string" and "format" not in definition:
        return _SCALARS["string"]
    return _UNTYPED


def _is_atomic(definition: Definition, markers: Definition) -> bool:
    said = markers.get("x-kubernetes-map-type", definition.get("x-kubernetes-map-type"))
    return bool(said == "atomic")


def _list(field: Definition) -> Shape:
    items = field.get("items", {})
    sort = field.get("x-kubernetes-list-type")
    keys = tuple(field.get("x-kubernetes-list-map-keys", ()))
    if sort is None and "merge" in field.get("x-kubernetes-patch-strategy", ""):
        merge_key = field.get("x-kubernetes-patch-merge-key")
        sort, keys = ("map", (merge_key,)) if merge_key else ("set", ())
    name = items.get("$ref", "").rpartition("/")[2]
    defaults = {key: _DEFAULT_KEYS[name, key] for key in keys if (name, key) in _DEFAULT_KEYS}
    return List(_shape(items), sort not in ("map", "set"), keys, defaults)
