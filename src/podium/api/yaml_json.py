"""YAML read as ``sigs.k8s.io/yaml`` reads it: the first document, as the JSON value it stands for.

Plain words follow YAML 1.1 as ``yaml.v2`` understands it (``yes`` is a boolean, ``0o17`` a number);
timestamps stay text. Works on libyaml's events with a stack of its own: neither nesting nor aliases
cost more than the document is long.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import yaml

from podium.api.go_json import GO_EXPONENT

_MAX_DEPTH = 10000
#: How deep a value is shown that is no key.
_SHOWN_DEPTH = 8
#: How newer releases of libyaml refuse what they find too deep (from 1,000 levels on) themselves.
_TOO_DEEP = "exceeded maximum nesting depth"


class YamlFailure(ValueError):
    """Not YAML, or not YAML that stands for JSON; the message is upstream's."""


def load(body: bytes | str) -> tuple[Any, list[str]]:
    """Return the value of the first document and one text for each repeated key.

    Raises YamlFailure. Mappings come back as dicts with text keys; the last of repeated keys wins.
    """
    builder = _Builder()
    try:
        loader = yaml.CSafeLoader(body)
    except yaml.YAMLError as exc:
        raise YamlFailure(go_message(exc)) from None
    try:
        while not builder.finished and loader.check_event():
            builder.feed(loader.get_event())
    except yaml.YAMLError as exc:
        raise YamlFailure(go_message(exc)) from None
    finally:
        loader.dispose()
    return builder.root, builder.repeated


def as_json(value: Any) -> Any:
    """Return what :func:`load` gave as upstream's decoder gets it: it reads the JSON that Go writes
    of a YAML document, where members come in the order of their keys.

    Raises RecursionError. What aliases share stays shared.
    """
    return _as_json(value, {})


def _as_json(value: Any, done: dict[int, Any]) -> Any:
    if not isinstance(value, dict | list):
        return value
    known = done.get(id(value))
    if known is None:
        if isinstance(value, dict):
            known = {key: _as_json(value[key], done) for key in sorted(value)}
        else:
            known = [_as_json(item, done) for item in value]
        done[id(value)] = known
    return known


def go_message(exc: yaml.YAMLError) -> str:
    """Return what Go's reader of YAML says where PyYAML says *exc*."""
    if isinstance(exc, yaml.reader.ReaderError):
        return f"yaml: {exc.reason}"
    if not isinstance(exc, yaml.MarkedYAMLError):
        return f"yaml: {exc}"
    if exc.problem == _TOO_DEEP:
        return "yaml: exceeded max depth"
    line = exc.problem_mark.line if exc.problem_mark else 0
    if line and isinstance(exc, yaml.scanner.ScannerError):
        line += 1
    if not line and exc.context_mark:
        line = exc.context_mark.line
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{exc.problem or 'unknown problem parsing YAML content'}"


_MERGE = object()
_NO_KEY = object()


class _Frame:
    """A list or mapping that is being filled."""

    __slots__ = ("anchor", "key", "line", "seen", "size", "value")

    def __init__(self, value: Any, anchor: str | None, line: int) -> None:
        self.value = value
        self.anchor = anchor
        self.line = line
        #: Nodes below, those that aliases stand for included.
        self.size = 1
        #: The key whose value comes next.
        self.key: Any = _NO_KEY
        self.seen: set[tuple[type, Any]] = set()


class _Builder:
    """Puts libyaml's events together to one value."""

    def __init__(self) -> None:
        self.root: Any = None
        self.repeated: list[str] = []
        self.finished = False
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._decoded = 0
        self._aliased = 0

    def feed(self, event: Any) -> None:
        """Take the next event of libyaml."""
        line = event.start_mark.line
        if isinstance(event, yaml.ScalarEvent):
            self._decoded += 1
            value = _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1 + len(event.value) // 64)
            self._add(value, 1, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(self._stack) >= _MAX_DEPTH:
                raise YamlFailure(f"yaml: exceeded max depth of {_MAX_DEPTH}")
            self._decoded += 1
            empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._stack.append(_Frame(empty, event.anchor, line))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self._stack.pop()
            if frame.anchor:
                self._anchors[frame.anchor] = (frame.value, frame.size)
            self._add(frame.value, frame.size, frame.line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentEndEvent):
            self.finished = True

    def _alias(self, event: Any) -> None:
        if any(frame.anchor == event.anchor for frame in self._stack):
            raise YamlFailure(f"yaml: anchor '{event.anchor}' value contains itself")
        if event.anchor not in self._anchors:
            raise YamlFailure(f"yaml: unknown anchor '{event.anchor}' referenced")
        value, size = self._anchors[event.anchor]
        self._aliased += size
        self._decoded += size
        self._refuse_bombs()
        self._add(value, size, event.start_mark.line)

    def _refuse_bombs(self) -> None:
        """Upstream's rule: the more a document expands to, the less of it may come from aliases."""
        if self._aliased <= 100 or self._decoded <= 1000:
            return
        if self._decoded <= 400_000:
            allowed = 0.99
        elif self._decoded >= 4_000_000:
            allowed = 0.10
        else:
            allowed = 0.99 - 0.89 * (self._decoded - 400_000) / 3_600_000
        if self._aliased / self._decoded > allowed:
            raise YamlFailure("yaml: document contains excessive aliasing")

    def _add(self, value: Any, size: int, line: int) -> None:
        if not self._stack:
            self.root = "<<" if value is _MERGE else value
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.value, list):
            frame.value.append("<<" if value is _MERGE else value)
        elif frame.key is _NO_KEY:
            if isinstance(value, dict | list):
                raise YamlFailure(f"yaml: invalid map key: {_in_go(value)}")
            frame.key = value
        else:
            key, frame.key = frame.key, _NO_KEY
            if key is _MERGE:
                _merge(frame, value)
            else:
                self._set(frame, key, "<<" if value is _MERGE else value, line)

    def _set(self, frame: _Frame, key: Any, value: Any, line: int) -> None:
        identity = (type(key), key)
        if identity in frame.seen:
            shown = f'"{key}"' if isinstance(key, str) else _key_text(key)
            self.repeated.append(f"line {line + 1}: key {shown} already set in map")
        frame.seen.add(identity)
        frame.value[_key_text(key)] = value


