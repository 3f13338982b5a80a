"""Removing all that a cluster's runtime has on the machine, without a runtime.

For ``podium down``, also after a crash of anything at any point: nothing here trusts a record to be
there or to be right. It goes by the names that all of a cluster's belongings share: its cgroup, its
run dir and its link name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from podium.kit.clock import SystemClock
from podium.runtime.cgroups import Cgroups
from podium.runtime.mounts import unmount_below
from podium.runtime.network.bridge import BridgeNetwork
from podium.runtime.oci import apparmor, helpers, idmaps, image_mounts
from podium.runtime.oci.layout import OciOptions
from podium.runtime.oci.lock import lock
from podium.runtime.port import RuntimeFailure

_PAUSE, _PATIENCE = 0.005, 10.0  # seconds


async def cleanup(
    options: OciOptions,
    network: BridgeNetwork | None,
    release: Callable[[str], None] = lambda _: None,
) -> None:
    """Kill every container of the cluster and remove what the runtime made. Repeatable.

    *release* is the image service's, called with each container's ID. Raises RuntimeFailure where
    a process of the runtime still holds its lock, or where something refuses to go.
    """
    async with lock(options.root, SystemClock()):
        await _kill(options)
        unmount_below(options.run_dir)
        if network is not None:
            await network.teardown()
        await Cgroups.detect().remove(options.cgroup_root)
        await apparmor.unload(options.apparmor_profile)
        for container_id in _names(options.containers):
            release(container_id)
            for held in image_mounts.holders(options.containers / container_id, container_id):
                release(held)
        for name in _names(options.idmaps("")):
            idmaps.release(options.idmaps(name))
        for directory in (
            options.bundles,
            options.sandbox_runs,
            options.runc_root,
            options.containers,
            options.sandboxes,
        ):
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: somebody else keeps something there
            options.run_dir.rmdir()


async def _kill(options: OciOptions) -> None:
    """Kill the helpers, which could start more, then the containers."""
    await helpers.kill(options)
    cgroups = Cgroups.detect()
    patience = _PATIENCE
    while cgroups.kill(options.cgroup_root):
        patience -= _PAUSE
        if patience < 0:
            raise RuntimeFailure(
                f"processes {cgroups.processes(options.cgroup_root)} do not end on SIGKILL"
            )
        await asyncio.sleep(_PAUSE)


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
