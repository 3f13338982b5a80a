"""Offences found by validation, each at the path of a field.

Texts follow ``k8s.io/apimachinery/pkg/util/validation/field``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from podium.api import go_syntax, go_text
from podium.api.go_text import Verbatim as Verbatim  # part of this module's door

NOT_FOUND = "FieldValueNotFound"
REQUIRED = "FieldValueRequired"
DUPLICATE = "FieldValueDuplicate"
INVALID = "FieldValueInvalid"
NOT_SUPPORTED = "FieldValueNotSupported"
FORBIDDEN = "FieldValueForbidden"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"
INTERNAL = "InternalError"
TYPE_INVALID = "FieldValueTypeInvalid"

_WORDS = {
    NOT_FOUND: "Not found",
    REQUIRED: "Required value",
    DUPLICATE: "Duplicate value",
    INVALID: "Invalid value",
    NOT_SUPPORTED: "Unsupported value",
    FORBIDDEN: "Forbidden",
    TOO_LONG: "Too long",
    TOO_MANY: "Too many",
    INTERNAL: "Internal error",
    TYPE_INVALID: "Invalid value",
}
_WITHOUT_VALUE = {REQUIRED, FORBIDDEN, TOO_LONG, INTERNAL}
#: In the place of a value that an error does not show.
OMITTED = Verbatim("(omitted)")


class FieldError(msgspec.Struct, frozen=True):
    """One offence: the cause's reason, the path of the field, and the value that stood there."""

    type: str
    field: str
    value: Any = None
    detail: str = ""

    def body(self) -> str:
        """The text without the field path, as ``Status.details.causes[].message`` has it."""
        text = _WORDS[self.type]
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            text += f": {go_text.value(go_syntax.readable(self.value))}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"


class Path(Struct, frozen=True, eq=False, gc=False):
    """``Path("spec").child("containers").index(0)`` prints ``spec.containers[0]``.

    Validation makes a path for every field it looks at and prints next to none of them: a path is
    its last part and what stands before, and becomes text when somebody asks.
    """

    part: str | int
    before: Path | None = None
    bracketed: bool = False

    def child(self, name: str, *more: str) -> Path:
        found = Path(name, self)
        for further in more:
            found = Path(further, found)
        return found

    def index(self, number: int) -> Path:
        return Path(number, self, True)

    def key(self, key: str) -> Path:
        return Path(key, self, True)

    def __str__(self) -> str:
        if self.before is None:
            return str(self.part)
        head = str(self.before)
        if self.bracketed:
            return f"{head}[{self.part}]"
        return f"{head}.{self.part}" if head else str(self.part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def required(path: Path, detail: str = "") -> FieldError:
    return FieldError(REQUIRED, str(path), "", detail)


def invalid(path: Path, value: Any, detail: str) -> FieldError:
    return FieldError(INVALID, str(path), value, detail)


def duplicate(path: Path, value: Any) -> FieldError:
    return FieldError(DUPLICATE, str(path), value)


def forbidden(path: Path, detail: str) -> FieldError:
    return FieldError(FORBIDDEN, str(path), "", detail)


def not_found(path: Path, value: Any) -> FieldError:
    return FieldError(NOT_FOUND, str(path), value)


def not_supported(path: Path, value: Any, supported: Iterable[str]) -> FieldError:
    quoted = ", ".join(go_text.quote(item) for item in supported)
    return FieldError(NOT_SUPPORTED, str(path), value, f"supported values: {quoted}")


def too_long(path: Path, limit: int) -> FieldError:
    return FieldError(TOO_LONG, str(path), "", f"must have at most {limit} bytes")


def too_many(path: Path, actual: int, limit: int) -> FieldError:
    return FieldError(TOO_MANY, str(path), actual, f"must have at most {limit} items")
