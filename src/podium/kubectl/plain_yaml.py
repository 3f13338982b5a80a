"""Plain YAML, as kubeconfig files are written: maps and lists in blocks, words and quoted texts.

A short command reads one small file, and a whole parser of YAML takes longer to load than all the
rest of it. What is not plain is not read here, but by PyYAML. Pure.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Words of these characters, beginning with a letter or as a path, are texts, but for a few.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@+=")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_AMBIGUOUS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


class _NotPlainError(Exception):
    pass


def load(text: str) -> dict[str, Any] | None:
    """Return what a plain document says, None where it is not plain."""
    if not text.isascii() or not text.replace("\n", " ").isprintable():
        return None
    try:
        lines = [_Line(line) for line in text.split("\n") if line.strip()]
        reader = _Reader([line for line in lines if line.text[0] != "#"])
        found = reader.block(0)
        if reader.place != len(reader.lines):
            return None
    except _NotPlainError:
        return None
    return found if isinstance(found, dict) else None


class _Line:
    __slots__ = ("indent", "text")

    def __init__(self, line: str) -> None:
        self.text = line.strip(" ")
        self.indent = len(line) - len(line.lstrip(" "))


class _Reader:
    def __init__(self, lines: list[_Line]) -> None:
        self.lines, self.place = lines, 0

    def block(self, indent: int) -> Any:
        """Read a map or a list whose lines stand at *indent*."""
        if self._at() != indent:
            raise _NotPlainError
        if self._is_item():
            return self._list(indent)
        found: dict[str, Any] = {}
        while self._at() == indent and not self._is_item():
            key, value = self._entry(indent)
            if key in found:
                raise _NotPlainError
            found[key] = value
        return found

    def _list(self, indent: int) -> list[Any]:
        found = []
        while self._at() == indent and self._is_item():
            line = self.lines[self.place]
            rest = line.text[1:].lstrip(" ")
            if not rest or rest[0] == "-":
                raise _NotPlainError
            if ":" in rest and rest[0] not in "\"'" and (rest[-1] == ":" or ": " in rest):
                line.indent += len(line.text) - len(rest)  # a map begins behind the dash
                line.text = rest
                found.append(self.block(line.indent))
            else:
                self.place += 1
                found.append(_scalar(rest))
        return found

    def _entry(self, indent: int) -> tuple[str, Any]:
        key, colon, value = self.lines[self.place].text.partition(":")
        name = _scalar(key)
        if not colon or (value and value[0] != " ") or not isinstance(name, str):
            raise _NotPlainError
        self.place += 1
        value = value.strip(" ")
        if value:
            if self._at() > indent:
                raise _NotPlainError  # a text over several lines
            return name, _scalar(value)
        inner = self._at()
        if inner > indent or (inner == indent and self._is_item()):
            return name, self.block(inner)
        return name, None

    def _at(self) -> int:
        return self.lines[self.place].indent if self.place < len(self.lines) else -1

    def _is_item(self) -> bool:
        text = self.lines[self.place].text
        return text == "-" or text.startswith("- ")


def _scalar(text: str) -> Any:
    if not text:
        raise _NotPlainError
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "\"'":
        inner = text[1:-1]
        if len(text) < 2 or text[-1] != text[0] or "\\" in inner or text[0] in inner:
            raise _NotPlainError
        return inner
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if (
        not (text[0].isalpha() or text[0] == "/")
        or not _PLAIN.issuperset(text)
        or text.lower() in _AMBIGUOUS
    ):
        raise _NotPlainError
    if text[-1] == ":":
        raise _NotPlainError
    return text
