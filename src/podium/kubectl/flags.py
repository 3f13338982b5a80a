"""Flags as pflag reads them, and its words for those that are wrong. Pure.

A flag may stand anywhere up to ``--``: ``--name value``, ``--name=value``, ``-n value``,
``-nvalue``, ``-n=value``; letters that take no value may stand together (``-it``), and underscores
in names for dashes. The last of repeated flags wins; a list gathers them.
"""

from __future__ import annotations

from enum import Enum, auto

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any


class Kind(Enum):
    TEXT = auto()
    BOOL = auto()
    INT = auto()
    INT32 = auto()
    DURATION = auto()
    #: The name of a format, and of some what it is made with; some names are known in any case.
    FORMAT = auto()
    #: Values separated by commas, as CSV, and repeated.
    LIST = auto()
    #: Repeated; a comma is part of the value.
    ARRAY = auto()
    #: How much is logged, and for parts of the program: ``name=2,other=3``.
    LEVEL = auto()
    MODULES = auto()


class Flag:
    """``bare`` is the value of the flag without one, for flags that may stand alone."""

    __slots__ = ("bare", "default", "deprecated", "hidden", "kind", "letter_deprecated", "name",
                 "required", "short", "usage")  # fmt: skip

    def __init__(
        self,
        name: str,
        default: Any = "",
        usage: str = "",
        short: str = "",
        kind: Kind = Kind.TEXT,
        bare: str | None = None,
        *,
        hidden: bool = False,
        deprecated: str = "",
        letter_deprecated: str = "",
        required: bool = False,
    ) -> None:
        self.name, self.default, self.usage, self.short = name, default, usage, short
        self.kind, self.bare, self.hidden, self.deprecated = kind, bare, hidden, deprecated
        self.letter_deprecated, self.required = letter_deprecated, required

    @property
    def shown(self) -> str:
        """The flag as messages name it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"

    @property
    def stands_alone(self) -> bool:
        return self.bare is not None or self.kind is Kind.BOOL


class FlagError(ValueError):
    """pflag's message."""