def _merge(frame: _Frame, value: Any) -> None:
    """``<<``: take over the members of one mapping, or of several, the first of which wins."""
    maps = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in maps):
        raise YamlFailure("yaml: map merge requires map or sequence of maps as the value")
    for item in reversed(maps):
        frame.value.update(item)


def _key_text(key: Any) -> str:
    """Return the JSON key for a YAML key, as upstream converts it."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if isinstance(key, float):
        return f"{key:.7g}"
    raise YamlFailure("unsupported map key of type: %!s(<nil>), key: <nil>")


def _in_go(value: Any, depth: int = 0) -> str:
    """Return a value as Go writes it in a program; what lies very deep is left out."""
    if depth == _SHOWN_DEPTH:
        return "…"
    if isinstance(value, dict):
        pairs = (f"{_in_go(key)}:{_in_go(value[key], depth + 1)}" for key in sorted(value))
        return f"map[interface {{}}]interface {{}}{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        items = (_in_go(item, depth + 1) for item in value)
        return f"[]interface {{}}{{{', '.join(items)}}}"
    return "interface {}(nil)" if value is None else json.dumps(value, ensure_ascii=False)


_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, Any] = {
    **dict.fromkeys("y Y yes Yes YES true True TRUE on On ON".split(), True),
    **dict.fromkeys("n N no No NO false False FALSE off Off OFF".split(), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(".nan .NaN .NAN".split(), float("nan")),
    **dict.fromkeys(".inf .Inf .INF +.inf +.Inf +.INF".split(), float("inf")),
    **dict.fromkeys("-.inf -.Inf -.INF".split(), float("-inf")),
    "<<": _MERGE,
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_DOT_FLOAT = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?", re.ASCII)
_INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)", re.ASCII)
_DATE = re.compile(
    r"\d{4}-\d\d?-\d\d?([Tt]\d\d?:\d\d?:\d\d?(\.\d+)?(Z|[+-]\d\d:\d\d)"
    r"|[ ]\d\d?:\d\d?:\d\d?(\.\d+)?)?",
    re.ASCII,
)


def _scalar(event: Any) -> Any:
    text: str = event.value
    tag: str = event.tag or ""
    if tag == "!" or (not tag and not event.implicit[0]):
        return text
    if not tag:
        return _finite(_resolve(text))
    short = tag.removeprefix(_TAG)
    if short == tag or short == "str":
        return text
    if short == "binary":
        try:
            bare = text.replace("\r", "").replace("\n", "")
            return base64.b64decode(bare, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise YamlFailure("yaml: !!binary value contains invalid base64 data") from None
    return _tagged(short, text)


def _tagged(tag: str, text: str) -> Any:
    value = _resolve(text)
    if tag == "timestamp" and _DATE.fullmatch(text):
        return text
    if tag == "float" and isinstance(value, int) and not isinstance(value, bool):
        return _finite(float(value))
    kinds: dict[str, Any] = {"int": int, "float": float, "bool": bool, "null": type(None)}
    if tag not in kinds:
        return text
    if type(value) is kinds[tag]:
        return _finite(value)
    names = {bool: "bool", int: "int", float: "float", type(None): "null"}
    found = names.get(type(value), "str")
    raise YamlFailure(f"yaml: cannot decode !!{found} `{text}` as a !!{tag}")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        shown = "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
        raise YamlFailure(f"json: unsupported value: {shown}")
    if isinstance(value, float) and value.is_integer() and abs(value) < GO_EXPONENT:
        return int(value)  # as Go writes it in JSON: 1.0 is 1
    return value


def _resolve(text: str) -> Any:
    """Return what the plain scalar *text* means."""
    first = text[:1]
    if first and first not in "+-0123456789.yYnNtTfFoO~<":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if first == ".":
        return float(text) if _DOT_FLOAT.fullmatch(text) else text
    if not first or first not in "+-0123456789" or _DATE.fullmatch(text):
        return text
    bare = text.replace("_", "")
    if _INT.fullmatch(bare):
        number = _int(bare)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(bare):
        return float(bare)
    return text


def _int(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        number = int(digits, 8)
    else:
        number = int(digits[:100], 0)
    return -number if text[0] == "-" else number
