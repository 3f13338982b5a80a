"""StartContainer: conmon and the low-level runtime's ``create``, then what its ``start`` does."""

from __future__ import annotations

import asyncio
import logging
import os

import msgspec

from podium.kit.process import ProcessFailed
from podium.runtime.oci import conmon, exec_fifo, helpers, low_level
from podium.runtime.oci.container_exit import watch
from podium.runtime.oci.engine import Engine, LiveContainer, no_answer
from podium.runtime.oci.records import ContainerRecord, not_started
from podium.runtime.port import ContainerEventType, ContainerState, RuntimeFailure, creation_failed

logger = logging.getLogger(__name__)


async def start_container(engine: Engine, container_id: str) -> None:
    """Run a created container. A command that cannot be executed leaves it exited, code 128."""
    live = engine.container(container_id)
    async with live.busy:
        if live.record.state is not ContainerState.CREATED:
            raise RuntimeFailure(
                f'failed to set starting state for container "{container_id}": '
                f"container is in {live.record.state.value} state"
            )
        engine.save_container(msgspec.structs.replace(live.record, starting=True))
        try:
            await _start(engine, live)
        except BaseException as exc:
            await _undo(engine, live, exc)
            raise
    engine.publish(ContainerEventType.STARTED, container_id, live.record.sandbox_id)
    watch(engine, live)


async def _start(engine: Engine, live: LiveContainer) -> None:
    record, paths = live.record, engine.container_paths(live.record.id)
    runtime = engine.options.program(record.handler)
    io = conmon.ContainerIO(
        record.log_path or os.devnull,
        terminal=record.config.tty,
        stdin=record.config.stdin,
        stdin_once=record.config.stdin_once,
    )
    try:
        async with asyncio.timeout(engine.options.start_patience):
            pid = await conmon.create(engine.options, paths, io, runtime)
    except TimeoutError:
        raise no_answer(
            f"{os.path.basename(runtime)} create", engine.options.start_patience
        ) from None
    except conmon.CreateFailed as exc:
        raise RuntimeFailure(creation_failed(str(exc))) from exc
    except FileNotFoundError as exc:
        raise RuntimeFailure(creation_failed(f"{exc.filename}: {exc.strerror}")) from exc
    started_at = engine.now()  # before: a container may end before runc does
    await _execute(engine, record, pid)
    engine.save_container(
        msgspec.structs.replace(record, starting=False, started_at=started_at, pid=pid)
    )


async def _execute(engine: Engine, record: ContainerRecord, pid: int) -> None:
    """Have the created container, whose first process is *pid*, execute its command."""
    patience = engine.options.patience
    if record.handler in ("", "runc"):
        try:
            async with asyncio.timeout(patience):
                if await exec_fifo.let_go(engine.options.runc_root / record.id, pid):
                    return
        except TimeoutError:
            raise no_answer("runc start", patience) from None
    try:
        await engine.runc("start", record.id)
    except ProcessFailed as exc:
        raise RuntimeFailure(
            f'failed to start containerd task "{record.id}": OCI runtime start failed: '
            f"{exc.completed.stderr.decode(errors='replace').strip()}: unknown"
        ) from exc


async def _undo(engine: Engine, live: LiveContainer, exc: BaseException) -> None:
    """Leave nothing running: exited where the runtime refused, created where we were cut short."""
    refused = isinstance(exc, RuntimeFailure) and exc.code != "DeadlineExceeded"
    try:
        if not refused:
            await helpers.kill(engine.options, live.record.id)
        await low_level.delete(engine, live.record.id)
    except RuntimeFailure as left:
        extra = {"container": live.record.id, "error": left}
        logger.warning("something is left of a start that failed", extra=extra)
    created = msgspec.structs.replace(live.record, starting=False)
    if not isinstance(exc, RuntimeFailure):
        engine.save_container(created)
        return
    engine.save_container(not_started(created, engine.now(), str(exc)))
    live.exited.set()
    engine.publish(ContainerEventType.STOPPED, live.record.id, live.record.sandbox_id)
