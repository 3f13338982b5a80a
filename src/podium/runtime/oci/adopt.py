"""What a new process does with what the last one left: adopt what is whole, remove what is half.

Called once, before any other call. Containers that run are watched again, those that ended
meanwhile get their exit code from conmon's file, those that were never started go, and nothing that
runs is disturbed.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from podium.runtime.oci import container_remove, helpers, namespaces, sandbox_stop, sandbox_watch
from podium.runtime.oci.conmon import is_conmon, read_pid
from podium.runtime.oci.container_exit import exit_status, outcome, watch
from podium.runtime.oci.container_stop import kill_process
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.exec_sync import ExecFiles
from podium.runtime.oci.records import ContainerRecord, SandboxRecord
from podium.runtime.oci.sandbox_run import namespace_kinds
from podium.runtime.port import ContainerState, PodSandboxState, RuntimeFailure

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=msgspec.Struct)


class _RuncState(msgspec.Struct):
    """The runtime specification's State, as ``runc state`` prints it."""

    status: str
    pid: int = 0


async def adopt(engine: Engine) -> None:
    """Bring records and reality together."""
    options = engine.options
    for directory in (options.sandboxes, options.containers, options.runc_root):
        directory.mkdir(parents=True, exist_ok=True)
    options.bundles.mkdir(mode=0o711, exist_ok=True)
    await _adopt_sandboxes(engine)
    await _adopt_containers(engine)
    live = {
        sandbox_id
        for sandbox_id, sandbox in engine.sandboxes.items()
        if sandbox.record.state is PodSandboxState.READY
    }
    await engine.network.reconcile(live)


async def _adopt_sandboxes(engine: Engine) -> None:
    options = engine.options
    for sandbox_id in _names(options.sandboxes, options.sandbox_runs):
        record = _read(engine.sandbox_paths(sandbox_id).record, SandboxRecord)
        if record is not None:
            engine.save_sandbox(record)
        if record is None or not record.created:
            logger.info("removing a sandbox that was not finished", extra={"sandbox": sandbox_id})
            await _removed("sandbox", sandbox_id, sandbox_stop.destroy(engine, sandbox_id))
            continue
        kinds = namespace_kinds(record.config.linux.namespace_options)
        if record.shares_processes:
            kinds.append("pid")
        if record.owns_users:
            kinds.append("user")
        if not record.stopped and not namespaces.pinned(engine.sandbox_paths(sandbox_id), kinds):
            engine.save_sandbox(msgspec.structs.replace(record, stopped=True))
        elif not record.stopped and record.shares_processes:
            sandbox_watch.watch(engine, engine.sandboxes[sandbox_id])


async def _adopt_containers(engine: Engine) -> None:
    options = engine.options
    for container_id in _names(options.containers, options.bundles):
        record = _read(engine.container_paths(container_id).record, ContainerRecord)
        if record is not None:
            engine.save_container(record)
        if record is None or record.sandbox_id not in engine.sandboxes:
            logger.info(
                "removing a container that was not finished", extra={"container": container_id}
            )
            await _destroy(engine, container_id)
            continue
        await _adopt_container(engine, record)


async def _adopt_container(engine: Engine, record: ContainerRecord) -> None:
    if record.starting:
        settled = await _settle(engine, record)
        if settled is None:
            await _destroy(engine, record.id)
            return
        record = settled
    live = engine.save_container(record)
    if record.state is ContainerState.RUNNING:
        paths = engine.container_paths(record.id)
        if is_conmon(read_pid(paths.conmon_pid_file), record.id):
            watch(engine, live)
            _end_commands(paths.bundle, record.id)
        else:
            record = engine.save_container(outcome(engine, record)).record
    elif record.state is ContainerState.CREATED:
        # Nothing of it has run, and who made it may not know of it: made anew, it is the same.
        await _destroy(engine, record.id)
        return
    if record.state is ContainerState.EXITED:
        live.exited.set()


def _end_commands(bundle: Path, container_id: str) -> None:
    """End what the last process had executed in a container: nobody listens to it any more."""
    for directory in bundle.glob("exec-*"):
        kill_process(read_pid(ExecFiles(directory).pid), container_id)
        shutil.rmtree(directory, ignore_errors=True)


async def _settle(engine: Engine, record: ContainerRecord) -> ContainerRecord | None:
    """Find out whether a container got started that was about to be; None when it did not.

    Its process may wait to be started still: then nothing of the Pod's has run, and it goes.
    """
    paths = engine.container_paths(record.id)
    if exit_status(paths) is not None:
        return msgspec.structs.replace(record, starting=False, started_at=record.created_at)
    state = await _state(engine, record.id)
    if state.status == "running":
        return msgspec.structs.replace(
            record, starting=False, started_at=engine.now(), pid=state.pid
        )
    await helpers.kill(engine.options, record.id)  # or it might get started yet
    return None


async def _state(engine: Engine, container_id: str) -> _RuncState:
    """What the low-level runtime knows; nothing where it does not answer."""
    try:
        completed = await engine.runc("state", container_id, check=False)
    except RuntimeFailure as exc:
        extra = {"container": container_id, "error": exc}
        logger.warning("whether a container runs cannot be told", extra=extra)
        return _RuncState("")
    if completed.returncode:
        return _RuncState("")
    return msgspec.json.decode(completed.stdout, type=_RuncState)


async def _destroy(engine: Engine, container_id: str) -> None:
    await _removed("container", container_id, container_remove.destroy(engine, container_id))


async def _removed(kind: str, name: str, removal: Awaitable[None]) -> None:
    """Wait for a removal; what it leaves is there for the next process, too."""
    try:
        await removal
    except (RuntimeFailure, OSError) as exc:
        logger.warning("a %s could not be removed", kind, extra={kind: name, "error": exc})


def _names(*directories: Path) -> Iterable[str]:
    """Names in any of *directories*."""
    names: dict[str, None] = {}
    for directory in directories:
        if directory.is_dir():
            names.update(dict.fromkeys(sorted(os.listdir(directory))))
    return names


def _read(path: Path, kind: type[R]) -> R | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
