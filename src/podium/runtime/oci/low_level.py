"""What is asked of the low-level runtime that must happen, whether it answers or not."""

from __future__ import annotations

import asyncio
import logging
import shutil

from podium.runtime.oci import helpers
from podium.runtime.oci.engine import Engine
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)


async def delete(engine: Engine, container_id: str) -> None:
    """Have the low-level runtime forget a container, and kill what there is of it. Repeatable.

    Where it does not answer, or refuses, the same is done without it. Raises RuntimeFailure when
    something of the container does not end.
    """
    state = engine.options.runc_root / container_id
    if not state.exists():
        return
    try:
        completed = await engine.runc("delete", container_id, "--force", check=False)
        why = completed.stderr.decode(errors="replace").strip()
    except RuntimeFailure as exc:
        why = str(exc)
    if not state.exists():
        return
    logger.warning("removed without its runtime", extra={"container": container_id, "error": why})
    await helpers.kill(engine.options, container_id)
    live = engine.containers.get(container_id)
    if live is not None:
        await engine.cgroups.remove(live.record.cgroup_path)
    await asyncio.to_thread(shutil.rmtree, state, ignore_errors=True)
