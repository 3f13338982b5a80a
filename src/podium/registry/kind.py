"""Everything the verbs need to serve one resource, and the storing that they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field  # noqa: TID251 - fields made of others
from typing import Any

import msgspec

from podium.api import codec, errors
from podium.api.scheme import IPADDRESSES, SERVICECIDRS, Resource
from podium.api.service_cidrs import is_managed, is_ready
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.kit.clock import Clock
from podium.registry import generate_name, keys
from podium.registry.admission.base import (
    AdmissionPlugin,
    Attributes,
    Operation,
    Reader,
    steps,
)
from podium.registry.admission.chain import Chain
from podium.registry.change import at_revision
from podium.registry.feeder import Feeder
from podium.registry.listing import Lister
from podium.registry.metrics import RegistryMetrics, StoreRequests
from podium.registry.strategies.base import Pool, Strategy
from podium.registry.types import RequestContext, Stored
from podium.registry.watch_cache import WatchCache
from podium.registry.watching import WatchOpener
from podium.store.port import Entry, Store

_NOTHING_TO_GIVE = nullcontext()


class Shared(msgspec.Struct, frozen=True, eq=False):
    """What all resources have in common."""

    store: Store
    feeder: Feeder
    clock: Clock
    admission: Sequence[AdmissionPlugin]
    reader: Reader
    service_cidr: str
    metrics: RegistryMetrics


@dataclass(frozen=True, eq=False)
class Kind:
    """One served resource."""

    shared: Shared
    resource: Resource
    cache: WatchCache
    lister: Lister = field(init=False)
    watches: WatchOpener = field(init=False)
    _admission: Chain = field(init=False)
    _validation: Chain = field(init=False)
    _requests: StoreRequests = field(init=False)
    _pool: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    @property
    def strategy(self) -> Strategy[Any]:
        return self.cache.strategy

    def __post_init__(self) -> None:
        shared = self.shared
        requests = shared.metrics.store_requests(self.resource)
        lister = Lister(shared.store, shared.feeder, self.cache, requests)
        watches = WatchOpener(shared.store, shared.feeder, self.cache, shared.clock)
        object.__setattr__(self, "lister", lister)
        object.__setattr__(self, "watches", watches)
        admit, validate = steps(shared.admission, self.resource)
        object.__setattr__(self, "_admission", Chain("admit", admit, shared.metrics))
        object.__setattr__(self, "_validation", Chain("validate", validate, shared.metrics))
        object.__setattr__(self, "_requests", requests)

    def key(self, namespace: str, name: str) -> str:
        return keys.key(self.resource, namespace, name)

    async def current(self, namespace: str, name: str) -> Stored | None:
        """Return the object as of now: every write acknowledged before is in it."""
        await self.shared.feeder.current()
        return self.cache.get(namespace, name)

    async def existing(self, namespace: str, name: str) -> Stored:
        """Like :meth:`current`. Raises ApiError (404)."""
        await self.shared.feeder.current()
        return self.cached(namespace, name)

    def cached(self, namespace: str, name: str) -> Stored:
        """Return the object as the cache has it. Raises ApiError (404)."""
        stored = self.cache.get(namespace, name)
        if stored is None:
            raise errors.not_found(self.resource, name)
        return stored

    # ------------------------------------------------------------------ storing

    async def store_new(self, key: str, obj: Any, *, dry_run: bool) -> Stored:
        """Raises KeyExists. A dry run does not look for the key."""
        value = self.cache.encode(obj)
        if dry_run:
            return Stored(key, codec.encode_stored(obj), 0, obj)
        self.cache.expect(value, obj)
        try:
            write = self.shared.store.create(key, value)
            return self._result(await self._requests.timed("create", write))
        finally:
            self.cache.forget(value)

    async def store_update(self, old: Stored, obj: Any, *, dry_run: bool) -> Stored:
        """Replace *old* by *obj*; nothing is written when it says the same.

        Raises RevisionMismatch.
        """
        shown = codec.encode_stored(obj)
        data = codec.stamp(shown, old.revision)
        if data == old.data:
            return old
        if dry_run:
            obj.metadata.resource_version = str(old.revision)
            return Stored(old.key, data, old.revision, obj)
        value = self.cache.encode(obj) if self.resource.view_of else shown
        self.cache.expect(value, obj)
        try:
            write = self.shared.store.update(old.key, value, old.revision)
            return self._result(await self._requests.timed("update", write))
        finally:
            self.cache.forget(value)

    async def store_delete(self, old: Stored, *, dry_run: bool) -> Stored:
        """Remove *old*; return it with the revision of the deletion. Raises RevisionMismatch."""
        if dry_run:
            return old
        write = self.shared.store.delete(old.key, old.revision)
        entry = await self._requests.timed("delete", write)
        return at_revision(old, entry.revision)

    def _result(self, entry: Entry) -> Stored:
        """Return what was just written: the cache's own, where it has not gone on already."""
        stored = self.cache.current(entry.key)
        if stored is not None and stored.revision == entry.revision:
            return stored
        return self.cache.stored(entry.key, entry.value, entry.revision)

    def allocated(self, obj: Any) -> AbstractAsyncContextManager[None]:
        """Give *obj* what it takes out of the kind's pool; store it before leaving.

        Raises ApiError where there is nothing to give.
        """
        return self._allocated(obj) if self.strategy.allocates else _NOTHING_TO_GIVE

    @asynccontextmanager
    async def _allocated(self, obj: Any) -> AsyncIterator[None]:
        async with self._pool:
            await self.shared.feeder.current()
            metadata = obj.metadata
            own = self.key(metadata.namespace, metadata.name)
            others = [other for key, other in self.cache.objects() if key != own]
            if found := self.strategy.allocate(obj, others, self._addresses()):
                raise errors.invalid(self.resource, metadata.name, found)
            yield

    def _addresses(self) -> Pool:
        own, known = self.shared.service_cidr, self.shared.reader.known
        ready = (cidr.spec.cidrs for cidr in known(SERVICECIDRS, "") if is_ready(cidr))
        cidrs = dict.fromkeys((own, *(text for texts in ready for text in texts)))
        # Those that the server keeps for Services are told by the Services themselves.
        taken = (one for one in known(IPADDRESSES, "") if not is_managed(one))
        return Pool(tuple(cidrs), frozenset(one.metadata.name for one in taken))

    # ------------------------------------------------------------------ admission

    def attributes(
        self,
        operation: Operation,
        namespace: str,
        name: str,
        context: RequestContext,
        *,
        obj: Any = None,
        old: Any = None,
        subresource: str = "",
        delete_options: DeleteOptions | None = None,
    ) -> Attributes:
        return Attributes(
            resource=self.resource,
            operation=operation,
            namespace=namespace,
            name=name,
            user=context.user,
            reader=self.shared.reader,
            obj=obj,
            old=old,
            subresource=subresource,
            random_suffix=generate_name.random_suffix() if operation == "CREATE" else "",
            delete_options=delete_options,
            dry_run=context.dry_run,
            warnings=context.warnings,
            now=self.shared.clock.now(),
        )

    async def admit(self, attributes: Attributes) -> None:
        await self._admission.run(attributes)

    async def validate_admission(self, attributes: Attributes) -> None:
        try:
            await self._validation.run(attributes)
        except BaseException:
            await attributes.over(None)
            raise


def match_namespace(metadata: ObjectMeta, namespace: str) -> None:
    """Put the request's namespace into an object that names none. Raises ApiError (400)."""
    if not namespace:
        metadata.namespace = ""
    elif not metadata.namespace:
        metadata.namespace = namespace
    elif metadata.namespace != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
