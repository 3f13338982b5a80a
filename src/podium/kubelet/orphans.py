"""What the runtime and the disk hold of Pods that are no more.

They went, or were replaced, while no kubelet looked; or something held up their removal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from podium.api.types.core_v1 import Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods import identity
from podium.domain.pods.identity import pod_key
from podium.kit.bounded import in_daemon_thread, within
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.removal import remove
from podium.runtime.port import ContainerState, PodSandbox, RuntimeFailure

logger = logging.getLogger(__name__)

#: Seconds that the removal of one thing may take that a Pod has left behind.
PATIENCE = 60.0
#: Seconds that the runtime gets to tell what there is: Pods wait for that.
LOOK = 10.0
#: Seconds that its containers get to end, as upstream gives them: nobody knows any more what the
#: Pod asked for.
GRACE = 1.0
#: Seconds until it is tried again to end what has to end before another Pod begins.
RETRY = 5.0


class Orphans:
    """*known* tells whether somebody looks after the Pod of that uid."""

    def __init__(self, node: NodeServices, known: Callable[[str], bool]) -> None:
        self._node, self._known = node, known
        #: The sandboxes that the kubelet has found when it began, by their Pods' names; None where
        #: it could not tell.
        self._found: dict[str, list[PodSandbox]] | None = None
        self._clearing: set[Path] = set()  # directories that a thread is removing
        self._told: set[tuple[str, str]] = set()  #: sandboxes with containers that are ending

    async def look(self) -> None:
        """Take note of what there is before any Pod begins."""
        sandboxes = await self._sandboxes()
        if sandboxes is not None:
            self._found = {}
            for sandbox in sandboxes:
                self._found.setdefault(_name(sandbox), []).append(sandbox)

    async def make_way(self, pod: Pod) -> None:
        """Return when nothing runs of an earlier Pod of that name that nobody looks after."""
        if self._found is None:
            await self.look()
        for sandbox in (self._found or {}).pop(pod_key(pod), ()):
            if _uid(sandbox) == pod.metadata.uid or self._known(_uid(sandbox)):
                continue
            await self._remove("sandbox", sandbox.id, self._end(sandbox))
            while await self._still_runs(sandbox):
                await self._node.clock.sleep(RETRY)
                await self._remove("sandbox", sandbox.id, self._end(sandbox))

    async def remove(self) -> None:
        """End and remove all there is, each in its turn; nothing where the sandboxes cannot be
        listed, as they may use the rest. Raises OSError."""
        known = self._known
        sandboxes = await self._sandboxes()
        if sandboxes is None:
            return
        for sandbox in sandboxes:
            if _uid(sandbox) and not known(_uid(sandbox)):
                await self._remove("sandbox", sandbox.id, self._end(sandbox))
        options = self._node.options
        for root in (options.root_dir / "pods", options.run_dir / "pods"):
            for directory in root.iterdir() if root.exists() else ():
                if not known(directory.name):
                    work = self._remove_directory(directory)
                    await self._remove("directory", str(directory), work)
        for directory in options.log_dir.iterdir() if options.log_dir.exists() else ():
            if not known(directory.name.rpartition("_")[2]):
                await self._remove("log directory", str(directory), self._clear(directory))

    async def _sandboxes(self) -> Sequence[PodSandbox] | None:
        try:
            return await within(self._node.clock, LOOK, self._node.runtime.list_pod_sandbox())
        except (RuntimeFailure, TimeoutError) as exc:
            extra = {"error": str(exc) or "it hangs"}
            logger.warning("sandboxes could not be listed", extra=extra)
            return None

    async def _still_runs(self, sandbox: PodSandbox) -> bool:
        """Whether a process is left of it, as far as can be told."""
        listing = self._node.runtime.list_containers(pod_sandbox_id=sandbox.id)
        try:
            found = await within(self._node.clock, LOOK, listing)
        except (RuntimeFailure, TimeoutError):
            return True
        return any(container.state is ContainerState.RUNNING for container in found)

    async def _remove(self, kind: str, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Do *work* for a while; what fails is tried again with the next look at everything."""
        logger.info("removing what is left of a pod", extra={"kind": kind, "what": name})
        try:
            await within(self._node.clock, PATIENCE, work)
        except (RuntimeFailure, OSError) as exc:
            extra = {"kind": kind, "what": name, "error": str(exc) or "it hangs"}
            logger.warning("something of a pod could not be removed", extra=extra)

    async def _end(self, sandbox: PodSandbox) -> None:
        runtime = self._node.runtime
        containers = await runtime.list_containers(pod_sandbox_id=sandbox.id)
        running = [c for c in containers if c.state is ContainerState.RUNNING]
        for found in running:
            self._tell(sandbox, found.metadata.name)
        await asyncio.gather(*(runtime.stop_container(found.id, GRACE) for found in running))
        await runtime.stop_pod_sandbox(sandbox.id)
        await runtime.remove_pod_sandbox(sandbox.id)
        self._told = {told for told in self._told if told[0] != sandbox.id}

    def _tell(self, sandbox: PodSandbox, name: str) -> None:
        """Tell that a container ends, once; as upstream's, which no longer knows the Pod's spec."""
        if (sandbox.id, name) in self._told:
            return
        self._told.add((sandbox.id, name))
        labels = sandbox.labels
        pod = Pod(
            metadata=ObjectMeta(
                name=labels.get(identity.POD_NAME, ""),
                namespace=labels.get(identity.POD_NAMESPACE, ""),
                uid=_uid(sandbox),
            )
        )
        path = f"implicitly required container {name}"
        text = f"Stopping container {name}"
        self._node.events.event(pod, "Normal", "Killing", text, field_path=path)

    async def _remove_directory(self, directory: Path) -> None:
        """Remove a Pod's directory and its cgroup; the directory's name is its uid."""
        await self._node.cgroups.remove(directory.name)
        await self._clear(directory)
        self._node.user_namespaces.release(directory.name)

    async def _clear(self, directory: Path) -> None:
        """Raises OSError, and TimeoutError also where an earlier attempt still hangs."""

        def clear() -> None:
            try:
                remove(directory)
            finally:
                self._clearing.discard(directory)

        if directory in self._clearing:
            raise TimeoutError
        self._clearing.add(directory)
        await in_daemon_thread(PATIENCE, clear)


def _name(sandbox: PodSandbox) -> str:
    labels = sandbox.labels
    return f"{labels.get(identity.POD_NAMESPACE, '')}/{labels.get(identity.POD_NAME, '')}"


def _uid(sandbox: PodSandbox) -> str:
    return sandbox.labels.get(identity.POD_UID, "")
