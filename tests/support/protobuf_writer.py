"""Objects written in Kubernetes' protobuf encoding, as its Go clients do."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from importlib.resources import files
from typing import Any

from podium.api import schema
from podium.api.scheme import Resource

_MESSAGES: dict[str, dict[str, tuple[str, str, str]]] = json.loads(
    files("podium.api.types").joinpath("protobuf.json").read_text()
)


class NoNumber(Exception):
    """A field has come later than the descriptors that the numbers are from."""


def written(resource: Resource, document: dict[str, Any]) -> bytes:
    """Return *document*, a plain value, in its envelope. Raises NoNumber."""
    types = _string(1, resource.api_version) + _string(2, resource.kind)
    raw = _message(document, schema.definition_of(resource.type))
    return b"k8s\x00" + delimited(1, types) + delimited(2, raw)


def delimited(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value %= 1 << 64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _string(number: int, text: str) -> bytes:
    return delimited(number, text.encode())


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _message(document: dict[str, Any], name: str, *, inline: bool = False) -> bytes:
    out = b""
    if not inline and (late := document.keys() - {"apiVersion", "kind"} - _names(name)):
        raise NoNumber(f"{name}: {', '.join(late)}")
    for number_text, (json_name, kind, what) in _MESSAGES[name].items():
        number = int(number_text)
        if what == "inline":
            out += delimited(number, _message(document, kind, inline=True))
            continue
        value = document.get(json_name)
        if value is None:
            continue
        if what == "many":
            out += b"".join(_field(number, kind, item) for item in value)
        elif what == "map":
            for key, item in value.items():
                out += delimited(number, _string(1, key) + _field(2, kind, item))
        else:
            out += _field(number, kind, value)
    return out


def _names(message: str) -> set[str]:
    """Return the members that the JSON of a message has."""
    found: set[str] = set()
    for json_name, kind, what in _MESSAGES.get(message, {}).values():
        found |= _names(kind) if what == "inline" else {json_name}
    return found


def _field(number: int, kind: str, value: Any) -> bytes:
    match kind:
        case "string":
            return _string(number, value)
        case "bytes":
            return delimited(number, base64.b64decode(value))
        case "bool" | "int":
            return _number(number, int(value))
        case "time" | "microtime":
            return delimited(number, _moment(value))
        case "quantity":
            return delimited(number, _string(1, str(value)))
        case "intstr":
            if isinstance(value, str):
                return delimited(number, _number(1, 1) + _string(3, value))
            return delimited(number, _number(2, value))
        case "strings":
            return delimited(number, b"".join(_string(1, item) for item in value))
        case "raw":
            return delimited(number, _string(1, json.dumps(value)))
    return delimited(number, _message(value, kind))


def _moment(text: str | None) -> bytes:
    if text is None:
        return b""
    moment = datetime.fromisoformat(text)
    nanos = _number(2, moment.microsecond * 1000) if moment.microsecond else b""
    return _number(1, int(moment.timestamp())) + nanos
