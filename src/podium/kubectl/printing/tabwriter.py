"""Go's text/tabwriter: cells that end in a tab, aligned over neighbouring lines. Pure.

A column is as long as lines one under the other have a cell in it; each such block is as wide as
its widest cell and the padding. What follows the last tab of a line is not aligned.
"""

from __future__ import annotations

from collections.abc import Sequence


def align(text: str, padding: int = 2) -> str:
    """Return *text* with its tabs as blanks."""
    lines = [line.split("\t") for line in text.split("\n")]
    out: list[str] = []
    _format(lines, 0, len(lines), [], padding, out)
    return "\n".join(out)


def _format(
    lines: Sequence[Sequence[str]],
    begin: int,
    end: int,
    widths: list[int],
    padding: int,
    out: list[str],
) -> None:
    column, this = len(widths), begin
    while this < end:
        if column >= len(lines[this]) - 1:
            this += 1
            continue
        _write(lines[begin:this], widths, out)
        begin, width = this, 0
        while this < end and column < len(lines[this]) - 1:
            width = max(width, len(lines[this][column]) + padding)
            this += 1
        _format(lines, begin, this, [*widths, width], padding, out)
        begin = this
    _write(lines[begin:end], widths, out)


def _write(lines: Sequence[Sequence[str]], widths: Sequence[int], out: list[str]) -> None:
    for cells in lines:
        padded = [
            cell.ljust(widths[index]) if index < len(widths) else cell
            for index, cell in enumerate(cells)
        ]
        out.append("".join(padded))
