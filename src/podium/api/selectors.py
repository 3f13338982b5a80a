"""Label selectors and field selectors: parsed, printed and matched as upstream does.

Follows ``k8s.io/apimachinery/pkg/labels`` and ``pkg/fields``. What cannot be parsed is a ValueError
with upstream's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from podium.api import field, names
from podium.api.field import FieldError, Path
from podium.api.go_text import quote
from podium.api.types import meta_v1
from podium.kit.caching import remembered

LabelOperator = Literal["in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!"]

#: What one selector may ask for. Every change is held against the selectors of all watches, so that
#: few watches of long ones would keep everybody waiting; upstream has no such bound.
MAX_REQUIREMENTS = 1000
TOO_MANY = f"a selector may have at most {MAX_REQUIREMENTS} requirements"

_SYMBOLS = {"in": " in ", "notin": " notin ", "gt": ">", "lt": "<"}
_INT64 = re.compile(r"[-+]?[0-9]+", re.ASCII)


class LabelRequirement(msgspec.Struct, frozen=True):
    """One condition on one label. Make it with :func:`requirement`, which checks it."""

    key: str
    operator: LabelOperator
    values: tuple[str, ...] = ()
    #: The values once more, for finding one among many.
    among: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "among", frozenset(self.values))

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value is not None and value in self.among
            case "notin" | "!=":
                return value is None or value not in self.among
            case "exists":
                return value is not None
            case "!":
                return value is None
        if value is None or not _is_int64(value):
            return False
        wanted = int(self.values[0])
        return int(value) > wanted if self.operator == "gt" else int(value) < wanted

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        if self.operator in ("in", "notin"):
            values = f"({values})"
        return f"{self.key}{_SYMBOLS.get(self.operator, self.operator)}{values}"


class LabelSelector(msgspec.Struct, frozen=True):
    """Requirements that all have to hold, in the order of their keys; none of them means all."""

    requirements: tuple[LabelRequirement, ...] = ()
    #: Matches no labels at all, whatever they are: a selector that was not given.
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        if self.nothing:
            return False
        for need in self.requirements:  # noqa: SIM110 - asked of every object of a list
            if not need.matches(labels):
                return False
        return True

    @property
    def empty(self) -> bool:
        """Whether everything matches."""
        return not self.nothing and not self.requirements

    def exact(self, key: str) -> str | None:
        """Return the one value that the label *key* must have, if the selector says so."""
        for need in self.requirements:
            if need.key == key:
                exact = need.operator in ("=", "==", "in") and len(need.values) == 1
                return need.values[0] if exact else None
        return None

    def __str__(self) -> str:
        return ",".join(str(need) for need in self.requirements)


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


def requirement(
    key: str, operator: LabelOperator, values: Iterable[str] = (), path: Path | None = None
) -> LabelRequirement:
    """Return a checked requirement (``labels.NewRequirement``). Raises ValueError."""
    held = tuple(values)
    root = path or Path("")
    errors: list[FieldError] = []
    if bad := names.qualified_name(key):
        errors.append(field.invalid(root.child("key"), key, "; ".join(bad)))
    at = root.child("values")
    if problem := _wrong_number_of_values(operator, held):
        errors.append(field.invalid(at, list(held), problem))
    for index, value in enumerate(held):
        if operator in ("gt", "lt") and not _is_int64(value):
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            errors.append(field.invalid(at.index(index), value, detail))
    for index, value in enumerate(held):
        if bad := names.label_value(value):
            errors.append(field.invalid(at.index(index).key(key), value, "; ".join(bad)))
    if errors:
        texts = list(dict.fromkeys(str(error) for error in errors))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return LabelRequirement(key, operator, held)


def _wrong_number_of_values(operator: LabelOperator, values: tuple[str, ...]) -> str:
    match operator:
        case "in" | "notin":
            return "" if values else "for 'in', 'notin' operators, values set can't be empty"
        case "exists" | "!":
            return "values set must be empty for exists and does not exist" if values else ""
        case "gt" | "lt":
            if len(values) == 1:
                return ""
            return "for 'Gt', 'Lt' operators, exactly one value is required"
    return "" if len(values) == 1 else "exact-match compatibility requires one single value"


def _is_int64(text: str) -> bool:
    return bool(_INT64.fullmatch(text)) and len(text) < 100 and -(2**63) <= int(text) <= 2**63 - 1


_STRUCT_OPERATORS: dict[str, LabelOperator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
}


def from_struct(selector: meta_v1.LabelSelector | None) -> LabelSelector:
    """Return the selector that a ``LabelSelector`` stands for (``LabelSelectorAsSelector``).

    None matches nothing, an empty one everything. Raises ValueError with upstream's text.
    """
    if selector is None:
        return NOTHING
    needs = [
        requirement(key, "=", (value,)) for key, value in sorted(selector.match_labels.items())
    ]
    for expression in selector.match_expressions:
        operator = _STRUCT_OPERATORS.get(expression.operator)
        if operator is None:
            raise ValueError(f"{quote(expression.operator)} is not a valid label selector operator")
        needs.append(requirement(expression.key, operator, expression.values))
    return LabelSelector(tuple(sorted(needs, key=lambda need: need.key)))


@remembered(512, longest=1024)
def parse_labels(text: str) -> LabelSelector:
    """Parse a label selector: ``a=b,c!=d,e in (f,g),h notin (i),j,!k,n>1``. Raises ValueError."""
    return _Parser(text).parse()


_TOKEN = re.compile(rb"[ \t\r\n]*(?:([=!(),><]+)|([^=!(),>< \t\r\n\x00]+)|(\x00)|$)")
_KEYWORDS = (")", ",", "!", "==", "=", ">", "in", "<", "!=", "notin", "(")
_OPERATORS: dict[str, LabelOperator] = {
    "in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt",
}  # fmt: skip
_END = ("end", "")


def _tokens(text: str) -> list[tuple[str, str]]:
    """Split *text* into (sort, literal); the sort of a keyword or symbol is itself."""
    found: list[tuple[str, str]] = []
    body = text.encode("utf-8", "replace")
    at = 0
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None or match[3]:
            break
        at = match.end()
        if match[1]:
            found.extend(_symbols(match[1].decode()))
        elif match[2]:
            word = match[2].decode("utf-8", "replace")
            found.append((word, word) if word in _KEYWORDS else ("identifier", word))
    found.append(_END)
    return found


def _symbols(run: str) -> Iterable[tuple[str, str]]:
    """Split a run of symbols, longest first, as upstream's lexer does."""
    at = 0
    while at < len(run):
        end = at + 1
        while end < len(run) and run[at : end + 1] in _KEYWORDS:
            end += 1
        yield run[at:end], run[at:end]
        at = end


