"""The objects an informer knows, found by name, by namespace and by indexes of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from podium.client.delta import Change, Key, key_of

T = TypeVar("T")

IndexFunction = Callable[[T], Iterable[str]]


class Cache(Generic[T]):
    """Objects by key. They belong to everybody who reads them: treat them as immutable."""

    def __init__(self) -> None:
        self._objects: dict[Key, T] = {}
        self._functions: dict[str, IndexFunction[T]] = {}
        self._indexes: dict[str, dict[str, dict[Key, T]]] = {}
        self.add_index("namespace", lambda obj: (obj.metadata.namespace,))  # type: ignore[attr-defined]

    @property
    def objects(self) -> Mapping[Key, T]:
        return self._objects

    def add_index(self, name: str, function: IndexFunction[T]) -> None:
        """Keep objects findable by the values that *function* returns for each."""
        self._functions[name] = function
        self._indexes[name] = {}
        for key, obj in self._objects.items():
            self._enter(name, key, obj)

    def get(self, namespace: str, name: str) -> T | None:
        return self._objects.get(Key(namespace, name))

    def find(self, index: str, value: str) -> list[T]:
        """Return the objects for which the index's function returned *value*."""
        return list(self._indexes[index].get(value, {}).values())

    def apply(self, change: Change) -> None:
        old: Any = change.old
        new: Any = change.new
        if old is not None:
            key = key_of(old)
            self._objects.pop(key, None)
            for name in self._functions:
                self._leave(name, key, old)
        if new is not None:
            key = key_of(new)
            self._objects[key] = new
            for name in self._functions:
                self._enter(name, key, new)

    def _enter(self, name: str, key: Key, obj: T) -> None:
        index = self._indexes[name]
        for value in self._functions[name](obj):
            index.setdefault(value, {})[key] = obj

    def _leave(self, name: str, key: Key, obj: T) -> None:
        index = self._indexes[name]
        for value in self._functions[name](obj):
            entries = index.get(value)
            if entries is not None:
                entries.pop(key, None)
                if not entries:
                    del index[value]
