"""The processes that work for a runtime outside of containers: conmon and the low-level runtime.

They go on when the process that started them is killed, and would make what is being removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from podium.runtime.oci.layout import OciOptions
from podium.runtime.port import RuntimeFailure

_PAUSE, _PATIENCE = 0.002, 10.0  # seconds


def find(options: OciOptions, container_id: str = "") -> set[int]:
    """Return process IDs of this runtime's helpers, or of those of one container."""
    names = (options.conmon, options.runc, *options.others.values())
    programs = {os.path.basename(name).encode() for name in names}
    marks = (os.fsencode(f"{options.run_dir}/containers/"), os.fsencode(options.runc_root))
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = Path("/proc", name, "cmdline").read_bytes()
            program = os.path.basename(command.partition(b"\0")[0])
            if (
                program in programs
                and container_id.encode() in command
                and any(mark in command for mark in marks)
            ):
                found.add(int(name))
    return found


async def kill(options: OciOptions, container_id: str = "") -> None:
    """Kill them, and those they start meanwhile; return when there are none.

    Raises RuntimeFailure when one does not end within ten seconds.
    """
    patience = _PATIENCE
    while found := find(options, container_id):
        for pid in found:
            _kill_if(pid, options, container_id)
        patience -= _PAUSE
        if patience < 0:
            raise RuntimeFailure(f"processes {sorted(found)} do not end on SIGKILL")
        await asyncio.sleep(_PAUSE)


def _kill_if(pid: int, options: OciOptions, container_id: str) -> None:
    """Kill *pid* if it still is what was looked for while a descriptor keeps it from reuse."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid in find(options, container_id):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)