class _Parser:
    """Upstream's recursive descent over the tokens of a label selector."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def parse(self) -> LabelSelector:
        needs: list[LabelRequirement] = []
        while True:
            sort, literal = self._peek()
            if sort == "end":
                break
            if sort not in ("identifier", "!"):
                raise ValueError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            if len(needs) == MAX_REQUIREMENTS:
                raise ValueError(TOO_MANY)
            try:
                needs.append(self._requirement())
            except ValueError as exc:
                raise ValueError(f"unable to parse requirement: {exc}") from None
            sort, literal = self._next()
            if sort == "end":
                break
            if sort != ",":
                raise ValueError(f"found '{literal}', expected: ',' or 'end of string'")
            sort, literal = self._peek()
            if sort not in ("identifier", "!"):
                raise ValueError(f"found '{literal}', expected: identifier after ','")
        return LabelSelector(tuple(sorted(needs, key=lambda need: need.key)))

    def _peek(self) -> tuple[str, str]:
        """The token to come, read as a value: ``in`` and ``notin`` are words like others there."""
        sort, literal = self.tokens[min(self.at, len(self.tokens) - 1)]
        return ("identifier", literal) if sort in ("in", "notin") else (sort, literal)

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _requirement(self) -> LabelRequirement:
        sort, key = self._next()
        absent = sort == "!"
        if absent:
            sort, key = self._next()
        if sort != "identifier":
            raise ValueError(f"found '{key}', expected: identifier")
        if bad := names.qualified_name(key):
            raise ValueError(str(field.invalid(Path("<nil>"), key, "; ".join(bad))))
        if self._peek()[0] in ("end", ","):
            return requirement(key, "!" if absent else "exists")
        if absent:
            return requirement(key, "!")
        operator = self._operator()
        values = self._values() if operator in ("in", "notin") else self._value()
        return requirement(key, operator, sorted(values))

    def _operator(self) -> LabelOperator:
        sort, literal = self.tokens[min(self.at, len(self.tokens) - 1)]
        self.at += 1
        if sort not in _OPERATORS:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise ValueError(f"found '{literal}', expected: {expected}")
        return _OPERATORS[sort]

    def _value(self) -> set[str]:
        if self._peek()[0] in ("end", ","):
            return {""}
        sort, literal = self._next()
        if sort != "identifier":
            raise ValueError(f"found '{literal}', expected: identifier")
        return {literal}

    def _values(self) -> set[str]:
        sort, literal = self._next()
        if sort != "(":
            raise ValueError(f"found '{literal}' expected: '('")
        sort, literal = self._peek()
        if sort == ")":
            self.at += 1
            return {""}
        if sort not in ("identifier", ","):
            raise ValueError(f"found '{literal}', expected: ',', ')' or identifier")
        values = self._identifiers()
        if self._next()[0] != ")":
            raise ValueError(f"found '{literal}', expected: ')'")
        return values

    def _identifiers(self) -> set[str]:
        """Words separated by commas, any of which may be missing: a missing one is ``""``."""
        values: set[str] = set()
        while True:
            sort, literal = self._next()
            if sort == "identifier":
                values.add(literal)
                sort, literal = self._peek()
                if sort == ")":
                    return values
                if sort != ",":
                    raise ValueError(f"found '{literal}', expected: ',' or ')'")
            elif sort == ",":
                if not values:
                    values.add("")
                sort, _ = self._peek()
                if sort in (")", ","):
                    values.add("")
                if sort == ")":
                    return values
            else:
                raise ValueError(f"found '{literal}', expected: ',', or identifier")


class FieldRequirement(msgspec.Struct, frozen=True):
    """One condition on one field: ``=`` (also written ``==``) or ``!=``."""

    field: str
    operator: Literal["=", "!="]
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        return (fields.get(self.field, "") == self.value) is (self.operator == "=")

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{escape_value(self.value)}"


class FieldSelector(msgspec.Struct, frozen=True):
    """Requirements that all have to hold; a field that is not there is the empty text."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all(need.matches(fields) for need in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.requirements

    def exact(self, name: str) -> str | None:
        """Return the one value that the field *name* must have, if the selector says so."""
        for need in self.requirements:
            if need.field == name and need.operator == "=":
                return need.value
        return None

    def __str__(self) -> str:
        return ",".join(str(need) for need in self.requirements)


