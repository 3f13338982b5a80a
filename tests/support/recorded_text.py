"""What cannot be the same in two clusters, under names in angle brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Replacement = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

#: Earlier times are the cases' own.
_YEAR = r"(?:202[5-9]|20[3-9]\d|2[1-9]\d\d)"
_CLOCK = r"\d\d:\d\d:\d\d"
_DATE = rf"\b{_YEAR}-\d\d-\d\d[T ]{_CLOCK}"
_UID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_PRIVATE = r"(?:10\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168)"
_IP = re.compile(rf"(?<![\d.]){_PRIVATE}(?:\.\d{{1,3}}){{2}}(?![\d.]*\d)")
_PAIR = re.compile(r"(\d+):(3[0-2]\d{3})/")
_TEXTS: tuple[Replacement, ...] = (
    (re.compile(rf"{_DATE}(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: UTC)?"), "<time>"),
    (re.compile(rf"\b\w{{3}}, \d\d \w{{3}} {_YEAR} {_CLOCK} [+-]\d{{4}}"), "<time>"),
    (re.compile(r"\bkube-api-access-[a-z0-9]{5}\b"), "kube-api-access-<rand>"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+"), "<token>"),
    (re.compile(r"(\(|over |lasts )(?:\d+[smhdy])+( ago)?\)"),
     lambda match: f"{match[1]}<age>{match[2] or ''})"),
    (re.compile(r"(too old resource version: )\d+ \(\d+\)"), r"\1<rv> (<rv>)"),
    (re.compile(r"(Too large resource version: )\d+, current: \d+"), r"\1<rv>, current: <rv>"),
    (re.compile(r'(resourceVersion\\+":\\+")[1-9]\d*'), r"\1<rv>"),
    (re.compile(r"(ResourceVersion in record \()\d+"), r"\1<rv>"),
    (re.compile(r"\n\s+&?(?:\[\])?core\.\w+\{.*", re.DOTALL), "\n<diff>"),
    (re.compile(r"\b0xc[0-9a-f]{6,}\b"), "<address>"),
    (re.compile(r"(.)\1{999,}", re.DOTALL), lambda match: f"<{match[1]}*{len(match[0])}>"),
)  # fmt: skip
_OUTPUTS: tuple[Replacement, ...] = (
    (re.compile(r'(resourceVersion"?: ?)"[1-9]\d*"'), r'\1"<rv>"'),
    (re.compile(r"(Resource Version: +)[1-9]\d*"), r"\1<rv>"),
    (re.compile(r"/tmp/(LIVE|MERGED)-\d+"), r"/tmp/\1-<n>"),
    (re.compile(r"(?<=\S) {2,}"), "  "),
    (re.compile(r"(?<=\s)(?<!for )(?<!Period:  )(?:\d+[smhdy])+(?=\s|$)"), "<age>"),
    (re.compile(r"-{20,}"), "<line>"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)
_AGE = re.compile(r"(?:\d+(?:ms|us|[smhdy]))+")
_NEW = "0s"
_AGES = {"Age", "Last Seen", "First Seen", "Last Schedule", "Duration"}
_CONTROLLERS = "kube-controller-manager"
_NEWER = {"generation", "observedGeneration", "hostIPs", "allocatedResources", "user"}


class Normal:
    """Names what varies; what the steps of a case say themselves stays."""

    def __init__(self, steps: list[dict[str, Any]]) -> None:
        said = json.dumps([{k: v for k, v in step.items() if k != "expect"} for step in steps])
        self._said = set(re.findall(r"[\w.:-]+", said))
        prefixes = set(re.findall(r'"generateName": "([^"]{2,})"', said))
        self._generated = [
            re.compile(rf"(?<![\w.-])({re.escape(prefix)})[a-z0-9]{{5}}(?![\w-])")
            for prefix in sorted(prefixes)
        ]

    def text(self, text: str) -> str:
        for prefix in self._generated:
            text = prefix.sub(r"\1<rand>", text)
        text = _UID.sub(self._unless_said("<uid>"), text)
        text = _IP.sub(self._unless_said("<ip>"), text)
        text = _PAIR.sub(
            lambda match: match[0] if match[2] in self._said else f"{match[1]}:<port>/", text
        )
        return _replaced(text, _TEXTS)

    def _unless_said(self, name: str) -> Callable[[re.Match[str]], str]:
        return lambda match: match[0] if match[0] in self._said else name

    def value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.value(item, key) for item in value]
        if isinstance(value, str):
            if key == "resourceVersion" and value not in ("", "0"):
                return "<rv>"
            if key == "continue" and value:
                return "<continue>"
            return "<address>" if key == "serverAddress" else self.text(value)
        if key in ("nodePort", "healthCheckNodePort") and value and str(value) not in self._said:
            return "<port>"
        return value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("kind") == "Table" and isinstance(value.get("rows"), list):
            value = _without_ages(value)
        found = {self.text(name): self.value(item, name) for name, item in value.items()}
        if isinstance(owners := found.get("managedFields"), list):
            order = ("operation", "manager", "subresource", "apiVersion")
            kept = [owner for owner in owners if owner.get("manager") != _CONTROLLERS]
            found["managedFields"] = sorted(kept, key=lambda o: [str(o.get(k)) for k in order])
        return found

    def output(self, text: str, home: str) -> str:
        return _replaced(self.text(text.replace(home, "<dir>")), _OUTPUTS)


def _replaced(text: str, replacements: tuple[Replacement, ...]) -> str:
    for pattern, name in replacements:
        text = pattern.sub(name, text)
    return text


def _without_ages(table: Mapping[str, Any]) -> dict[str, Any]:
    """Ages in rows that come without columns, as a watch's later ones do, were none then."""
    columns = table.get("columnDefinitions") or []
    ages = [i for i, column in enumerate(columns) if column.get("name") in _AGES]
    rows = []
    for row in table["rows"]:
        cells = list(row.get("cells") or [])
        for i in ages:
            if _is_age(cells[i]):
                cells[i] = "<age>"
        if not columns:
            cells = [_NEW if _is_age(cell) else cell for cell in cells]
        rows.append({**row, "cells": cells})
    return {**table, "rows": rows}


def _is_age(cell: Any) -> bool:
    return isinstance(cell, str) and _AGE.fullmatch(cell) is not None


def without_newer(seen: Any, recorded: Any) -> Any:
    """Return *seen* without what Pods have gained since, where the record has none of it."""
    if isinstance(seen, dict) and isinstance(recorded, dict):
        return {
            name: without_newer(value, recorded.get(name))
            for name, value in seen.items()
            if name in recorded or name not in _NEWER
        }
    if isinstance(seen, list) and isinstance(recorded, list) and len(seen) == len(recorded):
        return list(map(without_newer, seen, recorded))
    return seen


def pointer(value: Any, where: str) -> Any:
    """Return what a JSON pointer points to, None where that is nothing."""
    for part in where.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return None
    return value


def shape(value: Any) -> Any:
    """Return *value* with the names of their types in the place of scalars."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if value is None:
        return "null"
    return {str: "string", bool: "boolean"}.get(type(value), "number")
