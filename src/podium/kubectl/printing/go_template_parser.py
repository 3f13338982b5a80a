"""Go's text/template, read: text and actions in braces become a tree. Pure.

Pipelines, ``if``, ``range``, ``with``, ``define``, ``template``, ``block``, ``break``,
``continue``, variables and comments; what else Go has is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class TemplateError(ValueError):
    """A template that cannot be read, or not be executed; the text is Go's."""


@dataclass(frozen=True)
class Literal:
    value: Any
    text: str
    at: int = 0


@dataclass(frozen=True)
class Fields:
    """``.a.b``, ``$x.a``, ``(…).a``: keys below a *base*, None for the dot."""

    base: Any
    names: Sequence[str]
    text: str
    at: int


@dataclass(frozen=True)
class Variable:
    name: str
    text: str
    at: int


@dataclass(frozen=True)
class Function:
    name: str
    text: str
    at: int


@dataclass(frozen=True)
class Pipe:
    """Commands, each a list of operands; *declares* are variables, *assigns*: they are old ones."""

    commands: Sequence[Sequence[Any]]
    declares: Sequence[str] = ()
    assigns: bool = False


@dataclass
class Block:
    """``if``, ``range``, ``with``: *word*; *body* for what holds, *other* for what does not."""

    word: str
    pipe: Pipe
    body: list[Any] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """``{{template "name" pipe}}``."""

    name: str
    pipe: Pipe | None
    text: str
    at: int


@dataclass(frozen=True)
class Jump:
    """``break`` or ``continue``."""

    word: str


@dataclass
class Template:
    """*nodes* of the template itself, *defined* those that it defines, by name."""

    nodes: list[Any]
    defined: dict[str, list[Any]]


