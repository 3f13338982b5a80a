"""StopContainer: the stop signal, time to act on it, SIGKILL, and what else may be in the way.

What is killed and not gone after a while is killed process by process and thawed with its whole
Pod; where nothing of it lives any more, its conmon does not tell, and is killed.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from podium.kit.numbers import number
from podium.runtime.oci import helpers
from podium.runtime.oci.engine import Engine, LiveContainer
from podium.runtime.port import ContainerState, RuntimeFailure

_LAST_SIGNAL = signal.NSIG - 1
#: Letters of proc_pid_stat(5), for those that do not heed SIGKILL at once.
_STATES = {"D": "in an uninterruptible call", "T": "stopped", "t": "traced", "Z": "a zombie"}


async def stop_container(engine: Engine, container_id: str, timeout: float) -> None:
    """Return when the container is dead; a later call with a shorter *timeout* cuts it short."""
    live = engine.containers.get(container_id)
    if live is None or live.record.state is not ContainerState.RUNNING:
        return
    if timeout > 0:
        if not live.signalled:
            live.signalled = True
            send(live, signal_number(live.record.stop_signal))
        if await engine.clock.wait(live.exited, timeout):
            return
    kill(engine, live)
    if await engine.clock.wait(live.exited, engine.options.kill_patience):
        return
    await _kill_harder(engine, live)
    if not await engine.clock.wait(live.exited, engine.options.kill_patience):
        left = "; ".join(map(describe, engine.cgroups.processes(live.record.cgroup_path)))
        raise RuntimeFailure(
            f'an error occurs during waiting for container "{container_id}" to be killed: '
            f"context deadline exceeded{left and ': still there: '}{left}",
            "DeadlineExceeded",
        )


async def _kill_harder(engine: Engine, live: LiveContainer) -> None:
    cgroup = live.record.cgroup_path
    engine.cgroups.thaw(os.path.dirname(cgroup))
    if not engine.cgroups.kill(cgroup):
        await helpers.kill(engine.options, live.record.id)


def kill(engine: Engine, live: LiveContainer) -> None:
    """SIGKILL: to its first process, and without a PID namespace of its own to all of them."""
    send(live, signal.SIGKILL)
    engine.cgroups.thaw(live.record.cgroup_path)
    if not live.record.own_pid_namespace:
        engine.cgroups.kill(live.record.cgroup_path)


def send(live: LiveContainer, number: int) -> None:
    """Signal the container's first process, or nobody where that has gone."""
    _signal(live.record.pid, live.record.id, number)


def kill_process(pid: int, container_id: str) -> None:
    """SIGKILL to a process of a container, if it still is one."""
    _signal(pid, container_id, signal.SIGKILL)


def _signal(pid: int, container_id: str, number: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # gone, or never there (pid 0)
        return
    try:
        # The pid is this container's own only while its cgroup says so; the descriptor pins it.
        if container_id in Path(f"/proc/{pid}/cgroup").read_text():
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, FileNotFoundError):
        return
    finally:
        os.close(descriptor)


def describe(pid: int) -> str:
    """A process in words: its number, its name and what it is doing."""
    try:
        _, name, rest = re.split(r" \(|\) (?=[^)]*$)", Path(f"/proc/{pid}/stat").read_text())
        state = _STATES.get(rest[0], f"state {rest[0]}")
        return f"process {pid} ({name}), {state}"
    except (OSError, ValueError):  # gone meanwhile
        return f"process {pid}"


def signal_number(text: str) -> int:
    """``SIGTERM``, ``TERM``, ``15`` and ``RTMIN+3``, as image configurations have them.

    What is none of these, or no signal that there is, is SIGTERM: whatever the image says, what
    runs from it has to end.
    """
    name = text.upper().removeprefix("SIG")
    base, plus, offset = name.partition("+")
    found = number(name, _LAST_SIGNAL) or 0
    if f"SIG{base}" in signal.Signals.__members__:
        further = number(offset, _LAST_SIGNAL) if plus else 0
        found = 0 if further is None else signal.Signals[f"SIG{base}"] + further
    return found if 0 < found <= _LAST_SIGNAL else int(signal.SIGTERM)
