"""Kinds that are a second view of another: stored as that one, shown and taken as themselves.

A module of ``podium.api.views`` for each says how one becomes the other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec

from podium.api import codec
from podium.api.scheme import Resource
from podium.registry.types import Stored
from podium.registry.watch_cache import WatchCache


class ViewCache(WatchCache):
    """The objects of another kind's cache as they look in this view."""

    def __init__(self, resource: Resource) -> None:
        hub = resource.view_of
        assert hub is not None
        super().__init__(resource)
        self._hub = hub
        module = import_module(f"podium.api.views.{resource.strategy}")
        self._from_hub, self._to_hub = module.from_hub, module.to_hub

    def encode(self, obj: Any) -> bytes:
        return codec.encode_stored(self._to_hub(obj))

    def decode(self, value: bytes) -> Any:
        return self._from_hub(codec.decode_stored(self._hub.type, value))

    def stored(self, key: str, value: bytes, revision: int) -> Stored:
        obj = self._expected.get(id(value))
        if obj is None:
            obj = self.decode(value)
        obj.metadata.resource_version = str(revision)
        return self._shown(key, revision, obj)

    def seen(self, stored: Stored) -> Stored:
        """Return what the cache of the stored kind holds, in this view."""
        obj = self._from_hub(stored.obj)
        obj.metadata = msgspec.structs.replace(obj.metadata, resource_version=str(stored.revision))
        return self._shown(stored.key, stored.revision, obj)

    def _shown(self, key: str, revision: int, obj: Any) -> Stored:
        """Written as the objects of other caches are: what is the same has the same bytes."""
        return self._held(key, codec.stamp(codec.encode_stored(obj), revision), revision, obj)

    def take_over(self, hub: WatchCache, revision: int) -> None:
        """Begin with what *hub* holds as of *revision*."""
        for stored in hub.everything():
            self._put(self.seen(stored))
        self.begin(revision)
