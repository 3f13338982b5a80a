"""What a manifest says: objects in YAML or JSON, several in one text, lists of them. Pure."""

from __future__ import annotations

import json
import re

from podium.api import go_json, yaml_json
from podium.kubectl.errors import CommandError, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BYTE_ORDERS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SEPARATOR = re.compile(r"^---(.*)$", re.MULTILINE)
_SAID = re.compile(r"\S")
_NO_LIST = "*unstructured.Unstructured is not a list: no Items field in this object"


def decoded(data: bytes) -> str:
    """Return the text of a file: UTF-8, or UTF-16 where a byte order mark says so; what is neither
    is read as U+FFFD."""
    return data.decode(_BYTE_ORDERS.get(data[:2], "utf-8-sig"), "replace")


def objects(
    source: str, text: str, *, validates: bool
) -> Iterator[tuple[str, dict[str, Any]] | CommandError]:
    """Yield the objects of a text, each with *source*, or why a value is none.

    Raises CommandError where it cannot be read on, and with *validates* for a value that is not as
    its schema says.
    """
    for value, listed in _flattened(source, text, validates=validates):
        yield _undecoded(source, value, listed=listed) or (source, value)


def _flattened(source: str, text: str, *, validates: bool) -> Iterator[tuple[Any, bool]]:
    """Yield the values of a text, and whether they were in a list; a list gives its items."""
    for value in _values(source, text):
        if value is None:
            continue
        if validates:
            _validate(source, value)
        if not isinstance(value, dict) or "items" not in value:
            yield value, False
            continue
        items = _items(source, value, validates=validates)
        for item in items if validates else ():
            _validate(source, item)
        yield from ((item, True) for item in items)


def _items(source: str, value: dict[str, Any], *, validates: bool) -> list[Any]:
    """Return the items of a list. Raises CommandError for what is none, and for a list of lists."""
    items, kind = value["items"], value.get("kind")
    if not isinstance(items, list):
        if validates and kind == "List":
            raise _invalid(source, "invalid object to validate")
        if items is not None:
            raise CommandError(
                f'unable to decode "{source}": json: cannot unmarshal {go_json.kind(items)} into '
                "Go struct field decodeList.items of type []json.RawMessage"
            )
        return []
    if any(isinstance(item, dict) and isinstance(item.get("items"), list) for item in items):
        raise CommandError(_NO_LIST)
    if not isinstance(kind, str) or kind == "List":
        return items
    of_list = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
    return [
        {**item, **of_list}
        if isinstance(item, dict) and not (item.get("kind") or item.get("apiVersion"))
        else item
        for item in items
    ]


# -- values


def _values(source: str, text: str) -> Iterator[Any]:
    """Yield the values of a text: JSON, one behind the other, as far as it goes, then YAML."""
    place = count = 0
    wrong: go_json.SyntaxFailure | None = None
    if text.lstrip().startswith("{"):
        while wrong is None and _SAID.search(text, place):
            try:
                value, place = go_json.first(text, place)
            except go_json.SyntaxFailure as exc:
                wrong = exc
                continue
            yield value
            count += 1
        if wrong is None:
            return
        if not wrong.offset:
            raise _unparsed(source, "unexpected EOF")
        if count > 1:
            raise _unparsed(source, str(wrong))
    rest = _yaml(source, text[place:])
    if wrong is not None:
        # Braces are YAML's, too; but what is no object of YAML, either, was meant for JSON.
        separated = text[place:].lstrip().startswith("---")
        try:
            value = next(rest, None)
        except CommandError:
            value, separated = "", False
        if not isinstance(value, dict | None) and not separated:
            raise _unparsed(source, f"json: offset {wrong.offset}: {wrong}")
        yield value
    yield from rest


def _yaml(source: str, text: str) -> Iterator[Any]:
    for part in _parts(source, text):
        try:
            yield yaml_json.load(part)[0]
        except yaml_json.YamlFailure as exc:
            raise _unparsed(source, f"error converting YAML to JSON: {exc}") from exc


def _parts(source: str, text: str) -> Iterator[str]:
    """Yield the documents of a text, as YAML; the line before the first belongs to it."""
    begin = 0
    for found in _SEPARATOR.finditer(text):
        rest = found[1].strip()
        if rest and not rest.startswith("#"):
            raise _unparsed(source, f"invalid Yaml document separator: {rest}")
        if found.start() > begin:
            if (part := text[begin : found.start()]).strip():
                yield part
            begin = found.end() + 1
    if text[begin:].strip():
        yield text[begin:]


def _unparsed(source: str, why: str) -> CommandError:
    return CommandError(f"error parsing {source}: {why}")


# -- objects


def _validate(source: str, value: Any) -> None:
    """Raise CommandError for what is no object, before the server does."""
    if not isinstance(value, dict):
        raise _invalid(source, "invalid object to validate")
    wrong = []
    for name in ("apiVersion", "kind"):
        if not isinstance(value.get(name) or "", str):
            wrong.append(f"{name} isn't string type")
        elif not value.get(name):
            wrong.append(f"{name} not set")
    if wrong:
        raise _invalid(source, wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")


def _invalid(source: str, why: str) -> CommandError:
    return CommandError(
        f'error validating "{source}": error validating data: {why}; if you choose to ignore '
        "these errors, turn validation off with --validate=false"
    )


def _undecoded(source: str, value: Any, *, listed: bool) -> CommandError | None:
    """Return why a value is no object, None where it is one."""
    if value is None:  # an item of a list; to Go, an object that says nothing
        value = {}
    if not isinstance(value, dict):
        what = f"json: cannot unmarshal {go_json.kind(value)} into Go value of type "
        return CommandError(f'unable to decode "{source}": {what}unstructured.detector')
    for name, shown in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if isinstance(value.get(name), str) and value[name]:
            continue
        if listed:
            return Said(
                'unable to get type info from the object "*unstructured.Unstructured": Object '
                f"'{shown}' is missing in 'object has no {name} field '"
            )
        text = json.dumps(value, separators=(",", ":"), sort_keys=True)
        return CommandError(
            f"unable to decode \"{source}\": Object '{shown}' is missing in '{text}'"
        )
    if wrong := _wrong_metadata(value.get("metadata")):
        return CommandError(f'unable to decode "{source}": json: cannot unmarshal {wrong}')
    return None


def _wrong_metadata(metadata: Any) -> str:
    """Return what of an object's metadata Go could not read, "" for nothing."""
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        what = f"{go_json.kind(metadata)} into Go struct field metadataOnlyObject.metadata"
        return f"{what} of type v1.ObjectMeta"
    for name, wanted in (
        ("name", str),
        ("namespace", str),
        ("labels", dict),
        ("annotations", dict),
    ):
        value = metadata.get(name)
        go_type = "string" if wanted is str else "map[string]string"
        wrong = [] if value is None or isinstance(value, wanted) else [value]
        if not wrong and isinstance(value, dict):
            wrong = [one for one in value.values() if one is not None and not isinstance(one, str)]
            go_type = "string"
        if wrong:
            found = go_json.kind(wrong[0])
            return f"{found} into Go struct field ObjectMeta.metadata.{name} of type {go_type}"
    return ""
