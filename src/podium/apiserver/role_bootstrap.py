"""Writes the default roles and bindings, once the server answers.

Follows the post-start hook ``rbac/bootstrap-roles`` of ``k8s.io/kubernetes``. Until they are
stored, the policy takes them for granted, so that no component has to wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from podium.api.errors import ApiError
from podium.api.scheme import CLUSTERROLEBINDINGS, ROLEBINDINGS, Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import UserInfo
from podium.apiserver.auth.rbac.policy import KINDS, Policy
from podium.kit.backoff import Backoff
from podium.kit.clock import Clock
from podium.registry.registry import Registry
from podium.registry.types import RequestContext

logger = logging.getLogger(__name__)

_USER = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
#: Written side by side: they share the store's commits, and others get their turn in between.
_AT_ONCE = 16


class RoleBootstrap:
    """Feeds *policy* from the registry, and the registry with the defaults."""

    def __init__(self, registry: Registry, policy: Policy) -> None:
        self._registry, self._policy = registry, policy
        #: Set when all defaults are there.
        self.done = asyncio.Event()
        for resource in KINDS:
            registry.observe(resource, policy.apply)
        if policy.is_empty:
            from podium.apiserver.auth.rbac.defaults import default_objects

            policy.assume(default_objects())

    async def check(self) -> str:
        """The health check: why not all defaults are there yet."""
        return "" if self.done.is_set() else "not finished"

    async def run(self, clock: Clock) -> None:
        """Write what is missing, trying again until all is there."""
        from podium.apiserver.auth.rbac.defaults import default_objects

        backoff = Backoff(initial=1.0, maximum=30.0)
        remaining: Sequence[tuple[Resource, Any]] = default_objects()
        while remaining := await self._ensure_all(remaining):
            await clock.sleep(backoff.next())
        self._policy.settle()
        self.done.set()

    async def _ensure_all(
        self, objects: Sequence[tuple[Resource, Any]]
    ) -> Sequence[tuple[Resource, Any]]:
        """Return those that could not be written; one line tells of all of them."""
        failed: list[tuple[Resource, Any]] = []
        why = ""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(resource: Resource, obj: Any) -> None:
            nonlocal why
            async with turn:
                try:
                    await self._ensure(resource, obj)
                except ApiError as error:
                    failed.append((resource, obj))
                    why = str(error)

        async with asyncio.TaskGroup() as tasks:
            for resource, obj in objects:
                tasks.create_task(one(resource, obj))
        if failed:
            logger.warning("default roles not written", extra={"count": len(failed), "error": why})
        return failed

    async def _ensure(self, resource: Resource, default: Any) -> None:
        from podium.apiserver.auth.rbac.defaults import has_other_role, reconciled

        namespace, name = default.metadata.namespace, default.metadata.name
        there = await self._registry.read(resource, namespace, name)
        context = RequestContext(_USER)
        is_binding = resource in (CLUSTERROLEBINDINGS, ROLEBINDINGS)
        if there is not None and is_binding and has_other_role(there, default):
            await self._registry.delete(resource, namespace, name, DeleteOptions(), context)
            there = None
        if there is None:
            await self._registry.create(resource, namespace, default, context)
            return
        wanted = reconciled(there, default)
        if wanted is not None:
            await self._registry.update(resource, namespace, name, wanted, context)
