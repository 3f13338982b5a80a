"""Offences found by validation, each at the path of a field.

Texts follow ``k8s.io/apimachinery/pkg/util/validation/field``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class FieldError:
    """One offence: the cause's reason, the path of the field, and the value that stood there."""

    type: str
    field: str
    value: Any = None
    detail: str = ""

    def body(self) -> str:
        """The text without the field path, as ``Status.details.causes[].message`` has it."""
        text = _WORDS[self.type]
        if self.type not in _WITHOUT_VALUE:
            text += f": {go_text.value(go_syntax.readable(self.value))}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"


@dataclass(frozen=True, slots=True)
class Path:
    """``Path("spec").child("containers").index(0)`` prints ``spec.containers[0]``."""

    text: str

    def child(self, *names: str) -> Path:
        return Path(".".join((self.text, *names)) if self.text else ".".join(names))

    def index(self, number: int) -> Path:
        return Path(f"{self.text}[{number}]")

    def key(self, key: str) -> Path:
        return Path(f"{self.text}[{key}]")

    def __str__(self) -> str:
        return self.text


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
