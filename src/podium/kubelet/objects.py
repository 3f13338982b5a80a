"""The ConfigMaps and Secrets that Pods on this node refer to, watched one by one.

As upstream's watch-based manager does it: an object is watched from the first Pod that refers to
it. Once the last is gone, the watch that is there may last for a while, because Pods of the same
kind tend to follow each other; nothing is asked again, as the node may no longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from podium.api import scheme
from podium.api.scheme import Resource
from podium.api.types.core_v1 import ConfigMap, Pod, Secret
from podium.client.client import Client
from podium.client.informer import Informer
from podium.domain.pods.containers import every_container
from podium.kit.clock import Clock

#: Seconds that an object without users is watched on.
LINGER = 60.0

Key = tuple[Resource, str, str]


class _Watched(msgspec.Struct):
    informer: Informer[Any]
    task: asyncio.Task[None] | None = None
    users: set[str] = msgspec.field(default_factory=set)
    idle_since: float = 0.0


class ObjectStore:
    """Use :meth:`run` as a task; ``wake(uid)`` is called when an object that a Pod uses changes."""

    def __init__(self, client: Client, clock: Clock, wake: Callable[[str], None]) -> None:
        self._client, self._clock, self._wake = client, clock, wake
        self._watched: dict[Key, _Watched] = {}
        self._group: asyncio.TaskGroup | None = None
        self._idle = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                await self._idle.wait()
                self._idle.clear()
                await self._clock.sleep(LINGER)
                self._drop_unused()

    def use(self, pod: Pod) -> None:
        """Begin to watch what *pod* refers to, and stop for it what it refers to no more."""
        wanted = set(references(pod))
        self._release(pod.metadata.uid, wanted)
        for key in wanted:
            watched = self._watched.get(key)
            if watched is None:
                watched = self._watch(key)
            watched.users.add(pod.metadata.uid)

    def release(self, uid: str) -> None:
        """Forget that the Pod *uid* uses anything."""
        self._release(uid, set())

    async def ready(self, pod: Pod) -> None:
        """Wait until all that *pod* refers to is known to be there or not."""
        for key in references(pod):
            await self._watched[key].informer.synced.wait()

    def known(self, pod: Pod) -> bool:
        """Whether :meth:`ready` would return at once."""
        return all(self._watched[key].informer.synced.is_set() for key in references(pod))

    def versions(self, pod: Pod) -> tuple[object, ...]:
        """A value that changes when something does that *pod* refers to."""
        found = (self._get(key) for key in references(pod))
        return tuple(obj and (obj.metadata.uid, obj.metadata.resource_version) for obj in found)

    def config_map(self, namespace: str, name: str) -> ConfigMap | None:
        found: ConfigMap | None = self._get((scheme.CONFIGMAPS, namespace, name))
        return found

    def secret(self, namespace: str, name: str) -> Secret | None:
        found: Secret | None = self._get((scheme.SECRETS, namespace, name))
        return found

    def _get(self, key: Key) -> Any:
        watched = self._watched.get(key)
        return watched.informer.get(key[1], key[2]) if watched else None

    def _watch(self, key: Key) -> _Watched:
        resource, namespace, name = key
        assert self._group is not None, "run() is not running"
        informer: Informer[Any] = Informer(
            self._client,
            resource,
            namespace=namespace,
            field_selector=f"metadata.name={name}",
            clock=self._clock,
        )
        watched = self._watched[key] = _Watched(informer)
        informer.on_change(lambda _old, _new: self._changed(watched))
        name = f"{resource.kind} {namespace}/{name}"
        watched.task = self._group.create_task(self._keep(key, watched), name=name)
        return watched

    async def _keep(self, key: Key, watched: _Watched) -> None:
        """Watch as long as somebody uses it; for no longer than LINGER after that."""
        await watched.informer.run(lambda: bool(watched.users))
        del self._watched[key]

    def _changed(self, watched: _Watched) -> None:
        if watched.informer.synced.is_set():  # the first list is waited for, not reacted to
            for uid in watched.users:
                self._wake(uid)

    def _release(self, uid: str, keep: set[Key]) -> None:
        for key, watched in self._watched.items():
            if key not in keep and uid in watched.users:
                watched.users.discard(uid)
                if not watched.users:
                    watched.idle_since = self._clock.monotonic()
                    self._idle.set()

    def _drop_unused(self) -> None:
        now = self._clock.monotonic()
        for key, watched in list(self._watched.items()):
            if watched.users:
                continue
            if now - watched.idle_since >= LINGER:
                if watched.task is not None:
                    watched.task.cancel()
                del self._watched[key]
            else:
                self._idle.set()


def references(pod: Pod) -> Iterator[Key]:
    """Yield the ConfigMaps and Secrets that a Pod's environment, mounted volumes and image pulls
    need."""
    namespace = pod.metadata.namespace
    for resource, name in _names(pod):
        if name:
            yield resource, namespace, name


def _names(pod: Pod) -> Iterator[tuple[Resource, str]]:
    for secret in pod.spec.image_pull_secrets:
        yield scheme.SECRETS, secret.name
    for container in every_container(pod):
        for source in container.env_from:
            if source.config_map_ref:
                yield scheme.CONFIGMAPS, source.config_map_ref.name
            if source.secret_ref:
                yield scheme.SECRETS, source.secret_ref.name
        for entry in container.env:
            if entry.value_from and entry.value_from.config_map_key_ref:
                yield scheme.CONFIGMAPS, entry.value_from.config_map_key_ref.name
            if entry.value_from and entry.value_from.secret_key_ref:
                yield scheme.SECRETS, entry.value_from.secret_key_ref.name
    for volume in mounted_volumes(pod):
        if volume.config_map:
            yield scheme.CONFIGMAPS, volume.config_map.name
        if volume.secret:
            yield scheme.SECRETS, volume.secret.secret_name
        for projection in volume.projected.sources if volume.projected else ():
            if projection.config_map:
                yield scheme.CONFIGMAPS, projection.config_map.name
            if projection.secret:
                yield scheme.SECRETS, projection.secret.name


def mounted_volumes(pod: Pod) -> Iterator[Any]:
    """Yield the volumes that some container mounts; the others are not set up, as upstream."""
    names = {mount.name for c in every_container(pod) for mount in c.volume_mounts}
    return (volume for volume in pod.spec.volumes if volume.name in names)
