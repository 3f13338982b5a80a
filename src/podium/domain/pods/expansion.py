"""``$(NAME)`` in ``env``, ``command`` and ``args``, as upstream's expansion package has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, *variables: Mapping[str, str]) -> str:
    """Replace each ``$(NAME)`` by the first of *variables* that has it; ``$$`` is one ``$``.

    What no mapping knows stays as it is written.
    """
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "$"
        for mapping in variables:
            if name in mapping:
                return mapping[name]
        return match.group(0)

    before, after = _closed(text)
    return _REFERENCE.sub(value, before) + after.replace("$$", "$")


def references(text: str) -> Iterator[str]:
    """Yield each NAME that *text* asks for."""
    return (name for name in _REFERENCE.findall(_closed(text)[0]) if name)


def _closed(text: str) -> tuple[str, str]:
    """Split *text* behind the last parenthesis that closes: none of all that open behind it is
    looked for the end of, which is not there."""
    before, closing, after = text.rpartition(")")
    return before + closing, after