class Values:
    """What was given, by the flags' names with underscores: ``values.all_namespaces``."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self._values: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._given: list[tuple[str, str]] = []
        for flag in flags:
            default = list(flag.default or ()) if _gathers(flag) else flag.default
            self._values[_attribute(flag.name)] = default

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def changed(self, name: str) -> bool:
        """Whether the flag *name* stood on the command line."""
        return _attribute(name) in self._changed

    def given(self) -> list[str]:
        """Return the flags of the command line, in their order, as pflag writes them."""
        return [f"--{name}={text}" for name, text in self._given]

    def with_defaults(self, flags: Iterable[Flag]) -> Values:
        """Return these values, with those of *flags* as if they had not been given."""
        copy = Values(flags)
        copy._values = self._values | copy._values
        copy._given = self._given
        copy._changed = self._changed - {_attribute(flag.name) for flag in flags}
        return copy

    def put(self, flag: Flag, text: str) -> None:
        """Take one occurrence of *flag* on the command line. Raises FlagError."""
        self.settle(flag, text)
        self._changed.add(_attribute(flag.name))
        self._given.append((flag.name, text))

    def settle(self, flag: Flag, text: str) -> None:
        """Let *flag* mean *text* from here on; what was given stays as it is. Raises FlagError."""
        name = _attribute(flag.name)
        try:
            value = _read(flag, text)
        except ValueError as exc:
            from podium.kubectl.printing.go_values import quoted

            wrong = f'invalid argument {quoted(text)} for "{flag.shown}" flag: {exc}'
            raise FlagError(wrong) from None
        if _gathers(flag):
            value = (self._values[name] if name in self._changed else []) + value
        self._values[name] = value


class Parsed:
    """``dash`` is how many words stood before ``--``, None where there was none; ``deprecated``
    is what is to be told of flags that were given."""

    __slots__ = ("dash", "deprecated", "values", "words")

    def __init__(
        self, values: Values, words: Sequence[str], dash: int | None, deprecated: Sequence[str]
    ) -> None:
        self.values, self.words, self.dash, self.deprecated = values, words, dash, deprecated


def parse(flags: Sequence[Flag], arguments: Sequence[str]) -> Parsed:
    """Read a command line without its command. Raises FlagError."""
    by_name = {flag.name: flag for flag in flags}
    by_letter = {flag.short: flag for flag in flags if flag.short}
    values, words, deprecated = Values(flags), list[str](), list[str]()
    dash: int | None = None
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            dash = len(words)
            words += rest
            break
        if not word.startswith("-") or word == "-":
            words.append(word)
        elif word.startswith("--"):
            deprecated += _warnings(_long(word, rest, by_name, values))
        else:
            for flag in _letters(word, rest, by_letter, values):
                deprecated += _warnings(flag, letter=True)
    return Parsed(values, words, dash, deprecated)


def _warnings(flag: Flag, *, letter: bool = False) -> list[str]:
    text = "Flag {} has been deprecated, {}"
    said = [text.format(f"--{flag.name}", flag.deprecated)] if flag.deprecated else []
    if letter and flag.letter_deprecated:
        said.insert(0, text.format(f"shorthand -{flag.short}", flag.letter_deprecated))
    return said


def _long(word: str, rest: list[str], known: Mapping[str, Flag], values: Values) -> Flag:
    name, equals, text = word[2:].partition("=")
    if not name or name.startswith("-"):
        raise FlagError(f"bad flag syntax: {word}")
    flag = known.get(name.replace("_", "-"))
    if flag is None:
        raise FlagError(f"unknown flag: --{name}")
    if equals:
        values.put(flag, text)
    elif flag.stands_alone:
        values.put(flag, flag.bare or "true")
    elif rest:
        values.put(flag, rest.pop(0))
    else:
        raise FlagError(f"flag needs an argument: {word}")
    return flag


def _letters(
    word: str, rest: list[str], known: Mapping[str, Flag], values: Values
) -> Iterator[Flag]:
    letters = word[1:]
    while letters:
        where = f"'{letters[0]}' in -{letters}"
        letter, letters = letters[0], letters[1:]
        flag = known.get(letter)
        if flag is None:
            raise FlagError(f"unknown shorthand flag: {where}")
        yield flag
        if letters.startswith("=") and letters != "=":
            values.put(flag, letters[1:])
            return
        if flag.stands_alone:
            values.put(flag, flag.bare or "true")
        elif letters:
            values.put(flag, letters)
            return
        elif rest:
            values.put(flag, rest.pop(0))
        else:
            raise FlagError(f"flag needs an argument: {where}")


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _gathers(flag: Flag) -> bool:
    return flag.kind in (Kind.LIST, Kind.ARRAY)


TRUE = frozenset("1 t T true TRUE True".split())
FALSE = frozenset("0 f F false FALSE False".split())
_IN_ANY_CASE = frozenset("json kyaml name yaml".split())
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
#: Seconds that Go's durations can be long.
_LONGEST = (1 << 63) / 1e9


def _read(flag: Flag, text: str) -> Any:
    match flag.kind:
        case Kind.BOOL:
            return boolean(text)
        case Kind.INT:
            return _integer(text)
        case Kind.INT32:
            return _integer(text, bits=32)
        case Kind.LEVEL:
            return _integer(text, 10, 32)
        case Kind.DURATION:
            return duration(text)
        case Kind.LIST:
            return _csv(text)
        case Kind.ARRAY:
            return [text]
        case Kind.FORMAT:
            return text.lower() if text.lower() in _IN_ANY_CASE else text
        case Kind.MODULES:
            return _modules(text)
    return text


def _modules(text: str) -> str:
    for part in filter(None, text.split(",")):
        name, _, level = part.partition("=")
        try:
            number = _integer(level if name else "", 10, 32)
        except ValueError:
            raise ValueError("syntax error: expect comma-separated list of filename=N") from None
        if number < 0:
            raise ValueError("negative value for vmodule level")
    return text


def boolean(text: str) -> bool:
    """Read a truth value of Go's (``true``, ``F``, ``1``). Raises ValueError in Go's words."""
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def duration(text: str) -> float:
    """Read a duration of Go's (``1m30s``) as seconds. Raises ValueError in Go's words."""
    if text in ("0", "+0", "-0"):
        return 0.0
    import re

    seconds, rest = 0.0, text[1:] if text[:1] in ("-", "+") else text
    part = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([^\d.]*)", re.ASCII)
    while (found := part.match(rest)) is not None:
        number, unit = found.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        seconds, rest = seconds + float(number) * _UNITS[unit], rest[found.end() :]
    if rest or not text.strip("+-") or seconds > _LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return -seconds if text.startswith("-") else seconds


def _integer(text: str, base: int = 0, bits: int = 64) -> int:
    """Read a number as Go does: with *base* 0 in the one that it is written in."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if base == 0 and digits[:1] == "0" and digits[1:2].strip("boxBOX"):
        digits = f"0o{digits[1:]}"
    try:
        if not digits[:1].isdigit() or not text.isascii() or digits[-1:].isspace():
            raise ValueError  # Python reads more than Go does
        if base and "_" in digits:
            raise ValueError
        number = int(digits, base)
    except ValueError:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    number = -number if text.startswith("-") else number
    if not -1 << (bits - 1) <= number < 1 << (bits - 1):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def _csv(text: str) -> list[str]:
    """Read the first record of CSV. Raises ValueError in Go's words."""
    if '"' not in text and "\n" not in text:
        return text.split(",") if text else []
    import re

    fields, place = list[str](), 0
    while True:
        quoted = text.startswith('"', place)
        found = re.compile(r'"((?:[^"]|"")*)' if quoted else r'([^",\n]*)').match(text, place)
        assert found is not None, "both patterns match nothing, too"
        fields.append(found[1].replace('""', '"'))
        end = found.end() + quoted
        if text[found.end() : end] != '"' * quoted or text[end : end + 1] not in ("", ",", "\n"):
            what = 'extraneous or missing " in quoted' if quoted else 'bare " in non-quoted'
            raise ValueError(f"parse error on line 1, column {found.end() + 1}: {what}-field")
        if text[end : end + 1] != ",":
            return fields
        place = end + 1
