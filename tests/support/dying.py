"""``podium up`` whose kubelet is killed after whichever of its side effects the test chooses.

    python tests/support/dying.py COUNTDOWN up --data-dir …

COUNTDOWN is a file made by :class:`Countdown`: how many more side effects the kubelet is to live
through; 0 is for ever. A side effect is what the machine would keep of it: a file, directory, link
or attribute written, a process started, a mount, a network link, a signal. The kubelet dies by
SIGKILL when it sets out for the next one, and is started again at once.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SIZE = 4096
_NUMBER = struct.Struct("i")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = frozenset(
    """
    os.mkdir os.rename os.remove os.rmdir os.link os.symlink os.chmod os.chown os.truncate os.utime
    os.setxattr os.removexattr os.kill os.posix_spawn os.fork os.forkpty subprocess.Popen
    """.split()
)
_MOUNTING = "mount umount mount_idmapped make_read_only set_mount_attributes".split()


class Countdown:
    """The number of side effects that are left, shared by test and kubelet, and the last one."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)

    @property
    def left(self) -> int:
        """0: none is being counted."""
        return int(_NUMBER.unpack_from(self._memory)[0])

    def start(self, count: int) -> None:
        _NUMBER.pack_into(self._memory, 0, count)

    @property
    def last(self) -> str:
        """The side effect that was about to come when the kubelet died last."""
        return self._memory[_NUMBER.size :].rstrip(b"\0").decode(errors="replace")

    def take(self, what: str) -> None:
        """Count one side effect down; where none is left, die before it happens."""
        left = self.left
        if left == 0:
            return
        if left > 1:
            self.start(left - 1)
            return
        self.start(0)
        text = what.encode()[: _SIZE - _NUMBER.size]
        self._memory[_NUMBER.size :] = text.ljust(_SIZE - _NUMBER.size, b"\0")
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(countdown: Countdown) -> None:
    """Have every side effect of this process counted from now on."""
    from podium.runtime import linux
    from podium.runtime.network.rtnetlink import Route

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS or (event == "open" and _writes(arguments)):
            if event == "os.kill" and arguments[1] in (0, signal.SIGKILL):
                return  # looking, and this module's own
            countdown.take(f"{event}{arguments[:2]}")

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **named: Any) -> Any:
            countdown.take(f"{function.__name__}{arguments}")
            return function(*arguments, **named)

        return wrapper

    for name in _MOUNTING:
        setattr(linux, name, counted(getattr(linux, name)))
    Route.send = counted(Route.send)  # type: ignore[method-assign]
    sys.addaudithook(audit)


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    return bool(flags & _WRITING) or (isinstance(mode, str) and mode[:1] in "wax")


def main() -> int:
    from podium.__main__ import main as podium
    from podium.cluster import node, supervisor

    countdown, arguments = Countdown(Path(sys.argv[1])), sys.argv[2:]
    run = node.run

    async def watched(*given: Any, **named: Any) -> None:
        _watch(countdown)
        await run(*given, **named)

    node.run = watched
    supervisor._RESTART_DELAYS = (0.0,)
    sys.argv = ["podium", *arguments]
    return podium()


if __name__ == "__main__":
    sys.exit(main())
