"""ExecSync: a command in a running container, by the low-level runtime's ``exec``.

The low-level runtime stays the command's parent until it ends and hands its exit code on. It joins
the container's namespaces and cgroup and applies the container's user, capabilities and seccomp
filter, as for the container's first process. A command that is executed again goes a shorter way
(``command_helper``).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from podium.kit.process import spawned
from podium.runtime.oci import command_helper, hung
from podium.runtime.oci.conmon import last_error, read_pid
from podium.runtime.oci.container_stop import kill_process
from podium.runtime.oci.engine import Engine, LiveContainer
from podium.runtime.port import ContainerState, ExecSyncResponse, RuntimeFailure

#: Bytes kept of each stream; more is read, so that the command does not block, and dropped.
KEPT = 16 * 1024


async def exec_sync(
    engine: Engine, container_id: str, cmd: Sequence[str], timeout: float
) -> ExecSyncResponse:
    """Run *cmd* to its end. Failures have containerd's words.

    One that has been killed and does not end is not started again.
    """
    live = running(engine, container_id, cmd)
    if hung.still(live, cmd):
        raise timed_out(timeout)
    helper = await command_helper.take(engine, live, cmd)  # its start is not the command's time
    try:
        async with asyncio.timeout(timeout or None):
            answer = await helper.run(cmd) if helper is not None else None
    except TimeoutError:
        hung.remember(live, cmd, helper.killed if helper is not None else ())
        raise timed_out(timeout) from None
    if answer is not None:
        return answer
    running(engine, container_id, cmd)  # it may have gone meanwhile
    exec_id = secrets.token_hex(32)
    files = ExecFiles(engine.container_paths(container_id).bundle / f"exec-{exec_id[:16]}")
    files.directory.mkdir()
    options = engine.options
    argv = [
        *(options.program(live.record.handler), "--root", str(options.runc_root)),
        *("--log", str(files.log), "--log-format", "json"),
        *("exec", "--pid-file", str(files.pid), container_id, *cmd),
    ]
    try:
        async with _Pipe.opened() as stdout, _Pipe.opened() as stderr:
            # The command may run before its pid is written down.
            output = (stdout.write_end, stderr.write_end)
            async with spawned(*argv, output=output, children=True) as wait:
                stdout.close_write_end()
                stderr.close_write_end()
                async with asyncio.timeout(timeout or None):
                    completed = await wait()
            if completed.returncode != 0 and not files.pid.exists():
                said = last_error(files.log) or stderr.text()
                raise RuntimeFailure(not_started(exec_id, said))
            stdout.drain()
            stderr.drain()
            command_helper.remember(live, cmd)
            return ExecSyncResponse(stdout.received, stderr.received, completed.returncode)
    except TimeoutError:
        hung.remember(live, cmd, [read_pid(files.pid)])
        raise timed_out(timeout) from None
    except OSError as exc:
        raise impossible(exec_id, exc) from None
    finally:
        kill_process(read_pid(files.pid), container_id)
        shutil.rmtree(files.directory, ignore_errors=True)


def running(engine: Engine, container_id: str, cmd: Sequence[str]) -> LiveContainer:
    """Return the container, if *cmd* can be executed in it. Raises NotFound, RuntimeFailure."""
    live = engine.container(container_id)
    if live.record.state is not ContainerState.RUNNING:
        state = live.record.state.value
        raise RuntimeFailure(f"failed to exec in container: container is in {state} state")
    if any("\0" in word for word in cmd):
        raise impossible("", OSError(errno.EINVAL, os.strerror(errno.EINVAL)))
    return live


def timed_out(timeout: float) -> RuntimeFailure:
    return RuntimeFailure(
        f"failed to exec in container: timeout {timeout:g}s exceeded: context deadline exceeded",
        "DeadlineExceeded",
    )


class ExecFiles(msgspec.Struct, frozen=True):
    """What the low-level runtime tells about one command; below the container's bundle."""

    directory: Path

    @property
    def pid(self) -> Path:
        return self.directory / "pid"

    @property
    def log(self) -> Path:
        return self.directory / "log"


class _Pipe:
    """A pipe whose reading end is emptied while the event loop runs; a bounded part is kept."""

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end, self.write_end = read_end, write_end
        self.received = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(read_end, self.drain)

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls) -> AsyncIterator[_Pipe]:
        read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(write_end, True)
        pipe = cls(read_end, write_end)
        try:
            yield pipe
        finally:
            pipe._loop.remove_reader(read_end)
            os.close(read_end)
            pipe.close_write_end()

    def close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def drain(self) -> None:
        """Read what there is now."""
        while True:
            try:
                chunk = os.read(self._read_end, 65536)
            except BlockingIOError:
                return
            if not chunk:
                self._loop.remove_reader(self._read_end)
                return
            self.received += chunk[: KEPT - len(self.received)]

    def text(self) -> str:
        return self.received.decode(errors="replace").strip()


def impossible(exec_id: str, exc: OSError) -> RuntimeFailure:
    """What is raised for a command that the kernel does not take, as one that is too long."""
    why = (exc.strerror or str(exc)).lower()
    return RuntimeFailure(not_started(exec_id, f"exec failed: unable to start container: {why}"))


def not_started(exec_id: str, message: str) -> str:
    """What containerd says of a command that the low-level runtime could not start."""
    return (
        f'failed to exec in container: failed to start exec "{exec_id}": '
        f"OCI runtime exec failed: {message}: unknown"
    )
