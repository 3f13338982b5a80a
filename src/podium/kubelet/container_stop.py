"""Stopping one container: its preStop hook, its stop signal, SIGKILL; all within one grace period.

Follows ``killContainer`` of upstream's kubelet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from podium.api.types.core_v1 import LifecycleHandler, Pod
from podium.domain.pods.containers import field_path, find_container
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import ContainerRecord
from podium.kit.bounded import within
from podium.kubelet.probing.handlers import Target
from podium.kubelet.probing.hooks import HookFailed, HookTimeout, run_hook
from podium.kubelet.services import NodeServices

logger = logging.getLogger(__name__)

#: Seconds that a container has at least between its stop signal and SIGKILL after a preStop hook.
LEAST_AFTER_HOOK = 2.0


class _PreStop(msgspec.Struct):
    """The hook of one run; ``cut_short``: the run was ended before it was done."""

    run_id: str
    done: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    cut_short: bool = False


class ContainerStopper:
    """Stops containers of one Pod."""

    def __init__(self, node: NodeServices) -> None:
        self._node = node
        self._hooks: dict[str, _PreStop] = {}  #: by container: of the last run that was stopped

    def target(self, pod: Pod, record: ContainerRecord, ips: Sequence[str]) -> Target | None:
        """What a hook of this run is about; None where the spec does not know the container."""
        container = find_container(pod, record.name)
        address = ips[0] if ips else self._node.options.node_ip
        return Target(container, record.id, address) if container and record.is_running else None

    async def stop_run(
        self, pod: Pod, record: ContainerRecord, ips: Sequence[str], grace: float
    ) -> None:
        """Stop a run of a container, of the spec or not. Raises RuntimeFailure."""
        target = self.target(pod, record, ips)
        if target is None:
            await self._node.runtime.stop_container(record.id, grace)
        else:
            await self.stop(pod, target, grace)

    async def stop(self, pod: Pod, target: Target, grace: float) -> None:
        """Return when the container is dead. Raises RuntimeFailure.

        May be called again with a shorter *grace* meanwhile: the hook runs once, and what is left
        of it is not waited for any longer than that.
        """
        run_id, name = target.container_id, target.container.name
        lifecycle = target.container.lifecycle
        hook = lifecycle.pre_stop if lifecycle else None
        if hook is None:
            await self._node.runtime.stop_container(run_id, grace)
            return
        clock = self._node.clock
        until = clock.monotonic() + grace
        known = self._hooks.get(name)
        if known is None or known.run_id != run_id:
            self._hooks[name] = known = _PreStop(run_id)
            try:
                await self._pre_stop(pod, target, hook, grace, known)
            finally:
                known.done.set()
        elif not await clock.wait(known.done, grace):
            known.cut_short = True
        left = until - clock.monotonic()
        await self._node.runtime.stop_container(run_id, max(left, LEAST_AFTER_HOOK))

    async def _pre_stop(
        self, pod: Pod, target: Target, hook: LifecycleHandler, grace: float, known: _PreStop
    ) -> None:
        try:
            clock = self._node.clock
            work = run_hook(self._node, pod, target, hook, grace)
            await within(clock, grace + LEAST_AFTER_HOOK, work)
        except (HookTimeout, TimeoutError):
            logger.info(
                "preStop hook not done within the grace period",
                extra={"pod": pod_key(pod), "container": target.container.name, "grace": grace},
            )
        except HookFailed as exc:
            if not known.cut_short:
                path = field_path(pod, target.container.name)
                event = self._node.events.event
                event(pod, "Warning", "FailedPreStopHook", str(exc), field_path=path)
