"""JSON read as Go's ``encoding/json`` reads it: same syntax errors, and nothing is lost.

Objects come back as :class:`Pairs`, so that repeated keys can be told, and numbers as
:class:`Number`, the text that was written. This is the thorough way; whole and plain documents
take msgspec's in ``podium.api.codec``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

MAX_DEPTH = 10000
#: From here on Go writes floats with an exponent.
GO_EXPONENT = 1e21


class SyntaxFailure(ValueError):
    """The text is not JSON; the message is Go's.

    *offset* is how many bytes were read, the wrong one included; 0 where there are too few.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in their order, repeated ones included."""

    __slots__ = ()


def load(body: bytes) -> Any:
    """Return what *body* says, objects as :class:`Pairs` and numbers as :class:`Number`.

    Raises SyntaxFailure. Bytes that are no UTF-8, and halves of surrogate pairs, are read as
    U+FFFD, as Go does.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        _check(body)
        raise SyntaxFailure("exceeded max depth") from None
    return value


def first(text: str, at: int = 0) -> tuple[Any, int]:
    """Return the value that begins at *at*, and where it ends: values may stand behind each other.

    The value is as :func:`plain` has it, whole numbers as ints however they are written. Raises
    SyntaxFailure, whose offset is that in all of the text.
    """
    blank = _BLANK.match(text, at)
    begin = blank.end() if blank else at
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except (ValueError, RecursionError):
        scanner = _Scanner(text.encode("utf-8", "replace"))
        scanner.at = len(text[:begin].encode("utf-8", "replace"))
        scanner.first()
        raise SyntaxFailure("exceeded max depth") from None
    return plain(_whole(value), whole_number), end


def plain(value: Any, numbers: Callable[[str], int | float] | None = None) -> Any:
    """Turn what :func:`load` returned into dicts, lists and numbers; the last repeated key wins."""
    if isinstance(value, Pairs):
        return {key: plain(item, numbers) for key, item in value}
    if isinstance(value, list):
        return [plain(item, numbers) for item in value]
    if isinstance(value, Number):
        return (numbers or number)(value)
    return value


def number(text: str) -> int | float:
    """Return the int or float that a JSON number says; whole numbers beyond int64 become floats."""
    if "." not in text and "e" not in text and "E" not in text and len(text) < 20:
        return int(text)
    return float(text)


def number_text(value: str | float) -> str:
    """Return a number as it was written, or as Go's encoder writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or (value and not 1e-6 <= abs(value) < 1e21):
        return repr(value).replace("e-0", "e-")
    from decimal import Decimal  # takes its time, and is for odd numbers in YAML

    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def whole_number(text: str) -> int | float:
    """Return what a number says as it is once Go has read and written it: ``1.0`` is ``1``."""
    found = number(text)
    if isinstance(found, float) and found.is_integer() and abs(found) < GO_EXPONENT:
        return int(found)
    return found


def kind(value: Any) -> str:
    """Name what *value* is, in Go's words: ``object``, ``array``, ``string``, …"""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Pairs | dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, Number | int | float):
        return "number"
    return "string"


def _pairs(pairs: list[tuple[str, Any]]) -> Pairs:
    return Pairs((_whole(key), _whole(value)) for key, value in pairs)


def _whole(value: Any) -> Any:
    if type(value) is str and not value.isascii() and _SURROGATE.search(value):
        return _SURROGATE.sub("�", value)
    if type(value) is list:
        return [_whole(item) for item in value]
    return value


def _constant(name: str) -> NoReturn:
    raise SyntaxFailure(f"invalid constant {name}")


def _number(text: str) -> Number:
    """Unlike the class itself, a function lets other threads run between two numbers."""
    return Number(text)


_SURROGATE = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_number, parse_int=_number, parse_constant=_constant
)

_SPACE = re.compile(rb"[ \t\r\n]*")
_BLANK = re.compile(r"[ \t\r\n]*")
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_STRING_PART = re.compile(rb'[^"\\\x00-\x1f]*')


def _check(body: bytes) -> None:
    """Raise SyntaxFailure where Go's scanner would stop; return when *body* is JSON."""
    _Scanner(body).run()


