"""Go's text/template, executed over JSON values, with the functions that kubectl adds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podium.kubectl.printing import go_template_functions as functions
from podium.kubectl.printing import go_values
from podium.kubectl.printing.go_template_parser import (
    Block,
    Call,
    Fields,
    Function,
    Jump,
    Literal,
    Pipe,
    TemplateError,
    Variable,
)
from podium.kubectl.printing.go_template_parser import parse as read

__all__ = ["GoTemplate", "TemplateError"]

_DEEPEST = 200
#: What a missing key is, which prints as no other value does.
_MISSING = functions.MISSING


class GoTemplate:
    """A template that has been read. Raises TemplateError."""

    def __init__(self, text: str, *, strict: bool = False) -> None:
        """Where it is *strict*, keys that are missing are failures."""
        self._text, self._strict = text, strict
        self._tree = read(text, functions.NAMES)

    def render(self, value: Any, out: list[str]) -> None:
        """Append what the template is for *value* to *out*, up to where it fails with
        TemplateError."""
        _Run(self._text, self._tree.defined, out, self._strict).block(
            self._tree.nodes, value, {"$": value}
        )


class _Jumped(Exception):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class _Run:
    def __init__(
        self, text: str, defined: Mapping[str, list[Any]], out: list[str], strict: bool
    ) -> None:
        self._text, self._defined, self._out, self._strict = text, defined, out, strict
        self._depth = 0

    def block(self, nodes: Sequence[Any], dot: Any, variables: dict[str, Any]) -> None:
        scope = _Scope(variables)
        for node in nodes:
            match node:
                case str():
                    self._out.append(node)
                case Pipe():
                    value = self._pipe(node, dot, scope)
                    if not node.declares:
                        self._out.append(functions.printed(value))
                case Block(word="range"):
                    self._range(node, dot, scope)
                case Block():
                    inner = _Scope(scope)
                    value = self._pipe(node.pipe, dot, inner)
                    holds = functions.true(value)
                    there = value if node.word == "with" and holds else dot
                    self.block(node.body if holds else node.other, there, inner)
                case Call():
                    self._call(node, dot, scope)
                case Jump():
                    raise _Jumped(node.word)

    def _range(self, node: Block, dot: Any, scope: _Scope) -> None:
        value = self._pipe(Pipe(node.pipe.commands), dot, scope)
        pairs = list(self._pairs(node, value))
        names = node.pipe.declares
        for key, item in pairs:
            inner = _Scope(scope)
            if len(names) == 2:
                inner.declare(names[0], key)
            if names:
                inner.declare(names[-1], item)
            try:
                self.block(node.body, item, inner)
            except _Jumped as jump:
                if jump.word == "break":
                    break
        if not pairs:
            self.block(node.other, dot, scope)

    def _pairs(self, node: Block, value: Any) -> Iterator[tuple[Any, Any]]:
        if value is None or value is _MISSING:
            return
        if isinstance(value, Mapping):
            for key in sorted(value):
                yield key, value[key]
        elif isinstance(value, list | tuple):
            yield from enumerate(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
            yield from enumerate(range(int(value)))
        else:
            shown = go_values.text(value)
            raise self._failed(node.pipe.commands[0][0], f"range can't iterate over {shown}")

    def _call(self, node: Call, dot: Any, scope: _Scope) -> None:
        if node.name not in self._defined:
            raise self._failed(node, f'template "{node.name}" not defined')
        value = self._pipe(node.pipe, dot, scope) if node.pipe else None
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TemplateError(
                f'template: output: exceeded maximum template depth ({_DEEPEST}) in "{node.name}"'
            )
        self.block(self._defined[node.name], value, {"$": value})
        self._depth -= 1

    def _pipe(self, pipe: Pipe, dot: Any, scope: _Scope) -> Any:
        value: Any = None
        for place, command in enumerate(pipe.commands):
            value = self._command(command, dot, scope, [value] if place else [])
        for name in pipe.declares:
            if pipe.assigns:
                scope.assign(name, value)
            else:
                scope.declare(name, value)
        return value

    def _command(self, operands: Sequence[Any], dot: Any, scope: _Scope, before: list[Any]) -> Any:
        first, *rest = operands
        if isinstance(first, Function):
            given = [*rest, *(Literal(value, "") for value in before)]
            text = " ".join(operand.text for operand in operands)
            return self._function(first, given, dot, scope, text)
        if (rest or before) and isinstance(first, Fields) and first.names:
            raise self._failed(first, f"{first.names[-1]} is not a method but has arguments")
        if rest or before:
            raise self._failed(first, f"can't give argument to non-function {first.text}")
        if isinstance(first, Literal) and first.value is None:
            raise self._failed(first, "nil is not a command")
        return self._value(first, dot, scope)

    def _function(
        self, node: Function, given: list[Any], dot: Any, scope: _Scope, text: str = ""
    ) -> Any:
        """*text* is the whole command, where *node* is not an operand of another."""
        if node.name in ("and", "or"):  # these look no further than they must
            if not given:
                raise self._failed(
                    node, f"wrong number of args for {node.name}: want at least 1 got 0"
                )
            for operand in given:
                value = self._value(operand, dot, scope)
                if functions.true(value) is (node.name == "or"):
                    break
            return value
        values = [self._value(operand, dot, scope) for operand in given]
        try:
            return functions.call(node.name, values)
        except functions.ArgumentError as exc:
            raise self._failed(node, str(exc)) from None
        except functions.CallError as exc:
            whole = Function(node.name, text or node.text, node.at)
            raise self._failed(whole, f"error calling {node.name}: {exc}") from None

    def _value(self, node: Any, dot: Any, scope: _Scope) -> Any:
        match node:
            case Literal():
                return node.value
            case Variable():
                return scope[node.name]
            case Function():
                return self._function(node, [], dot, scope)
            case Pipe():
                return self._pipe(node, dot, scope)
            case Fields():
                value = dot if node.base is None else self._value(node.base, dot, scope)
                for name in node.names:
                    value = self._field(node, name, value)
                return value
        raise AssertionError(node)

    def _field(self, node: Fields, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            if self._strict and name not in value:
                raise self._failed(node, f"map has no entry for key {go_values.quoted(name)}")
            return value.get(name, _MISSING)
        if value is None or value is _MISSING:
            if value is _MISSING:
                return _MISSING
            raise self._failed(node, f"nil data; no entry for key {go_values.quoted(name)}")
        raise self._failed(node, f"can't evaluate field {name} in type interface {{}}")

    def _failed(self, node: Any, says: str) -> TemplateError:
        line = self._text.count("\n", 0, node.at) + 1
        column = node.at - (self._text.rfind("\n", 0, node.at) + 1)
        return TemplateError(
            f'template: output:{line}:{column}: executing "output" at <{node.text}>: {says}'
        )


class _Scope(dict[str, Any]):
    """Variables of a block; those of the blocks around it can be seen, and assigned to."""

    def __init__(self, outer: dict[str, Any]) -> None:
        super().__init__()
        self._outer = outer

    def __missing__(self, name: str) -> Any:
        return self._outer[name]

    def declare(self, name: str, value: Any) -> None:
        self[name] = value

    def assign(self, name: str, value: Any) -> None:
        if name in self or not isinstance(self._outer, _Scope):
            self[name] = value
        else:
            self._outer.assign(name, value)
