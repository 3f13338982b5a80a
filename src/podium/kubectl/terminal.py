"""This side's terminal, while it is that of a process in a container."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import termios
import tty

from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: What detaches from a container that goes on, where nothing else is asked for.
DETACH_KEYS = "ctrl-p,ctrl-q"


@contextlib.contextmanager
def raw_terminal(wanted: bool) -> Iterator[None]:
    """Hand every key on as it is typed, and the terminal back as it was."""
    if not wanted:
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def usable(stdin: bool, terminal: bool, *, quiet: bool = False) -> bool:
    """Whether ``-i`` and ``-t`` mean a terminal: that needs one on this side."""
    if not terminal or not stdin:
        return False
    if os.isatty(0):
        return True
    if not quiet:
        print("Unable to use a TTY - input is not a terminal or the right kind of file",
              file=sys.stderr)  # fmt: skip
    return False


class DetachKeys:
    """Looks for a sequence of keys in what is typed; what may be its beginning is held back."""

    def __init__(self, sequence: bytes) -> None:
        self._sequence, self._held = sequence, b""

    @classmethod
    def parse(cls, text: str) -> DetachKeys:
        """Read ``ctrl-p,ctrl-q``, ``a,b``. Raises CommandError."""
        keys = bytearray()
        for part in (text or DETACH_KEYS).split(","):
            control = re.fullmatch(r"ctrl-([a-z@\[\\\]^_])", part)
            if control:
                keys.append(ord(control[1].upper()) & 0x1F)
            elif len(part) == 1 and part.isascii():
                keys += part.encode()
            else:
                raise CommandError(f"could not bind detach keys: Unknown character: '{part}'")
        return cls(bytes(keys))

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what is to be handed on of *data*, and whether the sequence is complete."""
        out = bytearray()
        for number in data:
            self._held += bytes((number,))
            while self._held and not self._sequence.startswith(self._held):
                out.append(self._held[0])
                self._held = self._held[1:]
            if self._held == self._sequence:
                return bytes(out), True
        return bytes(out), False
