"""Tables, as Go's tabwriter aligns them: columns as wide as their widest cell, then blanks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_PADDING = 3
_MIN_WIDTH = 6


class Aligner:
    """Lines of cells to text. Widths are remembered, so that what follows stays in line."""

    def __init__(self) -> None:
        self._widths: list[int] = []

    def lines(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Return *rows* as lines; the last cell of a row is not padded."""
        rows = list(rows)
        for row in rows:
            for index, cell in enumerate(row[:-1]):
                if index == len(self._widths):
                    self._widths.append(_MIN_WIDTH)
                self._widths[index] = max(self._widths[index], len(cell) + _PADDING)
        return [self._line(row) for row in rows]

    def _line(self, row: Sequence[str]) -> str:
        padded = [cell.ljust(self._widths[index]) for index, cell in enumerate(row[:-1])]
        return "".join([*padded, row[-1]]) if row else ""


def cell(value: Any) -> str:
    """Return a cell's text: its first line, and dots for the rest."""
    if value is None:
        return "<nil>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    for index, character in enumerate(text):
        if character in "\f\n\r":
            return escaped(f"{text[:index]}...")
    return escaped(text)


def escaped(text: str) -> str:
    """Return *text* without what a terminal would take for commands."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")
