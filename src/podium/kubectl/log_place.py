"""How far a log has been read, so that reading goes on there over another connection. Pure.

The log comes with the times of its lines, which may be shown or not. Asked for what was written
since the newest of them, a server sends the lines of that moment once more, one of upstream's all
of that second: those are left out.
"""

from __future__ import annotations

import re

#: A line's time, to the microsecond (nodes compare no more of it), and its zone.
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\d*(Z|[+-]\d\d:\d\d)")
_ZONE_AT = len("2006-01-02T15:04:05.000000")
#: A line's beginning; what has none is a server's own word about the log.
_BEGINS = re.compile(rb"^(\d{4}-\d\d-\d\dT[^ \n]*) ", re.MULTILINE)


class Place:
    """Takes a log as it comes; gives back what is to be shown."""

    def __init__(self, *, times: bool) -> None:
        self._shows_times = times
        self._held = b""  #: the time of the line to come, as far as it has come
        self._inside = False  #: a line has begun and not ended
        self._timed = True  #: that line has a time
        self._moment = b""  #: of the newest line
        self._lines = 0  #: lines of that moment, the one under way included
        self._shown = 0  #: bytes of the line under way
        self._again = (0, 0)  #: lines of that moment that were shown before, and bytes of the next
        self._resumed = False  #: what is older than that moment was shown before
        self._older = False  #: the line under way is

    @property
    def moment(self) -> str:
        """The time of the newest line, "" while there is none, or where none can be read."""
        return self._moment.decode()

    def resume(self) -> None:
        """Expect the lines of :attr:`moment` once more."""
        under_way = self._inside and self._timed and not self._older
        come = (self._lines - under_way, self._shown if under_way else 0)
        self._again = max(self._again, come)
        self._held, self._inside, self._lines, self._shown = b"", False, 0, 0
        self._resumed = True

    def feed(self, data: bytes) -> bytes:
        """Return what is new in *data*, of which lines may be torn apart."""
        data, self._held = self._held + data, b""
        out = []
        while data:
            if not self._inside:
                if self._again == (0, 0) and not self._resumed:
                    end = data.rfind(b"\n") + 1
                    out.append(self._at_once(data[:end]))
                    data = data[end:]
                if b" " not in data and b"\n" not in data:
                    self._held = data
                    break
                begins = _BEGINS.match(data)
                self._timed = begins is not None
                if begins is not None:
                    self._begin(begins[1])
                    data = data if self._shows_times else data[begins.end() :]
            line, newline, data = data.partition(b"\n")
            out.append(self._unseen(line + newline) if self._timed else line + newline)
            self._inside = not newline
        return b"".join(out)

    def _at_once(self, lines: bytes) -> bytes:
        """Take lines that are whole and new."""
        times = _BEGINS.findall(lines)
        if times:
            newest = _moment(times[-1])
            count = 0
            while count < len(times) and _moment(times[-1 - count]) == newest:
                count += 1
            before = self._lines if count == len(times) and newest == self._moment else 0
            self._moment, self._lines = newest, before + count
        return lines if self._shows_times else _BEGINS.sub(b"", lines)

    def _begin(self, time: bytes) -> None:
        moment = _moment(time)
        self._older = self._resumed and _is_before(moment, self._moment)
        if self._older:
            return
        self._resumed = False
        if moment != self._moment:
            self._moment, self._lines, self._again = moment, 0, (0, 0)
        self._lines += 1
        self._shown = 0

    def _unseen(self, text: bytes) -> bytes:
        if self._older:
            return b""
        lines, more = self._again
        before = self._shown
        self._shown += len(text)
        if self._lines <= lines:
            return b""
        if self._lines == lines + 1:
            return text[max(0, more - before) :]
        self._again = (0, 0)
        return text


def _is_before(moment: bytes, other: bytes) -> bool:
    """Whether a moment is before another one, as far as their texts say: in one zone."""
    return moment[_ZONE_AT:] == other[_ZONE_AT:] and moment < other


def _moment(time: bytes) -> bytes:
    found = _TIME.fullmatch(time)
    return found[1] + found[2] if found else b""
