"""Empties namespaces that are being deleted, then lets them go.

As upstream: Pods first, so that what they use outlives them; then all else that the server knows;
then the finalizer ``kubernetes`` is taken off, upon which the server removes the namespace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.core_v1 import Namespace, Pod
from podium.client import discovery
from podium.client.client import Client
from podium.client.errors import REQUEST_ERRORS, Unreachable
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.namespace_content import Remains, conditions
from podium.kit.clock import Clock

FINALIZER = "kubernetes"


class NamespaceController:
    """Keys are names of namespaces."""

    def __init__(
        self, client: Client, namespaces: Informer[Namespace], pods: Informer[Pod], clock: Clock
    ) -> None:
        self._client, self._namespaces, self._clock = client, namespaces, clock
        self._queue: WorkQueue[str] = WorkQueue(clock)
        namespaces.on_change(self._namespace_changed)
        pods.on_change(self._pod_changed)

    async def run(self) -> None:
        await work("namespace", self._queue, self._reconcile, workers=4)

    def _namespace_changed(self, _: Namespace | None, new: Namespace | None) -> None:
        if new is not None and new.metadata.deletion_timestamp is not None:
            self._queue.add(new.metadata.name)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """Go on as soon as the last Pod has gone."""
        if new is None and old is not None:
            namespace = self._namespaces.get("", old.metadata.namespace)
            self._namespace_changed(None, namespace)

    async def _reconcile(self, name: str) -> None:
        known = self._namespaces.get("", name)
        if known is None or known.metadata.deletion_timestamp is None:
            return
        if FINALIZER not in known.spec.finalizers:
            return
        remains = await self._empty(name)
        if remains.empty and not _others_wait(known):
            await self._finalize(known)
            return
        await self._report(name, remains)
        if remains.empty:
            await self._finalize(known)
        elif remains.errors or remains.discovery_error:
            self._queue.add_rate_limited(name)
        else:
            self._queue.forget(name)
            self._queue.add_after(name, remains.estimate / 2 + 1)

    async def _empty(self, namespace: str) -> Remains:
        """Ask for all that is in *namespace* to be deleted; return what is there all the same."""
        remains = Remains()
        try:
            resources = await discovery.namespaced_resources(self._client)
        except REQUEST_ERRORS as exc:
            remains.discovery_error = str(exc)
            return remains
        deletable = [r for r in resources if {"delete", "list"} <= set(r.verbs)]
        pods = [r for r in deletable if (r.group, r.plural) == ("", "pods")]
        others = [r for r in deletable if r not in pods]
        await self._empty_each(namespace, pods, remains)
        if remains.empty:
            await self._empty_each(namespace, others, remains)
        return remains

    async def _empty_each(
        self, namespace: str, resources: Sequence[Resource], remains: Remains
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            for resource in resources:
                tasks.create_task(self._empty_one(namespace, resource, remains))

    async def _empty_one(self, namespace: str, resource: Resource, remains: Remains) -> None:
        try:
            left = (await self._client.list(resource, namespace)).items
            if not left:
                return
            await self._delete_all(namespace, resource, [obj.metadata.name for obj in left])
            left = (await self._client.list(resource, namespace)).items
        except ApiError as exc:
            if exc.code not in (404, 405):  # the kind has gone meanwhile
                remains.errors.append(str(exc))
            return
        except Unreachable as exc:
            remains.errors.append(str(exc))
            return
        for obj in left:
            grace = obj.metadata.deletion_grace_period_seconds or 0
            remains.count(f"{resource.plural}.{resource.group}", obj.metadata.finalizers, grace)

    async def _delete_all(self, namespace: str, resource: Resource, names: list[str]) -> None:
        if "deletecollection" in resource.verbs:
            await self._client.delete_collection(
                resource, namespace, propagation_policy="Background"
            )
            return
        for name in names:
            try:
                await self._client.delete(
                    resource, name, namespace=namespace, propagation_policy="Background"
                )
            except ApiError as exc:
                if exc.code != 404:
                    raise

    async def _report(self, name: str, remains: Remains) -> None:
        """Write the conditions where they have changed."""
        try:
            current: Namespace = await self._client.get(scheme.NAMESPACES, name)
            wanted = conditions(remains, current.status.conditions, self._clock.now())
            if wanted == current.status.conditions:
                return
            current.status.conditions = wanted
            await self._client.update(scheme.NAMESPACES, current, subresource="status")
        except ApiError as exc:
            if exc.code != 404:
                raise

    async def _finalize(self, known: Namespace) -> None:
        try:
            current: Namespace = await self._client.get(scheme.NAMESPACES, known.metadata.name)
            if current.metadata.uid != known.metadata.uid:
                return
            finalizers = [f for f in current.spec.finalizers if f != FINALIZER]
            current.spec = msgspec.structs.replace(current.spec, finalizers=finalizers)
            await self._client.update(scheme.NAMESPACES, current, subresource="finalize")
        except ApiError as exc:
            if exc.code != 404:
                raise


def _others_wait(namespace: Namespace) -> bool:
    """Whether somebody will read the conditions of the emptied namespace."""
    return bool(
        set(namespace.spec.finalizers) - {FINALIZER}
        or namespace.metadata.finalizers
        or namespace.status.conditions
    )
