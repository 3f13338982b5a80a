"""The first process of a process namespace that a Pod's containers share.

It has to be there for the namespace to go on when a container ends, and to be the parent of what
loses its own: it ignores SIGCHLD, so that the kernel reaps those at once, and sleeps. It is a tiny
program of its own; where there is none for the machine's architecture, the Python interpreter
stands in.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from podium.runtime import linux
from podium.runtime.oci import tiny

NAME = "/pause"  # as tools that list processes know it from other runtimes
_STAND_IN = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile 1: signal.pause()"
_MARK = "PODIUM_SANDBOX"
_UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--")
_PAUSE, _PATIENCE = 0.001, 10_000  # seconds, and how many of them
_CODE = bytes.fromhex(
    "b80d000000"  # mov eax, 13          rt_sigaction(
    "bf11000000"  # mov edi, 17            SIGCHLD,
    "488d3526000000"  # lea rsi, [action]      &action,
    "31d2"  # xor edx, edx           NULL,
    "41ba08000000"  # mov r10d, 8            8)
    "0f05"  # syscall
    "b89d000000"  # mov eax, 157         prctl(
    "bf0f000000"  # mov edi, 15            PR_SET_NAME,
    "488d352b000000"  # lea rsi, [name]        "pause")
    "0f05"  # syscall
    "b822000000"  # mov eax, 34          again: pause()
    "0f05"  # syscall
    "ebf7"  # jmp again
    "0100000000000000"  # action: SIG_IGN, no flags, no restorer, empty mask
    "000000000000000000000000000000000000000000000000"
    "706175736500"  # name
)


def spawn(mark: str, user_namespace: str = "") -> int:
    """Start it as the first process of a new process namespace; return its ID. Raises OSError.

    It is a child of this process, which has to wait for it in the end. *mark* is what :func:`find`
    knows it by. In a user namespace it has a parent between: that is then what is returned, and
    :func:`first_of` tells the process itself.
    """
    return linux.in_own_thread(lambda: _spawn({_MARK: mark}, user_namespace))


def first_of(spawned: int, mark: str) -> int:
    """Return the first process of the namespace that *spawned* was started for. Raises OSError."""
    own = os.readlink("/proc/self/ns/pid")
    for _ in range(_PATIENCE):
        for pid in find(mark):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/ns/pid") != own:
                    return pid
        if os.waitid(os.P_PID, spawned, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(_PAUSE)
    raise OSError(0, "no process namespace could be made", "unshare")


def find(mark: str) -> list[int]:
    """Return the IDs of the processes that were started with *mark*, by whichever process."""
    entry = f"{_MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if entry in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                    found.append(int(name))
    return found


def _spawn(environment: dict[str, str], user_namespace: str) -> int:
    # The namespace is for this thread's child, or made by what stands between.
    linux.unshare(linux.CLONE_FS | (0 if user_namespace else linux.CLONE_NEWPID))
    os.chdir("/")
    files: list[tuple[int, int, str, int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)
    ]
    descriptor = tiny.program("pause", _CODE)
    path, argv = sys.executable, [sys.executable, "-I", "-S", "-c", _STAND_IN]
    if descriptor is not None:
        files.append((os.POSIX_SPAWN_DUP2, descriptor, 3))
        path, argv = "/proc/self/fd/3", [NAME]
    try:
        if not user_namespace:
            return os.posix_spawn(path, argv, environment, file_actions=files, setsid=True)
        between = ["nsenter", f"--user={user_namespace}", *_UNSHARE, path, *argv[1:]]
        environment = {**environment, "PATH": os.defpath}
        return os.posix_spawnp(between[0], between, environment, file_actions=files, setsid=True)
    finally:
        if descriptor is not None:
            os.close(descriptor)
