"""Objects in Kubernetes' protobuf encoding, read into plain values.

kubectl writes what it generates itself (``create namespace``, ``create token``, …) this way. The
envelope is ``runtime.Unknown`` behind four magic bytes; messages are those of the published
``generated.proto`` files, as far as ``protobuf_messages`` lists them. What is not listed there is
refused, never dropped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from podium.api.go_time import format_time
from podium.api.protobuf_messages import KINDS, MESSAGES, Field, Message

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BadProtobuf(ValueError):
    """The bytes are no such message, or hold a field that is not known."""


def serves(kind: str) -> bool:
    """Whether objects of *kind* can be read."""
    return kind in KINDS


def decode(body: bytes, kind: str) -> dict[str, Any]:
    """Return the object in *body* as a plain value, with the apiVersion and kind it says it has.

    *kind* is what is expected, and read where the envelope says nothing. Raises BadProtobuf.
    """
    if not body.startswith(MAGIC):
        raise BadProtobuf("provided data does not appear to be a protobuf message")
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
    message = KINDS.get(said or kind)
    if message is None:
        raise BadProtobuf(f"objects of kind {said} are not read from protobuf")
    return {"apiVersion": api_version, "kind": said, **_message(raw, message)}


def _message(data: bytes, name: str) -> dict[str, Any]:
    """Return a message as a plain object; zero values, which Go always writes, are left out."""
    message: Message = MESSAGES[name]
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        field = message.get(number)
        if field is None:
            raise BadProtobuf(f"field {number} of {name} is not known")
        if field.repeated:
            found.setdefault(field.name, []).append(_value(field, value))
        elif field.type.startswith("map:"):
            key, item = _entry(_as_bytes(value), field.type.removeprefix("map:"))
            found.setdefault(field.name, {})[key] = item
        else:
            plain = _value(field, value)
            if plain not in ("", 0, {}, None) or field.pointer:
                found[field.name] = plain
    return found


def _value(field: Field, value: int | bytes) -> Any:
    match field.type:
        case "string":
            return _text(value)
        case "bytes":
            return base64.b64encode(_as_bytes(value)).decode()
        case "bool":
            return bool(_as_int(value))
        case "int":
            number = _as_int(value)
            return number - (1 << 64) if number >= 1 << 63 else number
        case "time":
            return _time(_as_bytes(value))
        case "intstr":
            return _int_or_string(_as_bytes(value))
    return _message(_as_bytes(value), field.type)


def _entry(data: bytes, kind: str) -> tuple[str, Any]:
    """One pair of a map whose values are strings, bytes or lists of strings."""
    key, item = "", b""
    for number, value in _fields(data):
        if number == 1:
            key = _text(value)
        elif number == 2:
            item = _as_bytes(value)
    if kind == "strings":
        return key, [_text(text) for _, text in _fields(item)]
    return key, base64.b64encode(item).decode() if kind == "bytes" else _text(item)


def _time(data: bytes) -> str | None:
    from datetime import UTC, datetime, timedelta

    seconds = next((_as_int(value) for number, value in _fields(data) if number == 1), None)
    if seconds is None:
        return None
    if seconds >= 1 << 63:
        seconds -= 1 << 64
    try:
        return format_time(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
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
