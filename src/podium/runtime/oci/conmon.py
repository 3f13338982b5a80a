"""conmon: the process that holds a container's output and waits for its end.

One conmon a container, started here and then on its own: it survives this process, writes the log
in CRI's line format and, at the end, the exit code to a file. Its end is seen through a pidfd.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from podium.kit.process import Completed, spawned
from podium.runtime.oci.layout import ContainerPaths, OciOptions

#: Control messages (conmon's ctrl.c); a size is given as height and width.
RESIZE, REOPEN_LOGS = 1, 2
_PAUSE, PATIENCE = 0.002, 10.0  # seconds


class CreateFailed(Exception):
    """The low-level runtime refused; the text is its own."""


class _Answer(msgspec.Struct):
    """conmon's line on the sync pipe: the pid of the container, or below 0 and why."""

    data: int
    message: str = ""


class _LogLine(msgspec.Struct):
    """A line of the low-level runtime's JSON log."""

    level: str = ""
    msg: str = ""


class ContainerIO(msgspec.Struct, frozen=True):
    log_path: str
    terminal: bool = False
    stdin: bool = False
    stdin_once: bool = False


async def create(options: OciOptions, paths: ContainerPaths, io: ContainerIO, runtime: str) -> int:
    """Start conmon, which has the low-level *runtime* create the container; return its pid.

    Raises CreateFailed with the low-level runtime's words; nothing runs then. When cancelled,
    conmon may be left: the caller deletes the container.
    """
    read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(write_end, True)
    try:
        environment = {**os.environ, "_OCI_SYNCPIPE": str(write_end)}
        argv = command(options, paths, io, runtime)
        # It leaves a file called oom in its working directory when the kernel kills for memory.
        bundle = str(paths.bundle)
        async with spawned(*argv, pass_fds=(write_end,), env=environment, cwd=bundle) as wait:
            os.close(write_end)
            write_end = -1
            line = await _read_line(read_end)
            completed = await wait()
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)
    return _pid(line, completed, paths)


def command(
    options: OciOptions, paths: ContainerPaths, io: ContainerIO, runtime: str
) -> Sequence[str]:
    """conmon's command line."""
    argv = [
        options.conmon,
        *("--api-version", "1"),
        *("--cid", paths.id),
        *("--cuuid", paths.id),
        *("--runtime", runtime),
        *("--bundle", str(paths.bundle)),
        *("--container-pidfile", str(paths.pid_file)),
        *("--conmon-pidfile", str(paths.conmon_pid_file)),
        *("--exit-dir", str(paths.exit_dir)),
        *("--persist-dir", str(paths.bundle)),
        *("--log-path", f"k8s-file:{io.log_path}"),
        *("--log-level", "error"),
        "--full-attach",
        "--no-sync-log",
        "--runtime-arg=--root",
        f"--runtime-arg={options.runc_root}",
        "--runtime-arg=--log",
        f"--runtime-arg={paths.runc_log}",
        "--runtime-arg=--log-format",
        "--runtime-arg=json",
    ]
    if io.terminal:
        argv.append("--terminal")
    if io.stdin:
        argv.append("--stdin")
        if not io.stdin_once:
            argv.append("--leave-stdin-open")
    return argv


async def tell(bundle: Path, message: int, first: int = 0, second: int = 0) -> None:
    """Send the conmon of *bundle* a control message, once those before have been heard.

    Of several messages that it reads at once it minds the first alone. Raises OSError where it has
    gone, or does not listen.
    """
    descriptor = os.open(bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        patience = PATIENCE
        while _unheard(descriptor):
            if patience <= 0:
                raise TimeoutError("it does not listen")
            patience -= _PAUSE
            await asyncio.sleep(_PAUSE)
        os.write(descriptor, f"{message} {first} {second}\n".encode())
    finally:
        os.close(descriptor)


def _unheard(fifo: int) -> int:
    """Return how many bytes nobody has read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(fifo, termios.FIONREAD, b"\0" * 4))
    return int(count)


def last_error(log: Path) -> str:
    """Return the last error in the low-level runtime's log; empty when there is none."""
    message = ""
    try:
        lines = log.read_bytes().splitlines()
    except FileNotFoundError:
        return ""
    for line in lines:
        try:
            entry = msgspec.json.decode(line, type=_LogLine)
        except msgspec.DecodeError:
            continue
        if entry.level in ("error", "fatal", "panic"):
            message = entry.msg
    return message


class Watch:
    """Calls *ended* in the event loop once the process is gone; at once where it is already."""

    def __init__(self, pid: int, container_id: str, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._descriptor = _open_conmon(pid, container_id)
        if self._descriptor is None:
            self._loop.call_soon(ended)
        else:
            self._loop.add_reader(self._descriptor, self._fire)

    def close(self) -> None:
        """Stop watching. Repeatable."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _fire(self) -> None:
        self.close()
        self._ended()


def read_pid(file: Path) -> int:
    """Return the process ID in *file*, 0 when there is none."""
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def is_conmon(pid: int, container_id: str) -> bool:
    """Tell whether *pid* is the conmon of that container, and not another process by now."""
    try:
        return container_id.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _open_conmon(pid: int, container_id: str) -> int | None:
    if pid <= 0:
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if is_conmon(pid, container_id):  # checked while the descriptor keeps the pid from being reused
        return descriptor
    os.close(descriptor)
    return None


async def _read_line(descriptor: int) -> bytes:
    """Read up to the first line's end, or to the end of the pipe."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    received = b""
    loop.add_reader(descriptor, readable.set)
    try:
        while b"\n" not in received:
            await readable.wait()
            readable.clear()
            chunk = os.read(descriptor, 65536)
            if not chunk:
                break
            received += chunk
    finally:
        loop.remove_reader(descriptor)
    return received


def _pid(line: bytes, completed: Completed, paths: ContainerPaths) -> int:
    try:
        answer = msgspec.json.decode(line.split(b"\n", 1)[0], type=_Answer)
    except msgspec.DecodeError:
        said = completed.stderr.decode(errors="replace").strip()
        raise CreateFailed(said or f"conmon: exit status {completed.returncode}") from None
    if answer.data <= 0:
        raise CreateFailed(last_error(paths.runc_log) or answer.message.strip())
    return answer.data
