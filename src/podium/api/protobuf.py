"""Objects in Kubernetes' protobuf encoding, read into plain values.

kubectl writes what it generates itself (``create namespace``, ``create token``, …) this way. The
envelope is ``runtime.Unknown`` behind four magic bytes; messages are those of the published
``generated.proto`` files, as ``types/protobuf.json`` lists them. A field that is not listed there
is dropped, as every reader of protobuf does with what came after it, and told of.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from podium.api import kinds, schema
from podium.api.go_time import format_micro_time, format_time

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

#: Texts about fields that are not known, each once.
_Unknown = dict[str, None]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BadProtobuf(ValueError):
    """The bytes are no such message."""


@cache
def _messages() -> dict[str, dict[str, tuple[str, str, str]]]:
    text = files("podium.api.types").joinpath("protobuf.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, tuple[str, str, str]]])


@cache
def members(name: str) -> dict[str, str]:
    """Return the members that JSON gives the message *name*, in the order of their numbers, each
    with the message that it (or an item of it) is, or a scalar's name; empty for no message."""
    found: dict[str, str] = {}
    fields = sorted(_messages().get(name, {}).items(), key=lambda entry: int(entry[0]))
    for _, (member, kind, what) in fields:
        found.update(members(kind) if what == "inline" else {member: kind})
    return found


@cache
def declared(name: str) -> dict[str, tuple[str, str]]:
    """Return the members that JSON gives the message *name*, in the order in which its ``.proto``
    and its type in Go declare them: each with what :func:`members` says and ``many``, ``map`` or
    "" for one value; empty for no message."""
    found: dict[str, tuple[str, str]] = {}
    for member, kind, what in _messages().get(name, {}).values():
        found.update(declared(kind) if what == "inline" else {member: (kind, what)})
    return found


@lru_cache(256)  # a few kinds are the same in every version that a client may make up
def _message_of(api_version: str, kind: str) -> str:
    """Return the name of the message of a kind. Raises BadProtobuf."""
    group, _, version = api_version.rpartition("/")
    cls = kinds.find(kinds.GroupVersionKind(group, version, kind))
    name = schema.definition_of(cls) if cls is not None else ""
    if name not in _messages():
        raise BadProtobuf(f"objects of kind {kind} are not read from protobuf")
    return name


def decode(body: bytes, expected: type[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the object in *body* as a plain value, with the apiVersion and kind it says it has,
    and a text for each field that is not known.

    *expected* is the struct that is read where the envelope says nothing. Raises BadProtobuf.
    """
    if not body.startswith(MAGIC):
        raise BadProtobuf(
            "provided data does not appear to be a protobuf message, expected prefix "
            f"[{' '.join(map(str, MAGIC))}]"
        )
    api_version, said, raw = "", "", b""
    for number, value in _fields(body[len(MAGIC) :]):
        if number == 1:
            for inner, text in _fields(_as_bytes(value)):
                if inner == 1:
                    api_version = _text(text)
                elif inner == 2:
                    said = _text(text)
        elif number == 2:
            raw = _as_bytes(value)
    default = kinds.of(expected)
    message = _message_of(api_version or default.api_version, said or default.kind)
    unknown: _Unknown = {}
    found = {"apiVersion": api_version, "kind": said, **_message(raw, message, unknown)}
    return found, list(unknown)


def _message(data: bytes, name: str, unknown: _Unknown) -> dict[str, Any]:
    """Return a message as a plain object, zero values included: Go writes those, too."""
    message = _messages()[name]
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        field = message.get(str(number))
        if field is None:
            unknown[f"unknown field {number} of protobuf message {name.rpartition('.')[2]}"] = None
            continue
        json_name, kind, what = field
        match what:
            case "many" if isinstance(value, bytes) and kind in ("int", "bool"):  # packed
                found.setdefault(json_name, []).extend(_packed(kind, value))
            case "many":
                found.setdefault(json_name, []).append(_value(kind, value, unknown))
            case "map":
                key, item = _entry(_as_bytes(value), kind, unknown)
                found.setdefault(json_name, {})[key] = item
            case "inline":
                found |= _message(_as_bytes(value), kind, unknown)
            case _:
                plain = _value(kind, value, unknown)
                unset = plain == 0 and json_name == "targetPort"  # no pointer, and no port
                if plain is not None and not unset:
                    found[json_name] = plain
    return found


def _packed(kind: str, data: bytes) -> Iterator[Any]:
    at = 0
    while at < len(data):
        number, at = _varint(data, at)
        yield _value(kind, number, {})


def _value(kind: str, value: int | bytes, unknown: _Unknown) -> Any:
    match kind:
        case "string":
            return _text(value)
        case "bytes":
            return base64.b64encode(_as_bytes(value)).decode()
        case "bool":
            return bool(_as_int(value))
        case "int":
            number = _as_int(value)
            return number - (1 << 64) if number >= 1 << 63 else number
        case "double":
            return struct.unpack("<d", _as_bytes(value))[0]
        case "time":
            return _time(_as_bytes(value))
        case "microtime":
            return _micro_time(_as_bytes(value))
        case "quantity":
            return _text(dict(_fields(_as_bytes(value))).get(1, b"0"))
        case "intstr":
            return _int_or_string(_as_bytes(value))
        case "strings":
            return [_text(text) for _, text in _fields(_as_bytes(value))]
        case "raw":
            return _raw(_as_bytes(value))
    return _message(_as_bytes(value), kind, unknown)


def _raw(data: bytes) -> Any:
    """Return what a RawExtension or FieldsV1 carries: JSON as it is."""
    raw = _as_bytes(dict(_fields(data)).get(1, b""))
    try:
        return msgspec.json.decode(raw) if raw else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadProtobuf(str(error)) from error


def _entry(data: bytes, kind: str, unknown: _Unknown) -> tuple[str, Any]:
    """One pair of a map from text to values of *kind*."""
    key: str = ""
    item: int | bytes = b""
    for number, value in _fields(data):
        if number == 1:
            key = _text(value)
        elif number == 2:
            item = value
    return key, _value(kind, item, unknown)


def _time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else format_time(moment)


def _micro_time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else format_micro_time(moment)


def _moment(data: bytes) -> datetime | None:
    """Return the time of a Time or MicroTime: seconds and nanoseconds; None when it is zero."""
    fields = dict(_fields(data))
    if 1 not in fields:
        return None
    seconds = _as_int(fields[1])
    if seconds >= 1 << 63:
        seconds -= 1 << 64
    micros = _as_int(fields.get(2, 0)) // 1000
    try:
        begin = datetime(1970, 1, 1, tzinfo=UTC)
        return begin + timedelta(seconds=seconds, microseconds=micros)
    except OverflowError as error:
        raise BadProtobuf("time out of range") from error


def _int_or_string(data: bytes) -> int | str:
    fields = dict(_fields(data))
    if fields.get(1):
        return _text(fields.get(3, b""))
    number = _as_int(fields.get(2, 0))
    return number - (1 << 64) if number >= 1 << 63 else number


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: number and value, in their order."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise BadProtobuf(f"illegal wire type {wire}")
        if at + size > end:
            raise BadProtobuf("unexpected EOF")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise BadProtobuf("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise BadProtobuf("proto: integer overflow")


def _as_int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise BadProtobuf("wrong wire type for a number")
    return value


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise BadProtobuf("wrong wire type for a message")
    return value


def _text(value: int | bytes) -> str:
    try:
        return _as_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise BadProtobuf("string field contains invalid UTF-8") from error
