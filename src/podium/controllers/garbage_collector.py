"""Deletes objects whose owners are gone, and carries out foreground deletion and orphaning.

After ``pkg/controller/garbagecollector``: all kinds that the server lists are watched, by their
metadata alone unless another controller watches them anyway; the graph of owners says what to look
at; before anything is deleted or changed the server itself is asked about the object and its
owners.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from podium.api.errors import ApiError, failure
from podium.api.scheme import Resource
from podium.api.types.core_v1 import ObjectReference
from podium.api.types.meta_v1 import OwnerReference
from podium.client import discovery, wire
from podium.client.client import Client
from podium.client.errors import REQUEST_ERRORS
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.garbage_graph import (
    FOREGROUND,
    ORPHAN,
    Graph,
    Identity,
    Node,
    Owned,
    OwnedMetadata,
    Steps,
    identity_of,
    owned,
)
from podium.controllers.garbage_references import Delete, Keep, OwnerState, Release, decide
from podium.controllers.loop import work
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

#: Seconds after the start before all kinds are listed; what a starting cluster needs comes first.
START_AFTER = 2.0
#: Seconds between looks at what kinds there are.
REDISCOVER_EVERY = 30.0
#: Seconds that one kind's first list may take before the others are not kept waiting any more.
SYNC_PATIENCE = 30.0
#: Owners remembered as absent; a uid never comes back.
ABSENT_REMEMBERED = 500
_WORKERS = 8
_IGNORED = frozenset({("", "events"), ("events.k8s.io", "events")})


class GarbageCollector:
    """Keys are uids. *watcher* is the client that kinds are found and watched with; *shared* gives
    the informer, if there is one, of a kind that others watch."""

    def __init__(
        self,
        client: Client,
        watcher: Client,
        shared: Callable[[str, str], Informer[Any] | None],
        recorder: EventRecorder,
        clock: Clock,
    ) -> None:
        self._client, self._watcher, self._shared = client, watcher, shared
        self._recorder, self._clock = recorder, clock
        self._graph = Graph()
        self._deletions: WorkQueue[str] = WorkQueue(clock)
        self._orphans: WorkQueue[str] = WorkQueue(clock)
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._watched: dict[tuple[str, str], asyncio.Task[None] | None] = {}
        self._absent: OrderedDict[Identity, None] = OrderedDict()
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; :attr:`ready` is set once everything there is has been seen."""
        await self._clock.sleep(START_AFTER)
        async with asyncio.TaskGroup() as tasks:
            await self._discover(tasks)
            self.ready.set()
            for name, queue, reconcile in (
                ("garbage_collector_attempt_to_delete", self._deletions, self._attempt_delete),
                ("garbage_collector_attempt_to_orphan", self._orphans, self._attempt_orphan),
            ):
                tasks.create_task(work(name, queue, reconcile, workers=_WORKERS), name=name)
            while True:
                await self._clock.sleep(REDISCOVER_EVERY)
                await self._discover(tasks)

    # -- watching

    async def _discover(self, tasks: asyncio.TaskGroup) -> None:
        """Watch the kinds that have come, leave those that have gone."""
        try:
            found = await discovery.all_resources(self._watcher, Owned)
        except REQUEST_ERRORS as exc:
            logger.warning("kinds could not be discovered", extra={"error": exc})
            return
        self._kinds = {(resource.api_version, resource.kind): resource for resource in found}
        wanted: dict[tuple[str, str], Resource] = {}
        for resource in found:
            if {"delete", "list", "watch"} <= set(resource.verbs):
                wanted.setdefault((resource.group, resource.plural), resource)
        for key in set(self._watched) - set(wanted):
            if (task := self._watched.pop(key)) is not None:
                task.cancel()
        # One after the other: many lists at a time would keep others waiting.
        for key, resource in wanted.items():
            if key not in self._watched and key not in _IGNORED:
                await self._watch(key, resource, tasks)

    async def _watch(
        self, key: tuple[str, str], resource: Resource, tasks: asyncio.TaskGroup
    ) -> None:
        informer, task = self._shared(*key), None
        if informer is None:
            informer = Informer(self._watcher, resource, clock=self._clock, metadata_only=True)
            task = tasks.create_task(informer.run(), name=f"garbage-collector-{resource.plural}")
        informer.on_change(self._changed(resource))
        self._watched[key] = task
        if not await self._clock.wait(informer.synced, SYNC_PATIENCE):
            # The others go on: nothing is deleted before the server was asked about its owners.
            logger.warning("a kind cannot be listed", extra={"resource": resource.qualified})

    def _changed(self, resource: Resource) -> Callable[[Any, Any], None]:
        def changed(old: Any, new: Any) -> None:
            if new is not None:
                metadata = owned(new.metadata)
                identity = _identity(resource, metadata)
                self._take(self._graph.put(identity, metadata))
            elif old is not None:
                metadata = owned(old.metadata)
                if self._graph.dependents(metadata.uid):
                    self._note_absent(_identity(resource, metadata))
                self._take(self._graph.remove(metadata.uid))

        return changed

    def _take(self, steps: Steps) -> None:
        for uid in steps.attempt_delete:
            self._deletions.add(uid)
        for uid in steps.orphan:
            self._orphans.add(uid)
        for dependent, named in steps.misplaced:
            self._recorder.event(
                _object_reference(dependent),
                "Warning",
                "OwnerRefInvalidNamespace",
                f'ownerRef {named} does not exist in namespace "{dependent.namespace}"',
            )

    # -- deleting

    async def _attempt_delete(self, uid: str) -> None:
        node = self._graph.get(uid)
        if node is None:
            return
        if node.waits_for_dependents:
            await self._go_on(node)
            return
        if node.is_being_deleted or self._owners_are_solid(node):
            return
        latest = await self._latest(node)
        if latest is None:
            return
        states = await self._states(node.identity, latest)
        if states is None:
            return
        verdict = decide(latest, states, self._graph.dependents(uid))
        match verdict:
            case Release(references):
                await self._set_references(node, latest, references)
            case Delete(policy, unblock):
                if unblock:
                    latest = await self._unblock(node, latest)
                await self._delete(node, latest, policy)
            case Keep():
                pass

    async def _go_on(self, owner: Node) -> None:
        """Let go of an owner that is deleted in the foreground once nothing blocks it."""
        blocking = self._graph.blocking_dependents(owner.identity.uid)
        if not blocking:
            await self._remove_finalizer(owner, FOREGROUND)
            return
        for dependent in blocking:
            if not dependent.waits_for_dependents:
                self._deletions.add(dependent.identity.uid)

    def _owners_are_solid(self, node: Node) -> bool:
        """Whether nothing has to be asked, by what is known of the owners."""
        owners = [
            self._graph.has_in_place(node.identity, reference)
            for reference in node.metadata.owner_references
        ]
        return all(owner is not None and not owner.waits_for_dependents for owner in owners)

    async def _states(self, dependent: Identity, latest: OwnedMetadata) -> list[OwnerState] | None:
        """Return the state of each owner, None where one can never be told."""
        states: list[OwnerState] = []
        for reference in latest.owner_references:
            resource = self._kinds.get((reference.api_version, reference.kind))
            if resource is None:
                raise _not_served(reference.api_version, reference.kind)
            if resource.namespaced and not dependent.namespace:
                return None  # an object of the cluster cannot have an owner in a namespace
            namespace = dependent.namespace if resource.namespaced else ""
            states.append(await self._state(resource, identity_of(reference, namespace)))
        return states

    async def _state(self, resource: Resource, owner: Identity) -> OwnerState:
        if owner in self._absent:
            return "dangling"
        try:
            found: Owned = await self._client.get(
                resource, owner.name, owner.namespace, metadata_only=True
            )
        except ApiError as exc:
            if exc.code != 404:
                raise
            found = Owned(metadata=OwnedMetadata())
        if found.metadata.uid != owner.uid:
            self._note_absent(owner)
            return "dangling"
        return "waiting" if Node(owner, found.metadata).waits_for_dependents else "solid"

    async def _delete(self, node: Node, latest: OwnedMetadata, policy: str) -> None:
        identity = node.identity
        logger.info("deleting", extra={"object": str(identity), "policy": policy})
        try:
            await self._client.delete(
                self._resource(identity),
                identity.name,
                namespace=identity.namespace,
                uid=identity.uid,
                resource_version=latest.resource_version,
                propagation_policy=policy,
            )
        except ApiError as exc:
            if exc.code != 404:
                raise

    async def _unblock(self, node: Node, latest: OwnedMetadata) -> OwnedMetadata:
        references = [
            msgspec.structs.replace(reference, block_owner_deletion=False)
            for reference in latest.owner_references
        ]
        return await self._set_references(node, latest, references)

    # -- orphaning

    async def _attempt_orphan(self, uid: str) -> None:
        owner = self._graph.get(uid)
        if owner is None or ORPHAN not in owner.metadata.finalizers:
            return
        for dependent in self._graph.dependents(uid):
            latest = await self._latest(dependent)
            if latest is None:
                continue
            kept = [ref for ref in latest.owner_references if ref.uid != uid]
            if len(kept) < len(latest.owner_references):
                await self._set_references(dependent, latest, kept)
        await self._remove_finalizer(owner, ORPHAN)

    # -- requests

    async def _latest(self, node: Node) -> OwnedMetadata | None:
        """Return the object's metadata as the server has it, None when it is gone."""
        identity = node.identity
        try:
            found: Owned = await self._client.get(
                self._resource(identity), identity.name, identity.namespace, metadata_only=True
            )
        except ApiError as exc:
            if exc.code == 404:
                return None
            raise
        return found.metadata if found.metadata.uid == identity.uid else None

    async def _set_references(
        self, node: Node, latest: OwnedMetadata, references: list[OwnerReference]
    ) -> OwnedMetadata:
        patch = {"ownerReferences": wire.to_plain(references) or None}
        return await self._patch(node, latest, patch)

    async def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        latest = await self._latest(node)
        if latest is not None and finalizer in latest.finalizers:
            kept = [each for each in latest.finalizers if each != finalizer]
            await self._patch(node, latest, {"finalizers": kept})

    async def _patch(
        self, node: Node, latest: OwnedMetadata, change: dict[str, object]
    ) -> OwnedMetadata:
        """Change that state of the object and no other; a conflict is tried again."""
        identity = node.identity
        pinned = {"uid": identity.uid, "resourceVersion": latest.resource_version}
        try:
            changed: Owned = await self._client.patch(
                self._resource(identity),
                identity.name,
                {"metadata": {**pinned, **change}},
                namespace=identity.namespace,
                patch_type="merge",
            )
        except ApiError as exc:
            if exc.code == 404:
                return latest
            raise
        return changed.metadata

    def _resource(self, identity: Identity) -> Resource:
        """Raises ApiError (404) for a kind that has gone."""
        resource = self._kinds.get((identity.api_version, identity.kind))
        if resource is None:
            raise _not_served(identity.api_version, identity.kind)
        return resource

    def _note_absent(self, owner: Identity) -> None:
        self._absent[owner] = None
        if len(self._absent) > ABSENT_REMEMBERED:
            self._absent.popitem(last=False)


def _identity(resource: Resource, metadata: OwnedMetadata) -> Identity:
    return Identity(
        resource.api_version, resource.kind, metadata.namespace, metadata.name, metadata.uid
    )


def _not_served(api_version: str, kind: str) -> ApiError:
    return failure(404, "NotFound", f'no matches for kind "{kind}" in version "{api_version}"')


def _object_reference(identity: Identity) -> ObjectReference:
    return ObjectReference(
        api_version=identity.api_version,
        kind=identity.kind,
        namespace=identity.namespace,
        name=identity.name,
        uid=identity.uid,
    )
