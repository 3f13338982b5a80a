"""A parent for a process that outlives the one that started it, so that its end is noticed at once.

A process in a container whose parent is outside keeps the container's process namespace from ending
until that parent has waited for it. Orphans go to the machine's first process, and in a sandbox or
container that may wait now and then only, or never: so they get a parent of their own, a tiny
program that takes in what is orphaned below it, waits for all of it, and then ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence

from podium.kit.process import kill_children
from podium.runtime.oci import tiny

_SYS_CLOSE_RANGE = 436
_CODE = bytes.fromhex(
    "b89d000000"  # mov eax, 157         prctl(
    "bf24000000"  # mov edi, 36            PR_SET_CHILD_SUBREAPER,
    "be01000000"  # mov esi, 1             1)
    "0f05"  # syscall
    "b839000000"  # mov eax, 57          fork()
    "0f05"  # syscall
    "85c0"  # test eax, eax
    "7433"  # jz child
    "b8b4010000"  # mov eax, 436         close_range(
    "31ff"  # xor edi, edi           0,
    "beffffffff"  # mov esi, -1            UINT_MAX,
    "31d2"  # xor edx, edx           0)
    "0f05"  # syscall
    "b83d000000"  # mov eax, 61          again: wait4(
    "48c7c7ffffffff"  # mov rdi, -1            -1,
    "31f6"  # xor esi, esi           NULL,
    "31d2"  # xor edx, edx           0,
    "4531d2"  # xor r10d, r10d         NULL)
    "0f05"  # syscall
    "4885c0"  # test rax, rax
    "7fe6"  # jg again             until there is nobody left
    "b83c000000"  # mov eax, 60          exit(
    "31ff"  # xor edi, edi           0)
    "0f05"  # syscall
    "488b0424"  # mov rax, [rsp]       child: execve(
    "488b7c2410"  # mov rdi, [rsp+16]      argv[1],
    "488d742410"  # lea rsi, [rsp+16]      &argv[1],
    "488d54c410"  # lea rdx, [rsp+rax*8+16]  envp)
    "b83b000000"  # mov eax, 59
    "0f05"  # syscall
    "b83c000000"  # mov eax, 60          exit(
    "bf7f000000"  # mov edi, 127           127)
    "0f05"  # syscall
)


class Fostered:
    """What was started, by the process that this one is the parent of: its foster parent, or, where
    it can have none, itself. It is waited for beside the running event loop."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._loop = asyncio.get_running_loop()
        self._end = os.pidfd_open(pid)
        self._loop.add_reader(self._end, self._over)

    def _over(self) -> None:
        self._loop.remove_reader(self._end)
        os.close(self._end)
        os.waitpid(self._pid, 0)
        self._pid = 0

    async def kill(self) -> None:
        """Kill it and what it has started."""
        if self._pid:
            await kill_children(self._pid)
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)


def start(argv: Sequence[str], stdio: tuple[int, int, int], more: int) -> Fostered:
    """Start *argv* in a session of its own; it has the descriptor *more* at 3.

    Raises OSError.
    """
    # Other ways of having them there, such as posix_spawn, would leave signals ignored.
    placing = f'exec "$@" 3</proc/self/fd/{more}'
    program = tiny.program("parent", _CODE) if _closes_ranges() else None
    words, passed = [*argv], [more]
    if program is not None:
        words.insert(0, f"/proc/self/fd/{program}")
        passed.append(program)
    try:
        process = subprocess.Popen(
            ("/bin/sh", "-c", placing, "sh", *words),
            stdin=stdio[0],
            stdout=stdio[1],
            stderr=stdio[2],
            pass_fds=passed,
            start_new_session=True,
        )
    finally:
        if program is not None:
            os.close(program)
    process.returncode = 0  # it is waited for here, not there
    return Fostered(process.pid)


def _closes_ranges() -> bool:
    """Whether the kernel can close all descriptors at once (from 5.9 on): kept open, they would
    hide their end from who reads."""
    unused = ctypes.c_ulong(2**32 - 1)
    libc = ctypes.CDLL(None)
    return bool(libc.syscall(ctypes.c_long(_SYS_CLOSE_RANGE), unused, unused, 0) == 0)
