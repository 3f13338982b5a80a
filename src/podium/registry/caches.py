"""The watch caches by the resource and by the store's prefix, each made when it is needed first.

Most kinds have no objects in most clusters; nothing of them is loaded until somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podium.api.scheme import Resource
from podium.registry import keys
from podium.registry.views import ViewCache
from podium.registry.watch_cache import WatchCache


class Caches:
    """See the module's text. *filled_at*: as of which revision the feeder had read everything."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = {
            keys.prefix(resource): resource for resource in resources if not resource.view_of
        }
        self._caches: dict[str, WatchCache] = {}
        self._views: dict[str, list[ViewCache]] = {}
        self.filled_at = 0
        self._forgotten = 0
        #: The revision that all caches have reached.
        self.revision = 0

    def under(self, prefix: str) -> WatchCache | None:
        """Return the cache of what lies under *prefix*; None where no resource does."""
        found = self._caches.get(prefix)
        if found is None and prefix in self._resources:
            resource = self._resources[prefix]
            found = self._caches[prefix] = WatchCache(resource)
            found.begin(self.filled_at)
            found.forget_before(self._forgotten)
        return found

    def _view(self, resource: Resource) -> ViewCache:
        """Return the view's cache, made of what the stored kind's cache holds by now."""
        prefix = keys.prefix(resource)
        views = self._views.setdefault(prefix, [])
        found = next((view for view in views if view.resource is resource), None)
        if found is None:
            hub = self.under(prefix)
            if hub is None:
                raise KeyError(resource.qualified)
            found = ViewCache(resource)
            found.take_over(hub, self.revision)
            views.append(found)
        return found

    def views(self, prefix: str) -> Sequence[ViewCache]:
        """Return the views of what lies under *prefix* that anybody has asked for."""
        return self._views.get(prefix, ())

    def loaded(self) -> Sequence[Resource]:
        """Return the resources that there is a cache of by now."""
        return [cache.resource for cache in self._caches.values()]

    def forget_before(self, revision: int) -> None:
        """Let no watch begin before *revision*, up to which the store was compacted."""
        self._forgotten = revision
        views = (view for found in self._views.values() for view in found)
        for cache in (*self._caches.values(), *views):
            cache.forget_before(revision)

    def of(self, resource: Resource) -> WatchCache:
        """Raises KeyError for a resource that is not served here."""
        if resource.view_of is not None:
            return self._view(resource)
        found = self.under(keys.prefix(resource))
        if found is None or found.resource is not resource:
            raise KeyError(resource.qualified)
        return found
