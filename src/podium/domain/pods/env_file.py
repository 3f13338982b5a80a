"""Files of variables that an init container leaves for others (``fileKeyRef``).

A small part of the shell's syntax: ``NAME='value'``, where everything up to the closing quote
counts as it stands, line ends too; blank lines and comments; blanks before a name, and a comment
after the quote. A blank after the ``=`` makes the value empty.
"""

from __future__ import annotations

from collections.abc import Iterator

_BLANKS = " \t"


def file_value(text: str, key: str) -> str:
    """Return the value of *key*; "" when it has none. Raises ValueError on the way to it."""
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    for line in lines:
        declared = line.lstrip(_BLANKS)
        if not declared or declared.startswith("#"):
            continue
        name, equals, rest = declared.partition("=")
        if not equals or not name or any(blank in name for blank in _BLANKS):
            raise ValueError(f"no declaration of a variable: {declared}")
        value = ""
        if rest[:1] == "'":
            value, rest = _quoted(rest[1:], lines)
        elif rest and rest[0] not in _BLANKS:
            raise ValueError(f"the value of {name} is not in single quotes")
        else:
            rest = ""
        after = rest.lstrip(_BLANKS)
        if after and not after.startswith("#"):
            raise ValueError(f"something follows the value of {name}")
        if name == key:
            return value
    return ""


def _quoted(rest: str, lines: Iterator[str]) -> tuple[str, str]:
    """Read to the closing quote; return the value and what follows it in its line."""
    value = ""
    while "'" not in rest:
        value += rest + "\n"
        following = next(lines, None)
        if following is None:
            raise ValueError("a quote is not closed")
        rest = following
    inside, _, after = rest.partition("'")
    return value + inside, after
