"""Work in a process of its own, beside this one; what it has to import goes with it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from podium.kit import collector


class Aside:
    """*work* under way in a forked process; the caller must have one thread only, and must wait."""

    def __init__(self, work: Callable[[], int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            end_with(lambda: _unhindered(work))

    def wait(self) -> int:
        """Return what *work* has, which is an exit code; 1 for an exception, which it has printed,
        and what shells say of one that was killed."""
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return code if code >= 0 else 128 - code


def _unhindered(work: Callable[[], int]) -> int:
    with collector.paused():
        return work()


def end_with(work: Callable[[], int]) -> NoReturn:
    """Do *work*, as the last thing that this process does: its exit code is what that returns."""
    code = 1
    try:
        code = work()
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of a process: say why, whatever it was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
