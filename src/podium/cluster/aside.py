"""Work in a process of its own, beside this one; what it has to import goes with it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from podium.kit import collector


class Aside:
    """*work* under way in a forked process; the caller must have one thread only, and must wait."""

    def __init__(self, work: Callable[[], int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _do(work)

    def wait(self) -> int:
        """Return what *work* has, which is an exit code; 1 for an exception, which it has printed,
        and what shells say of one that was killed."""
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return code if code >= 0 else 128 - code


def _do(work: Callable[[], int]) -> None:
    code = 1
    try:
        with collector.paused():
            code = work()
    except BaseException:  # noqa: BLE001 - the end of a process: say why, whatever it was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
