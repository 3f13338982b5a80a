"""The verbs of the API over the store; what an API server serves, without HTTP.

Reads come from watch caches that one watch of the store feeds. Writes go through the kind's
strategy and admission to the store. A kind's rules are in ``strategies``; nothing here knows one.
Follows ``k8s.io/apiserver/pkg/registry/generic/registry``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from podium.api.scheme import RESOURCES, Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import SERVER
from podium.kit.clock import Clock
from podium.kit.metrics import Families
from podium.registry import action, compaction, create, delete, patch, update, versions
from podium.registry.admission.base import AdmissionPlugin
from podium.registry.caches import Caches
from podium.registry.change import Change
from podium.registry.expiry import Expiry
from podium.registry.feeder import Feeder
from podium.registry.kind import Kind, Shared
from podium.registry.metrics import RegistryMetrics
from podium.registry.predicate import Predicate
from podium.registry.types import (
    DeleteResult,
    ListOptions,
    ListResult,
    RequestContext,
    Statistics,
    Stored,
)
from podium.registry.watch_cache import WatchCache
from podium.registry.watching import WatchStream
from podium.store.port import Store

if TYPE_CHECKING:
    from podium.registry import scaling

#: Told of a change: the resource, the object before and behind it.
Observer = Callable[[Resource, Any | None, Any | None], None]


class _Kinds(dict[Resource, Kind]):
    """Each kind is made when it is asked for first."""

    def __init__(self, shared: Shared, caches: Caches) -> None:
        super().__init__()
        self._shared, self._caches = shared, caches

    def __missing__(self, resource: Resource) -> Kind:
        cache = self._caches.of(resource)
        kind = self[resource] = Kind(self._shared, resource, cache)
        return kind


class Registry:
    """See the module's text. Every verb raises ApiError; objects handed in are taken over.

    *time_to_live*: seconds that objects of a resource live after their last write; others stay.
    *service_cidr*: where Services get their addresses from.
    """

    def __init__(
        self,
        store: Store,
        admission: Sequence[AdmissionPlugin],
        clock: Clock,
        *,
        resources: Sequence[Resource] = RESOURCES,
        time_to_live: Mapping[Resource, float] | None = None,
        service_cidr: str = "10.96.0.0/12",
    ) -> None:
        self._store, self._clock = store, clock
        stored = [resource for resource in resources if resource.stored]
        self._caches = Caches(stored)
        self._feeder = Feeder(store, self._caches, clock, self._note)
        metrics = RegistryMetrics()
        #: What is counted about admission and the store.
        self.counted: Families = metrics.families
        shared = Shared(store, self._feeder, clock, admission, self, service_cidr, metrics)
        self._kinds = _Kinds(shared, self._caches)
        self._observers: dict[Resource, list[Observer]] = {}
        self._expiries = {
            resource: Expiry(store, self._kinds[resource].cache, clock, seconds)
            for resource, seconds in (time_to_live or {}).items()
        }

    async def start(self) -> None:
        """Fill the caches with what the store has. Call once, before :meth:`run`."""
        await self._feeder.fill()
        for expiry in self._expiries.values():
            expiry.begin()

    async def run(self) -> None:
        """Follow the store, remove what expires and compact the history, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._feeder.run(), name="registry-feed")
            tasks.create_task(
                compaction.run(self._store, self._clock, self._feeder.revision, self._forget),
                name="registry-compaction",
            )
            for resource, expiry in self._expiries.items():
                tasks.create_task(expiry.run(), name=f"registry-expiry-{resource.plural}")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Registry]:
        """Start, and run for as long as the context lasts."""
        await self.start()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.run(), name="registry")
            try:
                yield self
            finally:
                running.cancel()

    # ------------------------------------------------------------------ reading

    async def current(self) -> None:
        """Wait until what is read has every write acknowledged before. Raises ApiError (504)."""
        await self._feeder.current()

    async def read(self, resource: Resource, namespace: str, name: str) -> Any | None:
        """Return the object, not to be changed, or None: what admission and others look up."""
        await self._feeder.current()
        stored = self._kinds[resource].cache.get(namespace, name)
        return stored.obj if stored else None

    def known(self, resource: Resource, namespace: str) -> Iterator[Any]:
        """Yield what is cached of a namespace's objects (of all, for ""), not to be changed."""
        for stored in self._kinds[resource].cache.everything():
            if not namespace or stored.fields.get("metadata.namespace") == namespace:
                yield stored.obj  # only these are decoded

    def now(self) -> datetime:
        return self._clock.now()

    async def write_status(self, resource: Resource, obj: Any) -> Any:
        """Store the status of *obj* in the server's own name; see ``admission.base.Reader``."""
        metadata = obj.metadata
        context = RequestContext(SERVER, field_manager="kube-apiserver")
        stored = await self.update(
            resource, metadata.namespace, metadata.name, obj, context, subresource="status"
        )
        return stored.obj

    async def get(
        self, resource: Resource, namespace: str, name: str, *, resource_version: str = ""
    ) -> Stored:
        """Return the object as of now, or at least as of *resource_version*."""
        if resource_version:
            await self._feeder.reached(versions.parse(resource_version))
        else:
            await self._feeder.current()
        return self._kinds[resource].cached(namespace, name)

    async def list(self, resource: Resource, namespace: str, options: ListOptions) -> ListResult:
        """List a namespace, or all of them where *namespace* is empty."""
        kind = self._kinds[resource]
        predicate = Predicate(resource, namespace, options)
        return await kind.lister.page(predicate, options)

    def watch(
        self, resource: Resource, namespace: str, options: ListOptions, name: str = ""
    ) -> AbstractAsyncContextManager[WatchStream]:
        """Watch a namespace, all of them where *namespace* is empty, or one object by *name*."""
        kind = self._kinds[resource]
        predicate = Predicate(resource, namespace, options, name=name)
        return kind.watches.open(predicate, options)

    # ------------------------------------------------------------------ writing

    async def create(
        self,
        resource: Resource,
        namespace: str,
        obj: Any,
        context: RequestContext,
        *,
        name: str = "",
        subresource: str = "",
    ) -> Stored:
        """Create *obj*; or, with *subresource*, carry it out on the object *name* and return that
        object."""
        kind = self._kinds[resource]
        if subresource:
            return await action.post(kind, namespace, name, subresource, obj, context)
        return await create.create(kind, namespace, obj, context)

    async def admit(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        subresource: str,
        obj: Any,
        context: RequestContext,
    ) -> None:
        """Have admission look at *obj*, posted to a subresource, that is not kept as such: a
        request for a token, an eviction. Raises ApiError."""
        kind = self._kinds[resource]
        attributes = kind.attributes(
            "CREATE", namespace, name, context, obj=obj, subresource=subresource
        )
        await kind.admit(attributes)
        await kind.validate_admission(attributes)

    async def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        obj: Any,
        context: RequestContext,
        *,
        subresource: str = "",
    ) -> Stored:
        """Replace the object. Where the kind allows it and there is none, it is created, and
        ``context.created`` set."""
        kind = self._kinds[resource]
        return await update.update(kind, namespace, name, obj, context, subresource=subresource)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Any,
        patch_type: str,
        context: RequestContext,
        *,
        subresource: str = "",
    ) -> Stored:
        """Apply *change*, a plain value; *patch_type* is its media type."""
        kind = self._kinds[resource]
        return await patch.patch(
            kind, namespace, name, change, patch_type, context, subresource=subresource
        )

    async def scale(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: scaling.Change,
        context: RequestContext,
    ) -> Stored:
        """Give the object as many replicas as *change* makes of its Scale."""
        from podium.registry.scaling import scale  # rarely asked for

        return await scale(self._kinds[resource], namespace, name, change, context)

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: DeleteOptions,
        context: RequestContext,
    ) -> DeleteResult:
        """Delete the object, or mark it where somebody has to finish with it first."""
        return await delete.delete(self._kinds[resource], namespace, name, options, context)

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str,
        options: DeleteOptions,
        list_options: ListOptions,
        context: RequestContext,
    ) -> ListResult:
        """Delete what a list with *list_options* shows; return that list."""
        kind = self._kinds[resource]
        predicate = Predicate(resource, namespace, list_options)
        return await delete.delete_collection(kind, predicate, options, list_options, context)

    def observe(self, resource: Resource, observer: Observer) -> None:
        """Tell *observer* of every object of *resource*, those that are there at once, as
        ``(resource, old, new)``: objects not to be changed, None for one that is not there."""
        for _, obj in self._kinds[resource].cache.objects():
            observer(resource, None, obj)
        self._observers.setdefault(resource, []).append(observer)

    def statistics(self) -> Iterator[Statistics]:
        for resource in self._caches.loaded():
            kind = self._kinds[resource]
            cache = kind.cache
            yield Statistics(resource, len(cache), cache.received, kind.watches.events_sent)

    def _forget(self, revision: int) -> None:
        self._caches.forget_before(revision)

    def _note(self, cache: WatchCache, change: Change) -> None:
        for observer in self._observers.get(cache.resource, ()):
            old, new = change.old, change.new
            observer(cache.resource, old.obj if old else None, new.obj if new else None)
        expiry = self._expiries.get(cache.resource)
        if expiry is not None:
            expiry.note(change)
