"""ReopenContainerLog: conmon closes a container's log and opens a new one."""

from __future__ import annotations

import os
from pathlib import Path

from podium.runtime.oci import conmon
from podium.runtime.oci.engine import Engine
from podium.runtime.port import ContainerState, RuntimeFailure

_PAUSE, _PATIENCE = 0.002, 10.0  # seconds


async def reopen(engine: Engine, container_id: str) -> None:
    """Return once the new file is there. The former one has been renamed by the caller."""
    live = engine.container(container_id)
    if live.record.state is not ContainerState.RUNNING:
        raise RuntimeFailure("container is not running")
    path, bundle = Path(live.record.log_path), engine.container_paths(container_id).bundle
    try:
        await conmon.tell(bundle, conmon.REOPEN_LOGS)
    except OSError as exc:
        raise RuntimeFailure(f"conmon cannot be told to reopen the log: {exc}") from exc
    patience = _PATIENCE
    while not os.access(path, os.F_OK):
        patience -= _PAUSE
        if patience < 0:
            raise RuntimeFailure(f"conmon did not open {path} again")
        if await engine.clock.wait(live.exited, _PAUSE):
            return  # it has ended, and its log with it
