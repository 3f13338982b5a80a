#!/usr/bin/env python3
"""Write the table of protobuf field numbers, ``podium/api/types/protobuf.json``.

    .venv/bin/python tools/generate_protobuf.py .venv/libexec/kubectl-1.34

The numbers are those of Kubernetes' published ``generated.proto`` files; every kubectl up to 1.34
carries them as descriptors (``tools/fetch_kubectl.py 34``). ``LATER`` has fields that have been
added since. A message is ``{number: [JSON name, type, what]}``: type is a scalar's or a message's
name; what is "" for one value, "many" for a list, "map" for a map from text, "inline" where JSON
has the members of the message in the place of the field.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generate_models import MODULES, OUT, load_definitions

_SCALARS = {1: "double", 3: "int", 5: "int", 8: "bool", 9: "string", 12: "bytes", 13: "int"}
_MESSAGE, _REPEATED = 11, 3
_SPECIAL = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intstr",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "raw",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
}
#: Messages that are lists of texts in JSON.
_LISTS = {
    "io.k8s.api.authentication.v1.ExtraValue",
    "io.k8s.api.authorization.v1.ExtraValue",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Verbs",
}

#: Fields that came after the descriptors: message, number, name, type, what.
_CORE = "io.k8s.api.core.v1."
LATER: list[tuple[str, int, str, str, str]] = [
    (f"{_CORE}NodeStatus", 14, "declaredFeatures", "string", "many"),
    (f"{_CORE}PodStatus", 19, "allocatedResources", "quantity", "map"),
    (f"{_CORE}PodStatus", 20, "resources", f"{_CORE}ResourceRequirements", ""),
    (f"{_CORE}PodCertificateProjection", 7, "userAnnotations", "string", "map"),
    ("io.k8s.api.storage.v1.CSIDriverSpec", 10, "serviceAccountTokenInSecrets", "bool", ""),
]


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
            yield tag >> 3, value
        else:
            size, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            yield tag >> 3, data[at : at + size]
            at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def descriptors(binary: bytes) -> Iterator[bytes]:
    """Yield the file descriptors that lie compressed in *binary*."""
    for match in re.finditer(rb"\x1f\x8b\x08\x00\x00\x00\x00\x00", binary):
        try:
            out = zlib.decompressobj(31).decompress(binary[match.start() : match.start() + 2**20])
        except zlib.error:
            continue
        if b"k8s.io" in out[:200]:
            yield out


def messages(descriptor: bytes) -> Iterator[tuple[str, bytes]]:
    package = next(value.decode() for number, value in fields(descriptor) if number == 2)
    for number, value in fields(descriptor):
        if number == 4:
            name = next(text.decode() for inner, text in fields(value) if inner == 1)
            yield proper(f"{package}.{name}"), value


def proper(name: str) -> str:
    """``.k8s.io.api.core.v1.Pod`` -> ``io.k8s.api.core.v1.Pod``, as OpenAPI has it."""
    return re.sub(r"^\.?k8s\.io\.", "io.k8s.", name)


def table(message: bytes, definition: dict[str, Any]) -> dict[str, list[str]]:
    maps = {}
    for number, nested in fields(message):
        if number == 3:
            inner = dict(fields(nested))
            entries = [dict(fields(v)) for n, v in fields(nested) if n == 2]
            maps[inner[1].decode()] = next(e for e in entries if e[3] == 2)
    found = {}
    properties = definition.get("properties", {})
    for number, value in fields(message):
        if number != 2:
            continue
        field = dict(fields(value))
        name, what = field[1].decode(), ""
        if field[5] == _MESSAGE:
            short = field[6].decode().rsplit(".", 1)[-1]
            if short in maps:
                field, what = {**maps[short], 3: field[3]}, "map"
        kind = type_of(field)
        if what != "map" and field.get(4) == _REPEATED:
            what = "many"
        if properties and name not in properties:
            # ``uID`` and the like are ``uid`` in JSON.
            name = next((known for known in properties if known.lower() == name.lower()), name)
        if properties and name not in properties:
            if field[5] != _MESSAGE:
                continue
            what = "inline"
        found[str(field[3])] = [name, kind, what]
    return found


def type_of(field: dict[int, Any]) -> str:
    if field[5] != _MESSAGE:
        return _SCALARS[field[5]]
    name = proper(field[6].decode())
    return "strings" if name in _LISTS else _SPECIAL.get(name, name)


def main() -> None:
    definitions = load_definitions()
    binary = Path(sys.argv[1]).read_bytes()
    prefixes = tuple(MODULES.values())
    found: dict[str, dict[str, list[str]]] = {}
    for descriptor in descriptors(binary):
        for name, message in messages(descriptor):
            if name.startswith(prefixes) and name not in _SPECIAL and name not in _LISTS:
                found[name] = table(message, definitions.get(name, {}))
    for message_name, number, name, kind, what in LATER:
        found.setdefault(message_name, {})[str(number)] = [name, kind, what]
    text = json.dumps(dict(sorted(found.items())), separators=(",", ":"))
    (OUT / "protobuf.json").write_text(text + "\n")
    missing = [
        f"{name}.{prop}"
        for name, fields_ in found.items()
        for prop in definitions.get(name, {}).get("properties", {})
        if prop not in {entry[0] for entry in fields_.values()} | {"apiVersion", "kind"}
        and "inline" not in {entry[2] for entry in fields_.values()}
    ]
    sys.stdout.write("\n".join(["without a number:", *missing]) + "\n")


if __name__ == "__main__":
    main()
