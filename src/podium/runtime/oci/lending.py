"""What the node lends to containers that lack it: the ``tar`` that ``kubectl cp`` asks for, and the
shell that executes probes' commands (``command_helper``).

``kubectl cp`` runs ``test -d DIRECTORY`` and ``tar`` in the container. Where the image has none,
the node's static busybox stands in. It is reached through a descriptor of a read-only filesystem
that is mounted nowhere and holds nothing else, so that it leaves no trace in the container and
shows nothing of the node, whatever it is told to read.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

from podium.kit.bounded import in_daemon_thread
from podium.runtime import linux
from podium.runtime.oci.layout import ContainerPaths
from podium.runtime.oci.spec import DEFAULT_PATH

#: The descriptor that a command finds the lent programs at, and the directory that this makes.
DESCRIPTOR = 3
DIRECTORY = f"/proc/self/fd/{DESCRIPTOR}"
_BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")
_PROGRAMS = ("tar", "test", "ash")
_PATIENCE = 5.0  # seconds
#: What is being looked for just now: by PATH, process and program.
_looking: dict[tuple[str, int, str], asyncio.Future[str]] = {}


class _Process(msgspec.Struct):
    env: list[str] = []


class _Config(msgspec.Struct):
    process: _Process


def wanted(cmd: Sequence[str]) -> bool:
    """Whether *cmd* is one of those that ``kubectl cp`` runs."""
    return cmd[:1] == ["tar"] or (len(cmd) == 3 and list(cmd[:2]) == ["test", "-d"])


async def search_path(paths: ContainerPaths, pid: int, program: str) -> str:
    """Return the PATH by which a command finds the node's *program*; "" where it has its own.

    *pid* is a process of the container. Raises OSError where that has gone.
    """
    own = own_path(paths)
    return "" if await located(own, pid, program) else f"{own}:{DIRECTORY}"


async def located(path: str, pid: int, program: str) -> str:
    """Return the file that *program* is in the container of *pid*, by the PATH *path*; "" where
    there is none.

    Raises OSError where the process has gone, and TimeoutError where a file system on the way does
    not answer: a volume may have died since it was mounted. What hangs there is one thread, however
    often it is looked for, as probes do.
    """

    def look() -> str:
        root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            files = (f"{directory}/{program}" for directory in path.split(":"))
            return next((file for file in files if _executable(root, file)), "")
        finally:
            os.close(root)

    key = (path, pid, program)
    looking = _looking.get(key)
    if looking is None:
        looking = _looking[key] = asyncio.ensure_future(in_daemon_thread(None, look))
        looking.add_done_callback(lambda _: _looking.pop(key))
    async with asyncio.timeout(_PATIENCE):
        return await asyncio.shield(looking)


@cache
def programs() -> int | None:
    """Return a descriptor of the directory of lent programs; None where the node has none to lend.

    Made once a process; a kernel before 5.12 cannot make it.
    """
    source = next((path for path in _BUSYBOX if Path(path).is_file()), None)
    if source is None:
        return None
    try:
        directory = linux.detached_tmpfs({"mode": "755", "size": "16m"})
        _fill(directory, source)
        attributes = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV
        linux.set_mount_attributes(directory, attributes)
    except OSError:
        return None
    return directory


def _fill(directory: int, source: str) -> None:
    first, *others = _PROGRAMS
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(first, flags, 0o755, dir_fd=directory), "wb") as file:
        os.fchmod(file.fileno(), 0o755)
        file.write(Path(source).read_bytes())
    for name in others:
        os.symlink(first, name, dir_fd=directory)


def environment(paths: ContainerPaths) -> list[str]:
    """Return the variables of the container, as ``NAME=value``. Raises OSError."""
    return msgspec.json.decode(paths.config.read_bytes(), type=_Config).process.env


def own_path(paths: ContainerPaths) -> str:
    """Return the PATH of the container. Raises OSError."""
    found = [entry for entry in environment(paths) if entry.startswith("PATH=")]
    return (found[-1] if found else DEFAULT_PATH).removeprefix("PATH=")


def _executable(root: int, path: str) -> bool:
    try:
        descriptor = linux.open_in_root(root, path, os.O_PATH)
    except OSError:
        return False
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    return stat.S_ISREG(mode) and bool(mode & 0o111)
