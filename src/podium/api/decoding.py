"""Plain JSON values into structs, field by field, as Go's decoder fills Go's structs.

A type is compiled once into a tree of readers, one per field, on first use. Reading reports what
Go reports, in its words and its order: unknown and repeated fields with their paths, the first
value of a wrong type, and at once what a type's own decoder refuses (quantities, times).
"""

# ruff: noqa: ARG002 - readers share one signature; most need only part of it
from __future__ import annotations

import base64
import re
import types
import typing
from abc import ABC, abstractmethod
from typing import Any, Final

import msgspec

from podium.api import go_time, quantity
from podium.api.go_json import Pairs, kind, number_text, plain
from podium.api.go_types import GO_TYPES
from podium.api.types import scalars


class DecodeFailure(ValueError):
    """The value does not fit the type; the message is Go's."""


class _Skip:
    """Nothing to set: the field keeps its zero value."""


SKIP: Final = _Skip()
_MAX_STRICT = 100
#: Structs in one object, far beyond any real one: `{}` costs a client two bytes, us a thousand.
MAX_STRUCTS = 50_000


class Report(msgspec.Struct):
    """What reading found besides the value."""

    strict: dict[str, None] = msgspec.field(default_factory=dict)
    failure: str = ""
    #: Speak as upstream's converter from unstructured objects does, not as its JSON decoder.
    unstructured: bool = False
    structs: int = 0

    def offend(self, what: str) -> None:
        if len(self.strict) < _MAX_STRICT:
            self.strict[what] = None

    def fail(self, text: str) -> None:
        self.failure = self.failure or text

    def count(self) -> None:
        """Count one more struct. Raises DecodeFailure when there are too many."""
        self.structs += 1
        if self.structs > MAX_STRUCTS:
            raise DecodeFailure(f"the object has more than {MAX_STRUCTS} parts")


