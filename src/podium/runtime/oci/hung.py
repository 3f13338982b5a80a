"""Commands that SIGKILL does not end, as on a file system that does not answer any more.

Nothing can be done about them; but that there is one is no reason to start the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from podium.runtime.oci.engine import LiveContainer


def remember(live: LiveContainer, cmd: Sequence[str], pids: Iterable[int]) -> None:
    """The processes *pids* execute *cmd*, and have been killed as that took too long."""
    live.hung[tuple(cmd)] = [(pid, began) for pid in pids if (began := _began(pid))]


def still(live: LiveContainer, cmd: Sequence[str]) -> bool:
    """Whether there still is one of those that should have ended."""
    left = [(pid, began) for pid, began in live.hung.pop(tuple(cmd), ()) if _began(pid) == began]
    if left:
        live.hung[tuple(cmd)] = left
    return bool(left)


def _began(pid: int) -> int:
    """When a process began, in the kernel's ticks; 0 where it has ended."""
    try:
        fields = re.split(r"\) (?=[^)]*$)", Path(f"/proc/{pid}/stat").read_text())[1].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])
