"""The watch caches by the resource and by the store's prefix, each made when it is needed first.

Most kinds have no objects in most clusters; nothing of them is loaded until somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podium.api.scheme import Resource
from podium.registry import keys
from podium.registry.strategies import strategy_for
from podium.registry.watch_cache import WatchCache


class Caches:
    """See the module's text. *filled_at*: as of which revision the feeder had read everything."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = {keys.prefix(resource): resource for resource in resources}
        self._caches: dict[str, WatchCache] = {}
        self.filled_at = 0
        self._forgotten = 0

    @property
    def prefixes(self) -> Iterable[str]:
        return self._resources.keys()

    def under(self, prefix: str) -> WatchCache | None:
        """Return the cache of what lies under *prefix*; None where no resource does."""
        found = self._caches.get(prefix)
        if found is None and prefix in self._resources:
            resource = self._resources[prefix]
            found = self._caches[prefix] = WatchCache(resource, strategy_for(resource))
            found.begin(self.filled_at)
            found.forget_before(self._forgotten)
        return found

    def loaded(self) -> Sequence[Resource]:
        """Return the resources that there is a cache of by now."""
        return [cache.resource for cache in self._caches.values()]

    def forget_before(self, revision: int) -> None:
        """Let no watch begin before *revision*, up to which the store was compacted."""
        self._forgotten = revision
        for cache in self._caches.values():
            cache.forget_before(revision)

    def of(self, resource: Resource) -> WatchCache:
        """Raises KeyError for a resource that is not served here."""
        found = self.under(keys.prefix(resource))
        if found is None or found.resource is not resource:
            raise KeyError(resource.qualified)
        return found