class Place(msgspec.Struct, frozen=True):
    """Where a value stands: ``path`` with indexes, and the struct and fields that Go names."""

    path: str = ""
    struct: str = ""
    fields: str = ""

    def member(self, struct: str, name: str) -> Place:
        return Place(self._child(name), struct, f"{self.fields}.{name}" if self.fields else name)

    def key(self, key: str) -> Place:
        return Place(self._child(key), self.struct, self.fields)

    def index(self, index: int) -> Place:
        return Place(f"{self.path}[{index}]", self.struct, self.fields)

    def _child(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def type_error(self, value: str, go: str) -> str:
        where = f"Go struct field {self.struct}.{self.fields}" if self.struct else "Go value"
        return f"json: cannot unmarshal {value} into {where} of type {go}"


class Reader(ABC):
    """Reads values of one type; ``go`` is that type's name in Go."""

    def __init__(self, go: str) -> None:
        self.go = go

    @abstractmethod
    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        """Return the value for the struct, or SKIP. Raises DecodeFailure when reading must end.

        *existing* is what an earlier field of the same name left: maps and structs add to it.
        """

    def zero(self) -> Any:
        """What ``null`` gives as an item of a list or map."""
        return None

    #: How the converter from unstructured objects speaks of a value of another shape.
    restore = ""

    def wrong(self, value: Any, place: Place, report: Report) -> _Skip:
        if report.unstructured:
            raise DecodeFailure(self._cannot_restore(value))
        report.fail(place.type_error(kind(value), self.go))
        return SKIP

    def _cannot_restore(self, value: Any) -> str:
        found = _UNSTRUCTURED[kind(value)]
        if found == "int64" and not _WHOLE.fullmatch(str(value)):
            found = "float64"
        if self.restore:
            return f"{self.restore} {found}"
        if found == "int64":
            return f"cannot convert {found} to {self.go}"
        return f"unrecognized type: {self.underlying}"

    #: The kind beneath a named type.
    underlying = "string"


class TextReader(Reader):
    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if type(value) is not str:
            return self.wrong(value, place, report)
        return value

    def zero(self) -> Any:
        return ""


class BoolReader(Reader):
    underlying = "bool"

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if not isinstance(value, bool):
            return self.wrong(value, place, report)
        return value

    def zero(self) -> Any:
        return False


class IntReader(Reader):
    def __init__(self, go: str, bits: int) -> None:
        super().__init__(go)
        self.underlying = f"int{bits}"
        self.limit = 2 ** (bits - 1)

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "number":
            return self.wrong(value, place, report)
        text = number_text(value)
        if not _WHOLE.fullmatch(text) or not -self.limit <= int(text[:40]) < self.limit:
            report.fail(place.type_error(f"number {text}", self.go))
            return SKIP
        return int(text)

    def zero(self) -> Any:
        return 0


class FloatReader(Reader):
    underlying = "float64"

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "number":
            return self.wrong(value, place, report)
        return float(value)

    def zero(self) -> Any:
        return 0.0


class IntOrStringReader(IntReader):
    def __init__(self) -> None:
        super().__init__("int32", 32)

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if type(value) is str:
            return value
        mine = Report()
        result = super().read(value, place, mine)
        if mine.failure:
            raise DecodeFailure(mine.failure)
        return result


class QuantityReader(Reader):
    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if isinstance(value, bool) or kind(value) not in ("string", "number"):
            raise DecodeFailure(quantity.FORMAT_WRONG)
        text = number_text(value).strip()
        try:
            return quantity.canonical(text)
        except ValueError as exc:
            raise DecodeFailure(str(exc)) from None

    def zero(self) -> Any:
        return "0"


class TimeReader(Reader):
    """``go`` is ``Time`` or ``MicroTime``."""

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if type(value) is not str:
            raise DecodeFailure(place.type_error(kind(value), "string"))
        try:
            if self.go == "Time":
                return go_time.parse_time(value)
            return go_time.format_micro_time(go_time.parse_micro_time(value))
        except ValueError as exc:
            raise DecodeFailure(str(exc)) from None


class Base64Reader(Reader):
    restore = "cannot restore slice from"

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if type(value) is not str:
            return self.wrong(value, place, report)
        try:
            base64_bytes(value)
        except ValueError as exc:
            report.fail(str(exc))
            return SKIP
        return value.replace("\r", "").replace("\n", "")

    def zero(self) -> Any:
        return ""


class RawReader(Reader):
    """Free-form JSON objects."""

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "object":
            return self.wrong(value, place, report)
        return plain(value)


class AnyReader(Reader):
    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        return plain(value)


class ListReader(Reader):
    restore = "cannot restore slice from"

    def __init__(self, go: str, item: Reader) -> None:
        super().__init__(go)
        self.item = item

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "array":
            return self.wrong(value, place, report)
        result = []
        for index, entry in enumerate(value):
            got = self.item.read(entry, place.index(index), report)
            if got is SKIP:
                report.count()
                got = self.item.zero()
            result.append(got)
        return result

    def zero(self) -> Any:
        return []


class MapReader(Reader):
    restore = "cannot restore map from"

    def __init__(self, go: str, item: Reader) -> None:
        super().__init__(go)
        self.item = item

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "object":
            return self.wrong(value, place, report)
        result = dict(existing) if existing else {}
        seen: set[str] = set()
        for key, entry in value if isinstance(value, Pairs) else value.items():
            here = place.key(key)
            if key in seen:
                report.offend(f'duplicate field "{here.path}"')
            seen.add(key)
            got = self.item.read(entry, here, report)
            result[key] = self.item.zero() if got is SKIP else got
        return result

    def zero(self) -> Any:
        return {}


class StructReader(Reader):
    restore = "cannot restore struct from:"

    def __init__(self, cls: type[Any]) -> None:
        super().__init__(f"v1.{cls.__name__}")
        self.cls = cls
        self.name = cls.__name__
        self.members: dict[str, tuple[str, Reader]] = {}

    def compile(self) -> None:
        for member in msgspec.structs.fields(self.cls):
            go = GO_TYPES.get(f"{self.name}.{member.encode_name}", "")
            self.members[member.encode_name] = (member.name, _reader(member.type, go))

    def read(self, value: Any, place: Place, report: Report, existing: Any = None) -> Any:
        if value is None:
            return SKIP
        if kind(value) != "object":
            return self.wrong(value, place, report)
        report.count()
        known: dict[str, Any] = msgspec.structs.asdict(existing) if existing is not None else {}
        seen: set[str] = set()
        for key, entry in value if isinstance(value, Pairs) else value.items():
            here = place.member(self.name, key)
            if key not in self.members:
                report.offend(f'unknown field "{here.path}"')
                continue
            if key in seen:
                report.offend(f'duplicate field "{here.path}"')
            seen.add(key)
            attribute, reader = self.members[key]
            got = reader.read(entry, here, report, known.get(attribute))
            if got is not SKIP:
                known[attribute] = got
        return self.cls(**known)

    def zero(self) -> Any:
        return self.cls()


def struct_reader(cls: type[Any]) -> StructReader:
    """Return the reader of *cls*."""
    reader = _STRUCTS.get(cls)
    if reader is None:
        reader = _STRUCTS[cls] = StructReader(cls)
        reader.compile()
    return reader


_STRUCTS: dict[type[Any], StructReader] = {}
_UNSTRUCTURED = {
    "object": "map",
    "array": "slice",
    "string": "string",
    "bool": "bool",
    "number": "int64",
    "null": "invalid",
}
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)

