"""``explain``: what an OpenAPI document says of a kind and its fields, as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Map = Mapping[str, Any]

_WIDTH = 80
_SHOWN_VALUES = 4


class NoSuchFieldError(ValueError):
    """A path leads to a field that is not there. The text is what comes before: the kind."""

    def __init__(self, name: str, before: str) -> None:
        super().__init__(f'field "{name}" does not exist')
        self.before = before


class Schemas:
    """The schemas of one document, by their names."""

    def __init__(self, document: Map) -> None:
        self._schemas: Map = (document.get("components") or {}).get("schemas") or {}

    def kind(self, group: str, version: str, kind: str) -> Map | None:
        """Return the schema of a kind, None where the document has none."""
        wanted = {"group": group, "version": version, "kind": kind}
        for schema in self._schemas.values():
            if wanted in schema.get("x-kubernetes-group-version-kind", ()):
                found: Map = schema
                return found
        return None

    def name(self, schema: Map) -> str:
        """Return what a schema refers to, "" where it stands for itself."""
        inner = schema.get("allOf") or []
        reference = schema.get("$ref") or (inner[0].get("$ref") if len(inner) == 1 else "")
        return str(reference or "").rpartition("/")[2]

    def resolved(self, schema: Map) -> Map:
        """Return the schema that *schema* refers to, or itself."""
        name = self.name(schema)
        found: Map = self._schemas.get(name, {}) if name else schema
        return found

    def element(self, schema: Map) -> Map:
        """Return what a list, or a map, of something is made of; other schemas as they are."""
        schema = self.resolved(schema)
        while True:
            inner = schema.get("items") or schema.get("additionalProperties")
            if not isinstance(inner, Mapping):
                return schema
            schema = self.resolved(inner)

    def type(self, schema: Map, *, older: bool = False) -> str:
        """Return the type as it is shown; the *older* form does not name objects."""
        if schema.get("type") == "array":
            return f"[]{self.type(schema.get('items') or {}, older=older)}"
        inner = schema.get("additionalProperties")
        if isinstance(inner, Mapping):
            return f"map[string]{self.type(inner, older=older)}"
        name, found = self.name(schema), self.resolved(schema)
        kind = str(found.get("type", ""))
        if kind and kind != "object":
            return kind
        if older:
            return "string" if found.get("oneOf") else "Object"
        return name.rpartition(".")[2] or "Object"


def walk(schemas: Schemas, schema: Map, path: Sequence[str], head: str) -> Map:
    """Return the field that *path* leads to from *schema*. Raises NoSuchFieldError."""
    field = schema
    for name in path:
        properties = schemas.element(field).get("properties") or {}
        if name not in properties:
            raise NoSuchFieldError(path[-1], head)  # upstream names the last of a path
        field = properties[name]
    return field


def head(group: str, version: str, kind: str) -> str:
    first = f"GROUP:      {group}\n" if group else ""
    return f"{first}KIND:       {kind}\nVERSION:    {version}\n\n"


def plain(schemas: Schemas, field: Map, name: str, *, recursive: bool, depth: int = 0) -> str:
    """Return what follows the head: the *field* called *name*, "" for the kind itself.

    With *recursive* all below it, *depth* levels at most where that is not 0.
    """
    out: list[str] = []
    if name:
        out.append(f"FIELD: {name} <{schemas.type(field)}>\n")
        values = field.get("enum")
        out += ["ENUM:\n", *(f"    {value}\n" for value in sorted(values))] if values else ["\n"]
        out.append("\n")
    out.append(f"DESCRIPTION:\n{_indented(_described(schemas, field), 4)}\n")
    fields = list(_properties(schemas, field))
    if fields:
        out.append("FIELDS:\n")
        out += _fields(schemas, fields, recursive=recursive, depth=depth, level=1, seen=())
    return "".join(out) + "\n"


def _described(schemas: Schemas, field: Map) -> str:
    """What is said of a field, then of its type."""
    texts = [str(field.get("description", ""))]
    inner = field
    while isinstance(following := inner.get("items") or inner.get("additionalProperties"), Mapping):
        inner = following
    name = schemas.name(inner)
    if name:
        texts.append(str(schemas.resolved(inner).get("description", "")))
    text = "".join(f"{_wrapped(text, _WIDTH - 4)}\n" for text in texts if text)
    return text or "<empty>\n"


def _properties(schemas: Schemas, field: Map) -> Iterator[tuple[str, Map, bool]]:
    schema = schemas.element(field)
    required = schema.get("required") or ()
    for name, inner in sorted((schema.get("properties") or {}).items()):
        yield name, inner, name in required


def _fields(
    schemas: Schemas,
    fields: Sequence[tuple[str, Map, bool]],
    *,
    recursive: bool,
    depth: int,
    level: int,
    seen: tuple[str, ...],
) -> Iterator[str]:
    indent = "  " * level
    for name, field, required in fields:
        must = " -required-" if required else ""
        yield f"{indent}{name}\t<{schemas.type(field)}>{must}\n"
        if field.get("enum"):
            yield f"{indent}enum: {_values(field['enum'])}\n"
        if not recursive:
            text = _wrapped(str(field.get("description") or "<no description>"), _WIDTH - 4)
            yield f"{_indented(text, 4)}\n\n"
            continue
        type_ = schemas.type(field).rpartition("]")[2]
        if type_ not in seen and (not depth or level < depth):
            inner, below = list(_properties(schemas, field)), (*seen, type_)
            yield from _fields(
                schemas, inner, recursive=True, depth=depth, level=level + 1, seen=below
            )


def _values(values: Sequence[str]) -> str:
    listed = sorted(str(value) or '""' for value in values)
    shown = ", ".join(listed[:_SHOWN_VALUES])
    return f"{shown}, ...." if len(listed) > _SHOWN_VALUES else shown


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line for line in text.split("\n"))


def _wrapped(text: str, width: int) -> str:
    """Break lines at blanks; a word that is too long stands alone, and blanks stay as they are."""
    return "\n".join(_broken(line, width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    out, current, blank = "", 0, ""
    for part in re.findall(r"\s+|\S+", line):
        if part.isspace():
            blank = part
        elif current + len(blank) + len(part) > width and out:
            out, current, blank = f"{out}\n{part}", len(part), ""
        else:
            out += blank + part
            current, blank = current + len(blank) + len(part), ""
    return out


# -- as kubectl printed it until 1.26


def older(
    schemas: Schemas, field: Map, name: str, kind: tuple[str, str], *, recursive: bool
) -> str:
    """Return the whole text in the form of ``--output=plaintext-openapiv2``."""
    out = [f"KIND:     {kind[1]}\nVERSION:  {kind[0]}\n\n"]
    fields = list(_properties(schemas, field))
    if name:
        title = "RESOURCE:" if fields else "FIELD:   "
        out.append(f"{title} {name} <{schemas.type(field, older=True)}>\n\n")
    texts = [str(field.get("description") or "<empty>")]
    if fields and name:
        texts.append(str(schemas.element(field).get("description", "")))
    out.append("DESCRIPTION:\n")
    out += [_paragraphs(text, 5) for text in texts if text]
    if fields:
        out.append("FIELDS:\n")
        out += _older_fields(schemas, fields, recursive=recursive, level=1, seen=())
    text = "".join(out)
    return text if fields else text.rstrip("\n") + "\n"


def _older_fields(
    schemas: Schemas,
    fields: Sequence[tuple[str, Map, bool]],
    *,
    recursive: bool,
    level: int,
    seen: tuple[str, ...],
) -> Iterator[str]:
    indent = "   " * level
    for name, field, required in fields:
        must = " -required-" if required and not recursive else ""
        yield f"{indent}{name}\t<{schemas.type(field, older=True)}>{must}\n"
        if not recursive:
            yield _paragraphs(str(field.get("description") or "<no description>"), 5)
            continue
        type_ = schemas.type(field).rpartition("]")[2]
        if type_ not in seen:
            inner = list(_properties(schemas, field))
            yield from _older_fields(
                schemas, inner, recursive=True, level=level + 1, seen=(*seen, type_)
            )


def _paragraphs(text: str, indent: int) -> str:
    """Words filled into lines, one paragraph after the other."""
    out = []
    for paragraph in text.split("\n"):
        words = " ".join(paragraph.split())
        lines = _broken(words, _WIDTH - indent).split("\n") if words else [""]
        out += [f"{' ' * indent}{line}" if line else "" for line in lines]
    return "\n".join(out) + "\n\n"