_TERM_END = re.compile(r"(?:[^\\,]|\\.)*\\?", re.DOTALL)
_TERM = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL)


@remembered(512, longest=1024)
def parse_fields(text: str) -> FieldSelector:
    """Parse a field selector: ``a=b,c!=d``; a backslash escapes ``,``, ``=`` and itself.

    Raises ValueError.
    """
    needs: list[FieldRequirement] = []
    for term in sorted(_terms(text)):
        if not term:
            continue
        match = _TERM.fullmatch(term)
        if match is None:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        if len(needs) == MAX_REQUIREMENTS:
            raise ValueError(TOO_MANY)
        operator: Literal["=", "!="] = "!=" if match[2] == "!=" else "="
        needs.append(FieldRequirement(match[1], operator, _unescape(match[3])))
    return FieldSelector(tuple(needs))


def _terms(text: str) -> Iterable[str]:
    at = 0
    while at <= len(text):
        match = _TERM_END.match(text, at)
        end = match.end() if match else at
        yield text[at:end]
        at = end + 1


def escape_value(value: str) -> str:
    """Escape what has a meaning in a field selector."""
    return re.sub(r"([\\,=])", r"\\\1", value)


def _unescape(value: str) -> str:
    if not re.search(r"[\\,=]", value):
        return value
    out: list[str] = []
    chars = iter(value)
    for char in chars:
        if char in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(char)}")
        if char == "\\":
            char = next(chars, "")
            if char not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{char}")
        out.append(char)
    return "".join(out)