#: ``{{…}}``, with what stands between quotes, and dashes that trim what is around it.
_ACTION = re.compile(
    r"\{\{(-(?=\s))?"
    r"((?:/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|[^\"`}]|\}(?!\}))*?)"
    r"((?<=\s)-)?\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>"(?:\\.|[^"\\\n])*"|`[^`]*`)
      | (?P<char>'(?:\\.|[^'\\\n])+')
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
                         |\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))
      | (?P<field>\.[^\W\d]\w*)
      | (?P<variable>\$\w*)
      | (?P<word>[^\W\d]\w*)
      | (?P<mark>:=|[.|(),=])""",
    re.VERBOSE,
)
#: Tokens that are names, and what may stand right behind one; "" is the end of the action.
_NAMES = frozenset(("field", "variable", "word"))
_AFTER_NAMES = frozenset(("", *" \t\r\n.,|:()"))
_BLOCKS = ("if", "range", "with")
_KEYWORDS = frozenset((".", "nil", "block", "break", "continue", "define", "else", "end", "if",
                       "range", "template", "with"))  # fmt: skip
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "nil": None}


def parse(text: str, functions: frozenset[str]) -> Template:
    """Read a template. Raises TemplateError."""
    return _Parser(text, functions).parse()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    def __init__(self, text: str, functions: frozenset[str]) -> None:
        self._text, self._functions = text, functions
        self._defined: dict[str, list[Any]] = {}
        self._tokens: list[_Token] = []
        self._variables = ["$"]
        self._end = 0  #: where the operand that is being read ends, so far
        self._ranges = 0  #: how many ranges are around what is being read

    def parse(self) -> Template:
        self._pieces = self._split()
        nodes, end = self._nodes()
        if end is not None:
            raise self._error(f"unexpected {{{{{end}}}}}")
        return Template(nodes, self._defined)

    def _error(self, text: str, at: int | None = None) -> TemplateError:
        place = len(self._text) if at is None else at
        return TemplateError(f"template: output:{self._text.count(chr(10), 0, place) + 1}: {text}")

    def _split(self) -> list[tuple[str, str, int]]:
        """Text and actions by turns: kind, text, place."""
        pieces: list[tuple[str, str, int]] = []
        at, trims = 0, False
        while (begin := self._text.find("{{", at)) >= 0:
            found = _ACTION.match(self._text, begin)
            if found is None:
                raise self._unclosed(begin)
            between = self._text[at:begin]
            between = between.lstrip() if trims else between
            pieces.append(("text", between.rstrip() if found[1] else between, at))
            pieces.append(("action", found[2], found.start(2)))
            at, trims = found.end(), bool(found[3])
        rest = self._text[at:]
        return [*pieces, ("text", rest.lstrip() if trims else rest, at)]

    def _unclosed(self, begin: int) -> TemplateError:
        """Return what is wrong with an action that has no end."""
        rest = self._text[begin + 2 :]
        if re.match(r"(-\s+)?/\*", rest):
            return self._error("unclosed comment", begin)
        self._lexed(rest, begin + 2)
        return self._error("unclosed action", begin)

    def _nodes(self) -> tuple[list[Any], str | None]:
        """Read until ``end`` or ``else``, which is returned with the nodes; None at the end."""
        nodes: list[Any] = []
        while self._pieces:
            kind, text, at = self._pieces.pop(0)
            if kind == "text":
                nodes += [text] if text else []
                continue
            if text.strip().startswith("/*"):
                continue
            self._tokens = self._lexed(text, at)
            if not self._tokens:
                raise self._error("missing value for command", at)
            word = self._tokens[0].text if self._tokens[0].kind == "word" else ""
            if word in ("end", "else"):
                self._tokens.pop(0)
                return nodes, word
            nodes += self._action(word, at)
        return nodes, None

    def _action(self, word: str, at: int) -> list[Any]:
        if word in _BLOCKS:
            self._tokens.pop(0)
            return [self._block(word, at)]
        if word in ("define", "block", "template"):
            return self._named(word, at)
        if word in ("break", "continue"):
            if not self._ranges:
                raise self._error(f"{{{{{word}}}}} outside {{{{range}}}}", at)
            return [Jump(word)]
        pipe = self._pipe(word)
        self._done()
        return [pipe]

    def _block(self, word: str, at: int) -> Block:
        known = len(self._variables)
        made = Block(word, self._pipe(word))
        self._done()
        self._ranges += word == "range"
        made.body, end = self._nodes()
        self._ranges -= word == "range"
        if end == "else":
            rest = self._tokens
            if rest and rest[0].text in ("if", "with"):
                made.other = [self._block(self._tokens.pop(0).text, at)]
            else:
                made.other, end = self._nodes()
        if end is None:
            raise self._error("unexpected EOF")
        del self._variables[known:]
        return made

    def _named(self, word: str, at: int) -> list[Any]:
        self._tokens.pop(0)
        if not self._tokens or self._tokens[0].kind != "text":
            raise self._error(f"missing template name in {word} clause", at)
        token = self._tokens.pop(0)
        name = _unquoted(token.text)
        piped = (
            self._text[token.at : self._tokens[-1].at + len(self._tokens[-1].text)]
            if self._tokens
            else token.text
        )
        pipe = self._pipe(word) if self._tokens else None
        self._done()
        if word != "template":
            known, self._variables, self._ranges = (self._variables, self._ranges), ["$"], 0
            self._defined[name], end = self._nodes()
            self._variables, self._ranges = known
            if end is None:
                raise self._error("unexpected EOF")
        return [] if word == "define" else [Call(name, pipe, f"{{{{template {piped}}}}}", token.at)]

    def _lexed(self, text: str, at: int) -> list[_Token]:
        tokens, place = [], 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._error(_unread(text[place]), at + place)
            place = found.end()
            if found.lastgroup in _NAMES and text[place : place + 1] not in _AFTER_NAMES:
                raise self._error(f"bad character {_character(text[place])}", at + place)
            if found.lastgroup != "space":
                tokens.append(_Token(str(found.lastgroup), found[0], at + found.start()))
        return tokens

    def _done(self) -> None:
        if self._tokens:
            token = self._tokens[0]
            raise self._error(f"unexpected {_shown(token)} in operand", token.at)

    def _pipe(self, word: str) -> Pipe:
        declares, assigns = self._declared(word)
        commands: list[list[Any]] = [[]]
        while self._tokens and self._tokens[0].text != ")":
            if self._tokens[0].text == "|":
                self._tokens.pop(0)
                commands.append([])
                continue
            commands[-1].append(self._operand())
            token = self._tokens[0] if self._tokens else None
            if token is not None and token.at == self._end and token.text not in ("|", ")"):
                raise self._error(f"unexpected {_shown(token)} in operand", token.at)
        if not all(commands):
            raise self._error(f"missing value for {word or 'command'}")
        return Pipe(commands, declares, assigns)

    def _declared(self, word: str) -> tuple[list[str], bool]:
        """Read ``$x :=``, ``$i, $x :=`` or ``$x =``."""
        kinds = [token.text if token.kind == "mark" else token.kind for token in self._tokens[:4]]
        for shape in (["variable", ":="], ["variable", "="], ["variable", ",", "variable", ":="]):
            if kinds[: len(shape)] == shape and (len(shape) == 2 or word == "range"):
                names = [token.text for token in self._tokens[: len(shape) : 2]]
                names = [name for name in names if name.startswith("$")]
                del self._tokens[: len(shape)]
                assigns = shape[-1] == "="
                self._variables += [] if assigns else names
                return names, assigns
        return [], False

    def _operand(self) -> Any:
        token = self._tokens.pop(0)
        self._end = token.at + len(token.text)
        base = self._base(token)
        names: list[str] = []
        places: list[int] = []
        while self._tokens and self._tokens[0].kind == "field" and self._tokens[0].at == self._end:
            token = self._tokens.pop(0)
            self._end = token.at + len(token.text)
            names.append(token.text[1:])
            places.append(token.at)
        if not names:
            return base
        text = base.text + "".join(f".{name}" for name in names)
        if isinstance(base, Fields) and base.base is None and base.names:
            return Fields(None, [*base.names, *names], text, places[0])
        return Fields(base, names, text, places[0])

    def _base(self, token: _Token) -> Any:
        match token.kind:
            case "text":
                return Literal(_unquoted(token.text), token.text, token.at)
            case "char":
                return Literal(ord(ast.literal_eval(token.text)), token.text, token.at)
            case "number":
                return Literal(_number(token.text), token.text, token.at)
            case "field":
                return Fields(None, [token.text[1:]], token.text, token.at)
            case "variable":
                if token.text not in self._variables:
                    raise self._error(f"undefined variable {_quoted(token.text)}", token.at)
                return Variable(token.text, token.text, token.at)
            case "word" if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text], token.text, token.at)
            case "word" if token.text not in _KEYWORDS:
                if token.text not in self._functions:
                    raise self._error(f"function {_quoted(token.text)} not defined", token.at)
                return Function(token.text, token.text, token.at)
        if token.text == ".":
            return Fields(None, [], ".", token.at)
        if token.text == "(":
            inner = self._pipe("parenthesized pipeline")
            if not self._tokens:
                raise self._error("unclosed left paren", token.at)
            closing = self._tokens.pop(0)
            self._end = closing.at + 1
            return Fields(inner, [], self._text[token.at : closing.at + 1], token.at)
        raise self._error(f"unexpected {_shown(token)} in operand", token.at)


def _unread(character: str) -> str:
    if character in '"`':
        return f"unterminated {'raw ' * (character == '`')}quoted string"
    return f"unexpected {_quoted(character)} in command"


def _character(text: str) -> str:
    return f"U+{ord(text):04X} '{text}'"


def _shown(token: _Token) -> str:
    """Return a token as Go's errors name it: its keywords, of which the dot is one, otherwise."""
    if token.text in _KEYWORDS:
        return f"<{token.text}>"
    return _quoted(token.text.replace('"', '\\"'))


def _quoted(text: str) -> str:
    return f'"{text}"'


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    value: str = ast.literal_eval(text)
    return value


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    try:
        return int(plain, 8 if re.fullmatch(r"[+-]?0[0-7]+", plain) else 0)
    except ValueError:
        return float(plain)
