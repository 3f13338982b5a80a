"""How the end of a container is noticed and recorded."""

from __future__ import annotations

import logging
import os
from functools import partial

from podium.runtime.oci.conmon import Watch, read_pid
from podium.runtime.oci.engine import Engine, LiveContainer
from podium.runtime.oci.layout import ContainerPaths
from podium.runtime.oci.records import ContainerRecord, exited, lost
from podium.runtime.port import ContainerEventType

logger = logging.getLogger(__name__)


def watch(engine: Engine, live: LiveContainer) -> None:
    """Record the container's end as soon as its conmon has gone; at once where it has already."""
    container_id = live.record.id
    pid = read_pid(engine.container_paths(container_id).conmon_pid_file)
    live.watch = Watch(pid, container_id, partial(_ended, engine, live))


def _ended(engine: Engine, live: LiveContainer) -> None:
    live.watch = None
    live.close_helpers()
    record = live.record
    if record.finished_at or engine.containers.get(record.id) is not live:
        return
    engine.save_container(outcome(engine, record))
    live.exited.set()
    engine.publish(ContainerEventType.STOPPED, record.id, record.sandbox_id)


def outcome(engine: Engine, record: ContainerRecord) -> ContainerRecord:
    """Return *record* of a container without conmon as what became of it.

    Without conmon nobody reads a container's output: what still runs of it is killed, as it would
    hang on its next write and has no exit code to give. Its cgroup goes with its last process.
    """
    result = exit_status(engine.container_paths(record.id))
    if result is None or not record.own_pid_namespace:
        engine.cgroups.kill(record.cgroup_path)
    oom = engine.cgroups.oom_kills(record.cgroup_path) > 0
    engine.cgroups.remove_idle(record.cgroup_path)
    if result is None:
        logger.warning("conmon has gone without an exit code", extra={"container": record.id})
        return lost(record, engine.now())
    code, finished_at = result
    return exited(record, code=code, finished_at=finished_at, oom=oom)


def exit_status(paths: ContainerPaths) -> tuple[int, int] | None:
    """Return exit code and time from the file that conmon wrote; None when there is none."""
    try:
        with open(paths.exit_file) as file:
            return int(file.read()), os.fstat(file.fileno()).st_mtime_ns
    except (FileNotFoundError, ValueError):
        return None
