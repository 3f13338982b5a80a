"""StopPodSandbox and RemovePodSandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from functools import partial

import msgspec

from podium.kit.threads import run_in_thread
from podium.runtime.oci import idmaps, namespace_init, namespaces
from podium.runtime.oci.container_remove import remove_container
from podium.runtime.oci.container_stop import kill, stop_container
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.records import SandboxRecord
from podium.runtime.port import ContainerEventType, ContainerState


async def stop_pod_sandbox(engine: Engine, sandbox_id: str) -> None:
    """Kill the sandbox's containers, then let its network and namespaces go."""
    live = engine.sandboxes.get(sandbox_id)
    if live is None:
        return
    async with live.busy:
        await _kill_containers(engine, sandbox_id)
        if live.record.stopped:
            return
        await _release(engine, sandbox_id)
        engine.save_sandbox(msgspec.structs.replace(live.record, stopped=True))
    engine.publish(ContainerEventType.STOPPED, sandbox_id, sandbox_id)


async def remove_pod_sandbox(engine: Engine, sandbox_id: str) -> None:
    """Stop the sandbox, remove its containers and it."""
    live = engine.sandboxes.get(sandbox_id)
    if live is None:
        return
    await stop_pod_sandbox(engine, sandbox_id)
    async with live.busy:
        for container in engine.containers_of(sandbox_id):
            await remove_container(engine, container.record.id)
        engine.publish(ContainerEventType.DELETED, sandbox_id, sandbox_id)
        await destroy(engine, sandbox_id)


async def destroy(engine: Engine, sandbox_id: str) -> None:
    """Remove whatever there is of a sandbox without containers. Repeatable, also after a crash."""
    await _release(engine, sandbox_id)
    paths = engine.sandbox_paths(sandbox_id)
    await asyncio.to_thread(shutil.rmtree, paths.run, ignore_errors=True)
    await asyncio.to_thread(shutil.rmtree, paths.directory, ignore_errors=True)
    engine.sandboxes.pop(sandbox_id, None)


async def _release(engine: Engine, sandbox_id: str) -> None:
    await engine.network.detach(sandbox_id)
    live = engine.sandboxes.get(sandbox_id)
    if live is not None and live.record.shares_processes:
        live.close()
        await _end_init(engine, live.record)
    await run_in_thread(partial(_unmount, engine, sandbox_id))


def _unmount(engine: Engine, sandbox_id: str) -> None:
    """Not in the event loop: the kernel may take tens of milliseconds to be done with a mount."""
    idmaps.release(engine.options.idmaps(sandbox_id))
    namespaces.unpin(engine.sandbox_paths(sandbox_id))


async def _end_init(engine: Engine, record: SandboxRecord) -> None:
    """End the first process of a shared process namespace. Repeatable, also after a crash."""
    for pid in namespace_init.find(str(engine.sandbox_paths(record.id).run)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await engine.cgroups.remove(engine.init_cgroup(record))
    child = engine.inits.pop(record.id, 0)
    if child:
        with contextlib.suppress(ChildProcessError):
            await asyncio.to_thread(os.waitpid, child, 0)


async def _kill_containers(engine: Engine, sandbox_id: str) -> None:
    containers = engine.containers_of(sandbox_id)
    for container in containers:  # all at once, then wait for one after the other
        if container.record.state is ContainerState.RUNNING:
            kill(engine, container)
    for container in containers:
        await stop_container(engine, container.record.id, 0)