class _Scanner:
    """Go's JSON scanner, for the sake of its error messages."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        #: What encloses the place read now: ``{`` or ``[``.
        self.inside: list[int] = []
        #: Whether the innermost of them has just been opened, and is not empty.
        self.opened = False

    def run(self) -> None:
        self.first()
        if self._peek(end_is_fine=True) != -1:
            self._invalid("after top-level value")

    def first(self) -> None:
        self._value()
        while self.inside:
            if not self.opened:
                self._after_value()
            elif self.inside[-1] == ord("{"):
                self._member()
            else:
                self.opened = False
                self._value()

    def _peek(self, *, end_is_fine: bool = False) -> int:
        """Return the next byte that is no blank; -1 at the end where that is fine."""
        space = _SPACE.match(self.body, self.at)
        self.at = space.end() if space else self.at
        if self.at < len(self.body):
            return self.body[self.at]
        if end_is_fine:
            return -1
        raise SyntaxFailure("unexpected end of JSON input")

    def _invalid(self, context: str) -> NoReturn:
        if self.at >= len(self.body):
            raise SyntaxFailure("unexpected end of JSON input")
        text = f"invalid character {_quote(self.body[self.at])} {context}"
        raise SyntaxFailure(text, self.at + 1)

    def _value(self) -> None:
        char = self._peek()
        if char == ord('"'):
            self._string()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        elif char == ord("{") or char == ord("["):
            self._open(char)
        elif char == ord("-") or char in b"0123456789":
            self._number()
        else:
            self._invalid("looking for beginning of value")

    def _open(self, bracket: int) -> None:
        self.at += 1
        self.inside.append(bracket)
        if len(self.inside) > MAX_DEPTH:
            raise SyntaxFailure("exceeded max depth")
        closing = ord("}") if bracket == ord("{") else ord("]")
        self.opened = self._peek() != closing
        if not self.opened:
            self.at += 1
            self.inside.pop()

    def _member(self) -> None:
        self.opened = False
        if self._peek() != ord('"'):
            self._invalid("looking for beginning of object key string")
        self._string()
        if self._peek() != ord(":"):
            self._invalid("after object key")
        self.at += 1
        self._value()

    def _after_value(self) -> None:
        char = self._peek()
        in_object = self.inside[-1] == ord("{")
        if char == ord(","):
            self.at += 1
            if in_object:
                self._member()
            else:
                self._value()
        elif char == (ord("}") if in_object else ord("]")):
            self.at += 1
            self.inside.pop()
        else:
            self._invalid("after object key:value pair" if in_object else "after array element")

    def _string(self) -> None:
        self.at += 1
        while True:
            part = _STRING_PART.match(self.body, self.at)
            self.at = part.end() if part else self.at
            if self.at >= len(self.body) or self.body[self.at] < 0x20:
                self._invalid("in string literal")
            self.at += 1
            if self.body[self.at - 1] == ord('"'):
                return
            self._escape()

    def _escape(self) -> None:
        if self.at >= len(self.body) or self.body[self.at] not in b'bfnrt\\/"u':
            self._invalid("in string escape code")
        self.at += 1
        if self.body[self.at - 1] == ord("u"):
            for _ in range(4):
                if self.at >= len(self.body) or self.body[self.at] not in b"0123456789abcdefABCDEF":
                    self._invalid("in \\u hexadecimal character escape")
                self.at += 1

    def _literal(self, word: bytes) -> None:
        for index, expected in enumerate(word):
            if self.at >= len(self.body) or self.body[self.at] != expected:
                context = f"in literal {word.decode()} (expecting {_quote(expected)})"
                self._invalid(context if index else "looking for beginning of value")
            self.at += 1

    def _number(self) -> None:
        if self.body[self.at] == ord("-"):
            self.at += 1
        if not self._one_of(b"0"):
            self._some_digits("in numeric literal")
        if self._one_of(b"."):
            self._some_digits("after decimal point in numeric literal")
        if self._one_of(b"eE"):
            self._one_of(b"+-")
            self._some_digits("in exponent of numeric literal")

    def _one_of(self, allowed: bytes) -> bool:
        if self.at < len(self.body) and self.body[self.at] in allowed:
            self.at += 1
            return True
        return False

    def _some_digits(self, context: str) -> None:
        if not self._one_of(b"0123456789"):
            self._invalid(context)
        while self._one_of(b"0123456789"):
            pass


_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\"}


def _quote(char: int) -> str:
    if char == ord("'"):
        return r"'\''"
    if char in _ESCAPES:
        return f"'{_ESCAPES[char]}'"
    if chr(char).isprintable():
        return f"'{chr(char)}'"
    return f"'\\x{char:02x}'" if char < 0x80 else f"'\\u{char:04x}'"
