"""A JSONPath template to its parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class JsonPathError(ValueError):
    """In upstream's words."""


class ExecutionError(JsonPathError):
    """What is wrong with a path itself, but upstream finds when it looks for what it names."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    pass


@dataclass(frozen=True, slots=True)
class Recursive:
    """``..``: the values, and all that have something in them below."""


@dataclass(frozen=True, slots=True)
class Slice:
    """*one*: a single index, whose end is the number after it."""

    start: int | None
    end: int | None
    by: int | None = None
    one: bool = False


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Union:
    branches: Sequence[Sequence[Step]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Without *operator*: whether *left* finds anything."""

    left: Sequence[Step]
    operator: str = ""
    right: Sequence[Step] = ()


Step = Field | Wildcard | Recursive | Slice | Literal | Union | Filter


@dataclass(frozen=True, slots=True)
class Action:
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Range:
    """``{range …}`` with what follows, to ``{end}``; without one, to the end of the text."""

    steps: Sequence[Step]
    block: Sequence[str | Action | Range]
    closed: bool = True

    @property
    def again(self) -> Sequence[str | Action | Range]:
        """What comes once more behind the loop where nothing closes it: what is behind the last
        range within that is closed, or all of it. As upstream's."""
        found = _behind_closed(self.block)
        return self.block if found is None else found


def _behind_closed(
    block: Sequence[str | Action | Range],
) -> Sequence[str | Action | Range] | None:
    for place in reversed(range(len(block))):
        part = block[place]
        if isinstance(part, Range):
            if part.closed:
                return block[place + 1 :]
            found = _behind_closed(part.block)
            if found is not None:
                return found
    return None


_NAME = re.compile(r"(?:\\.|[^\\\s.,\[\]$@{}])*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\w.]+")
_WORD = re.compile(r"\w+")
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?\Z", re.ASCII)
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def parse(text: str) -> list[str | Action | Range]:
    """Read a template. Raises JsonPathError."""
    return _Reader(text).block(nested=False)


class _Reader:
    """What is left of a template."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        #: Whether the block that was read last has ended in ``{end}``.
        self._ended = False

    def block(self, *, nested: bool) -> list[str | Action | Range]:
        """Read up to the end of the text, or with *nested* to ``{end}``."""
        parts: list[str | Action | Range] = []
        while self._at < len(self._text):
            brace = self._text.find("{", self._at)
            brace = len(self._text) if brace < 0 else brace
            if brace > self._at:
                parts.append(self._text[self._at : brace])
            self._at = brace + 1
            if brace == len(self._text):
                break
            word, steps = self.action()
            if word == "range":
                inner = self.block(nested=True)
                parts.append(Range(steps, inner, closed=self._ended))
                self._ended = False
            elif word == "end":
                if nested:
                    self._ended = True
                    break
                raise ExecutionError("not in range, nothing to end")
            else:
                parts.append(Action(steps))
        return parts

    def action(self) -> tuple[str, list[Step]]:
        """Read the inside of braces and the one that closes: ``range``, ``end`` or "", steps."""
        word, steps = "", list[Step]()
        while True:
            here = self._text[self._at : self._at + 1]
            if here in ("", "\n", "\r"):
                raise JsonPathError("unclosed action")
            if here == "}":
                self._at += 1
                return word, steps
            if here in " \t@$":
                self._at += 1
            elif here == "[":
                steps += self._filter() if self._text.startswith("[?(", self._at) else self._array()
            elif here in "\"'":
                steps.append(Literal(self._quote(here)))
            elif here == ".":
                self._dots(steps)
            elif here in "+-" or here.isdigit():
                steps.append(Literal(_number(self._take(_NUMBER))))
            elif here.isalpha() or here == "_":
                name = self._take(_WORD)
                if name in ("true", "false"):
                    steps.append(Literal(name == "true"))
                elif name in ("range", "end"):
                    word = name
                else:
                    raise ExecutionError(f"unrecognized identifier {name}")
            else:
                raise JsonPathError(f"unrecognized character in action: U+{ord(here):04X} '{here}'")

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return found[0]

    def _dots(self, steps: list[Step]) -> None:
        if self._text.startswith("..", self._at):
            if steps and isinstance(steps[-1], Recursive):
                raise JsonPathError("invalid multiple recursive descent")
            self._at += 2
            steps.append(Recursive())
            following = self._text[self._at : self._at + 1]
            if not (following.isalnum() or following == "_"):
                return
        else:
            self._at += 1
        name = self._take(_NAME)
        steps.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))

    def _quote(self, mark: str) -> str:
        end = self._at + 1
        while end < len(self._text) and self._text[end] not in (mark, "\n"):
            end += 2 if self._text[end] == "\\" else 1
        if self._text[end : end + 1] != mark:
            raise JsonPathError("unterminated quoted string")
        inner, self._at = self._text[self._at + 1 : end], end + 1
        return _ESCAPE.sub(_unescaped, inner)

    def _array(self) -> list[Step]:
        end = self._text.find("]", self._at)
        if end < 0 or "\n" in self._text[self._at : end]:
            raise JsonPathError("unterminated array")
        inner, self._at = self._text[self._at + 1 : end], end + 1
        if "," in inner:
            return [Union([_inside(f"[{part.strip(' ')}]") for part in inner.split(",")])]
        if len(inner) > 1 and inner[0] == inner[-1] == "'" and "'" not in inner[1:-1]:
            return _inside(f".{inner[1:-1]}")
        found = _SLICE.match(":" if inner == "*" else inner)
        if found is None:
            raise JsonPathError(f"invalid array index {inner}")
        start, stop, by = (_integer(number) for number in found.groups())
        if found[2] is None:
            return [Slice(start, (start or 0) + 1, one=True)]
        return [Slice(start, stop, by)]

    def _filter(self) -> list[Step]:
        begin = self._at + 3
        end, mark = begin, ""
        while True:
            here = self._text[end : end + 1]
            if here in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if mark:
                mark = "" if here == mark and self._text[end - 1] != "\\" else mark
            elif here in "\"'":
                mark = here
            elif here == ")":
                break
            end += 1
        if self._text[end + 1 : end + 2] != "]":
            raise JsonPathError("unclosed array expect ]")
        inner, self._at = self._text[begin:end], end + 2
        found = _COMPARISON.match(inner)
        if found is None:
            return [Filter(_inside(inner))]
        return [Filter(_inside(found[1]), found[2], _inside(found[3]))]


def _inside(text: str) -> list[Step]:
    return _Reader(f"{text}}}").action()[1]


def _integer(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise JsonPathError(f"array index {text} is not a number") from None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise JsonPathError(f"cannot parse number {text}") from None


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)