_SCALARS: list[tuple[Any, typing.Callable[[str], Reader]]] = [
    (scalars.Int32, lambda go: IntReader(go or "int32", 32)),
    (scalars.Int64, lambda go: IntReader(go or "int64", 64)),
    (scalars.Quantity, lambda _: QuantityReader("resource.Quantity")),
    (scalars.Time, lambda _: TimeReader("Time")),
    (scalars.MicroTime, lambda _: TimeReader("MicroTime")),
    (scalars.Base64, lambda _: Base64Reader("[]uint8")),
    (scalars.RawObject, lambda _: RawReader("map[string]interface {}")),
    (str, lambda go: TextReader(go or "string")),
    (bool, lambda go: BoolReader(go or "bool")),
    (int, lambda go: IntReader(go or "int64", 64)),
    (float, lambda go: FloatReader(go or "float64")),
    (Any, lambda _: AnyReader("interface {}")),
]


def _reader(annotation: Any, go: str = "") -> Reader:
    """Return the reader for *annotation*; *go* overrides the name of the type in Go."""
    for scalar, make in _SCALARS:
        if annotation == scalar:
            return make(go)
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is list:
        item = _reader(arguments[0], go.removeprefix("[]") if go else "")
        return ListReader(go or f"[]{item.go}", item)
    if origin is dict:
        item = _reader(arguments[1])
        return MapReader(go or f"map[string]{item.go}", item)
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        if str in inner and len(inner) == 2:
            return IntOrStringReader()
        return _reader(inner[0], go)
    return struct_reader(annotation)


def base64_bytes(text: str) -> bytes:
    """Decode base64, which may be in lines. Raises ValueError in Go's words."""
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        at = base64_offset(text)
        raise ValueError(f"illegal base64 data at input byte {at}") from None


def base64_offset(text: str) -> int:
    """Return the offset Go names for text that is not base64."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    count = 0  # characters of the current quantum
    for offset, char in enumerate(text):
        if char in "\r\n":
            continue
        if char in alphabet:
            count = (count + 1) % 4
            continue
        if char == "=" and count >= 2:
            after = _behind_breaks(text, offset + 1)
            if count == 3:
                return after
            if text[after : after + 1] == "=":
                return _behind_breaks(text, after + 1)
            return after - 1 if after < len(text) else after
        return offset
    return len(text) - count


def _behind_breaks(text: str, at: int) -> int:
    while text[at : at + 1] in ("\r", "\n"):
        at += 1
    return at
