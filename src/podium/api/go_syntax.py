"""Structs as Go dumps them (``%#v``): errors about a field that is a struct quote it so. Pure.

What JSON does not tell is told by the types: packages and names, pointers, lists that are nil.
Where a pointer points to differs from run to run; here it is always the same place.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from podium.api import go_text, kinds, protobuf, quantity, schema
from podium.api.go_text import Verbatim, quote
from podium.api.types import scalars

_ADDRESS = "0xc000012345"
#: Beginnings of JSON names that are all capitals in Go.
_CAPITALS = frozenset(
    "api aws cpu csi dns fc fs gce gmsa grpc http id ip iscsi nfs os qos rbd se tcp tls tty uid "
    "url".split()
)
_NAMES = {"cidrs": "CIDRs", "cidr": "CIDR", "metadata": "ObjectMeta", "fieldsV1": "FieldsV1"}
#: Times that Go embeds; all others are pointers.
_EMBEDDED_TIMES = frozenset({"creationTimestamp"})
#: Pointers on the wire that are values in what upstream validates, and dumps.
_VALUES = frozenset({"partition"})
_NO_TIME = "time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)"
_SCALARS: tuple[tuple[Any, str], ...] = (
    (scalars.Int32, "int32"),
    (scalars.Int64, "int64"),
    (scalars.Quantity, "resource.Quantity"),
    (scalars.IntOrString, "intstr.IntOrString"),
    (scalars.Time, "v1.Time"),
    (scalars.MicroTime, "v1.MicroTime"),
    (str, "string"),
    (bool, "bool"),
    (int, "int"),
)


def readable(value: Any) -> Any:
    """Return *value* as Go shows it where it is a struct or a list of structs, else itself."""
    if isinstance(value, Struct):
        return Verbatim(_struct(value))
    if isinstance(value, list) and value and isinstance(value[0], Struct):
        return Verbatim(_list(value, _struct_type(type(value[0]))))
    return value


def go_quantity(text: str) -> Verbatim:
    """Return a quantity as upstream dumps one: value and power of ten, text and format."""
    amount = quantity.parse(text)
    return Verbatim(
        f"resource.Quantity{{i:resource.int64Amount{{value:{amount.unscaled}, "
        f"scale:{amount.exponent}}}, d:resource.infDecAmount{{Dec:(*inf.Dec)(nil)}}, "
        f's:"{amount}", Format:"{amount.format}"}}'
    )


def int_or_string(value: int | str | None) -> Verbatim:
    """Return a number or text (a percentage) as upstream dumps an ``IntOrString``."""
    text, number = (value, 0) if isinstance(value, str) else ("", value or 0)
    kind = int(isinstance(value, str))
    return Verbatim(f"intstr.IntOrString{{Type:{kind}, IntVal:{number}, StrVal:{quote(text)}}}")


def _struct(obj: Struct) -> str:
    cls = type(obj)
    annotations = {field.encode_name: field.type for field in fields(cls)}
    attributes = {field.encode_name: field.name for field in fields(cls)}
    shown = [
        f"{_name(name)}:{_value(getattr(obj, attributes[name]), annotations[name], name)}"
        for name in _order(cls, annotations)
    ]
    if "kind" in annotations and "metadata" in annotations:
        shown.insert(0, 'TypeMeta:v1.TypeMeta{Kind:"", APIVersion:""}')
    return f"{_struct_type(cls)}{{{', '.join(shown)}}}"


def _order(cls: type[Any], names: Mapping[str, Any]) -> Iterator[str]:
    """Yield the members in the order of their protobuf numbers: Go's, by and large."""
    known = protobuf.members(schema.definition_of(cls))
    for name in dict.fromkeys((*known, *names)):
        if name in names and not ("metadata" in names and name in ("kind", "apiVersion")):
            yield name


def _value(value: Any, annotation: Any, name: str) -> str:
    inner, optional = _unwrapped(annotation)
    go_type = _type(inner)
    if typing.get_origin(inner) is list:
        return _list(value, go_type.removeprefix("[]")) if value else f"{go_type}(nil)"
    if typing.get_origin(inner) is dict:
        return _map(value, go_type) if value else f"{go_type}(nil)"
    if inner == scalars.Time and name in _EMBEDDED_TIMES:
        return _time(value)
    if optional and name not in _VALUES:
        return f"(*{go_type})({_ADDRESS})" if value is not None else f"(*{go_type})(nil)"
    return _plain(value, inner)


def _plain(value: Any, annotation: Any) -> str:
    if isinstance(value, Struct):
        return _struct(value)
    if annotation == scalars.Quantity:
        return go_quantity(value or "0")
    if annotation == scalars.IntOrString:
        return int_or_string(value)
    if isinstance(value, datetime) or annotation == scalars.Time:
        return _time(value)
    return go_text.value(value)


def _list(values: Sequence[Any], item: str) -> str:
    return f"[]{item}{{{', '.join(_plain(value, None) for value in values)}}}"


def _map(values: Mapping[str, Any], go_type: str) -> str:
    kind = scalars.Quantity if go_type.endswith("resource.Quantity") else None
    items = (f"{quote(key)}:{_plain(value, kind)}" for key, value in sorted(values.items()))
    return f"{go_type}{{{', '.join(items)}}}"


def _time(moment: datetime | None) -> str:
    if moment is None:
        return _NO_TIME
    month = moment.strftime("%B")
    return (
        f"time.Date({moment.year}, time.{month}, {moment.day}, {moment.hour}, {moment.minute}, "
        f"{moment.second}, 0, time.Local)"
    )


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """Return the type without ``None``, and whether that could stand there."""
    if annotation == scalars.IntOrString:
        return annotation, False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        optional = len(parts) < len(typing.get_args(annotation))
        if len(parts) == 1:
            return parts[0], optional
        return scalars.IntOrString, optional
    return annotation, False


def _type(annotation: Any) -> str:
    for known, name in _SCALARS:
        if annotation == known:
            return name
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return f"[]{_type(arguments[0])}"
    if origin is dict:
        return f"map[string]{_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return _struct_type(annotation)
    return "string" if typing.get_origin(annotation) is typing.Annotated else "interface {}"


def _struct_type(cls: type[Any]) -> str:
    package = kinds.internal_package(cls)
    return f"{'v1' if package == 'meta' else package.removesuffix('_v2')}.{cls.__name__}"


def _name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    head = name
    for position, letter in enumerate(name):
        if letter.isupper():
            head = name[:position]
            break
    return head.upper() + name[len(head) :] if head in _CAPITALS else name[:1].upper() + name[1:]
