"""CRI's log format: ``TIME STREAM TAG CONTENT``, a line a write, ``P`` for the parts of a long one.

Pure. https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec


class LogLine(msgspec.Struct, frozen=True):
    """``content`` ends in a newline unless the line is only a part (tag ``P``).

    What a terminal adds to it, a carriage return before the newline, is left out as in containerd.
    """

    time: bytes
    stream: bytes
    content: bytes
    partial: bool


def parse_line(raw: bytes) -> LogLine | None:
    """Read one line, with its newline; None when it is not in the format (or not complete)."""
    if not raw.endswith(b"\n"):
        return None
    parts = raw[:-1].split(b" ", 3)
    if len(parts) < 3 or parts[1] not in (b"stdout", b"stderr"):
        return None
    content = parts[3] if len(parts) == 4 else b""
    partial = parts[2].split(b":")[0] == b"P"
    return LogLine(parts[0], parts[1], content if partial else _line(content), partial)


def _line(content: bytes) -> bytes:
    return content.removesuffix(b"\r") + b"\n"


def line_time(line: LogLine) -> datetime | None:
    """The time of a line, cut to microseconds; None when it cannot be read."""
    text = line.time.decode("ascii", "replace")
    head, dot, rest = text.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[: min(digits, 6)]}{rest[digits:]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


#: What stands between the time and the content of a whole line.
_MARKS = {b" stdout F ", b" stderr F "}
_UTC = b"+00:00"
_STREAMS = {"Stdout": (b"stdout",), "Stderr": (b"stderr",)}


class LogFilter(msgspec.Struct, frozen=True):
    """What is wanted of a log: lines not before ``since``, with times, up to so many bytes.

    ``stream`` is ``Stdout`` or ``Stderr``; anything else means both.
    """

    since: datetime | None = None
    timestamps: bool = False
    limit_bytes: int | None = None
    stream: str = ""


class LogRenderer:
    """Turns lines of a file into what the client gets; keeps count of the bytes given out."""

    def __init__(self, wanted: LogFilter) -> None:
        self._wanted = wanted
        self._left = wanted.limit_bytes
        self._streams = _STREAMS.get(wanted.stream, (b"stdout", b"stderr"))
        self._open = b""  # the stream whose last line was only a part
        #: Whether all of every line is wanted, and nothing but that.
        self._plain = wanted == LogFilter(stream=wanted.stream) and len(self._streams) == 2
        self._stamped = wanted == LogFilter(None, True, None, wanted.stream) and (
            len(self._streams) == 2
        )

    @property
    def exhausted(self) -> bool:
        return self._left is not None and self._left <= 0

    def render_block(self, block: bytes) -> bytes:
        """Return what the client gets of complete lines."""
        if (self._plain or self._stamped) and b"\r\n" not in block:
            return b"".join(self._runs(block))
        return b"".join(self.render(_raw_lines(block)))

    def _runs(self, block: bytes) -> Iterator[bytes]:
        """Yield the text of *block*: of whole lines at once, of those torn apart one by one."""
        begin = 0
        while begin < len(block):
            part = begin if self._open else _first_part(block, begin)
            stop = part if part > begin else block.index(b"\n", begin) + 1
            text = _uniform(block[begin:stop], self._stamped) if part > begin else None
            if text is not None:
                yield text
            else:
                yield from self.render(_raw_lines(block[begin:stop]))
            begin = stop

    def render(self, raw_lines: Iterable[bytes]) -> Iterator[bytes]:
        for raw in raw_lines:
            if self.exhausted:
                return
            line = parse_line(raw)
            if line is None or line.stream not in self._streams:
                continue
            if text := self._text(line):
                yield text

    def _text(self, line: LogLine) -> bytes:
        before, self._open = self._open, line.stream if line.partial else b""
        since = self._wanted.since
        if since is not None:
            time = line_time(line)
            if time is not None and time < since:
                return b""
        text = line.content
        if self._wanted.timestamps and before != line.stream:
            text = _printed(line.time) + b" " + text
        if before not in (b"", line.stream):
            text = b"\n" + text  # the other stream's line ends here, finished or not
        if self._left is not None:
            text = text[: self._left]
            self._left -= len(text)
        return text


def _raw_lines(block: bytes) -> list[bytes]:
    return [line + b"\n" for line in block[:-1].split(b"\n")]


def _first_part(block: bytes, begin: int) -> int:
    """Return where the first line from *begin* on is that is only a part, else all lines' end."""
    place = begin
    while (found := block.find(b" P ", place)) >= 0:
        line = max(block.rfind(b"\n", begin, found) + 1, begin)
        if block[line:found].count(b" ") == 1:
            return line
        place = found + 1
    return len(block)


def _uniform(block: bytes, stamped: bool) -> bytes | None:
    """Return the text of lines that are whole and have times of one length, as nearly all are.

    None where some are not.
    """
    lines = block[:-1].split(b"\n")
    end = block.find(b" ")
    begin = end + len(b" stdout F ")
    if not {line[end:begin] for line in lines} <= _MARKS:
        return None
    if {line.find(b" ") for line in lines} != {end}:
        return None
    if not stamped:
        return b"\n".join([line[begin:] for line in lines]) + b"\n"
    zones = {line[end - len(_UTC) : end] for line in lines}
    if zones == {_UTC}:
        cut = end - len(_UTC)
        return b"\n".join([line[:cut] + b"Z " + line[begin:] for line in lines]) + b"\n"
    if _UTC in zones:
        return None
    return b"\n".join([line[: end + 1] + line[begin:] for line in lines]) + b"\n"


def _printed(time: bytes) -> bytes:
    """A line's time as Go's RFC 3339 has it: UTC is ``Z``, whichever way the runtime wrote it."""
    return time.removesuffix(_UTC) + b"Z" if time.endswith(_UTC) else time


def count_lines(blocks: Iterable[tuple[int, bytes]], at_most: int) -> int:
    """Count the lines of a file, up to *at_most* of them; *blocks* as for :func:`tail_start`."""
    found = 0
    for _, block in blocks:
        found += block.count(b"\n")
        if found >= at_most:
            return at_most
    return found


def tail_start(blocks: Iterable[tuple[int, bytes]], lines: int) -> int:
    """Return the offset from which a file has its last *lines* lines.

    *blocks* are (offset, bytes) of the file from its end to its beginning. As upstream, written
    lines are counted, also the parts of a long one.
    """
    if lines <= 0:
        return next((offset + len(block) for offset, block in blocks), 0)
    missing = lines + 1  # the newline before the first wanted line
    first = True
    for offset, block in blocks:
        if first and block and not block.endswith(b"\n"):
            missing -= 1
        first = first and not block
        end = len(block)
        while (at := block.rfind(b"\n", 0, end)) >= 0:
            missing -= 1
            if missing == 0:
                return offset + at + 1
            end = at
    return 0
