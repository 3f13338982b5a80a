"""UpdateContainerResources: a running container's cgroup gets other limits.

The low-level runtime would write the same files; what it remembers of them it does not use again.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from podium.runtime.cgroup_limits import CgroupLimits
from podium.runtime.oci.engine import Engine
from podium.runtime.port import ContainerState, LinuxContainerResources, RuntimeFailure


def update_container_resources(
    engine: Engine, container_id: str, wish: LinuxContainerResources
) -> None:
    """Raises NotFound, RuntimeFailure. What was set is on record also where the rest fails."""
    live = engine.container(container_id)
    if live.record.state is not ContainerState.RUNNING:
        state = live.record.state.value
        raise RuntimeFailure(f"failed to update resources: container is in {state} state")
    path = live.record.cgroup_path
    if wish.memory_limit_in_bytes:
        # No swap beyond the limit, where it is counted at all.
        counted = engine.node.swap_accounting and not engine.node.unified_cgroups
        swap = wish.memory_limit_in_bytes if counted else 0
        limits = CgroupLimits(
            memory_limit_bytes=wish.memory_limit_in_bytes, memory_swap_limit_bytes=swap
        )
        engine.cgroups.set_limits(path, limits)
        _note(engine, container_id, memory_limit_in_bytes=wish.memory_limit_in_bytes)
    if wish.cpu_quota or wish.cpu_shares:
        period = wish.cpu_period or 100_000
        engine.cgroups.set_limits(path, CgroupLimits(wish.cpu_shares, wish.cpu_quota, period))
        asked = {"cpu_shares": wish.cpu_shares, "cpu_quota": wish.cpu_quota, "cpu_period": period}
        _note(engine, container_id, **{name: value for name, value in asked.items() if value})


def _note(engine: Engine, container_id: str, **changes: Any) -> None:
    record = engine.container(container_id).record
    resources = replace(record.config.resources, **changes)
    config = replace(record.config, resources=resources)
    engine.save_container(msgspec.structs.replace(record, config=config))
