"""Getting images for containers: pull policy, back-off, and the events about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from podium.api.types.core_v1 import Container, Pod, Secret
from podium.client.events import EventRecorder
from podium.domain.pods.backoff import FORGET_AFTER, image_back_off
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.containers import field_path
from podium.domain.pods.durations import go_duration
from podium.domain.pods.security import ImageUser
from podium.kit.clock import Clock
from podium.kit.threads import run_in_thread
from podium.kubelet.pull_queue import PullQueue
from podium.kubelet.pull_records import PullRecords
from podium.kubelet.pull_secrets import Credential, credentials
from podium.runtime.image_port import Image, ImageService
from podium.runtime.images.reference import InvalidReference, apply_default_tag
from podium.runtime.port import RuntimeFailure


class ImageReady(msgspec.Struct, frozen=True):
    """``user`` is the image's ``USER``."""

    id: str
    user: ImageUser
    #: IDs of the images that the container mounts, by the names of its volumes.
    volumes: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, image: Image) -> ImageReady:
        return cls(image.id, ImageUser(image.uid, image.username))


class ImageMissing(msgspec.Struct, frozen=True):
    """The image is not there; ``try_again`` says when another attempt may help."""

    waiting: Waiting
    try_again: datetime


ImageResult = ImageReady | ImageMissing


class _Failures(msgspec.Struct):
    count: int
    latest: datetime


class ImageManager:
    """Shared by all Pods; *at_once* images are pulled at the same time, any number if None."""

    def __init__(
        self,
        images: ImageService,
        events: EventRecorder,
        clock: Clock,
        records: PullRecords,
        at_once: int | None = None,
    ) -> None:
        self._images, self._events, self._clock = images, events, clock
        self._records = records
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._pulls = PullQueue(at_once, clock)

    async def settle(self) -> None:
        """Called at start: pulls that ended with the last kubelet and brought nothing never were.

        Otherwise an image that somebody loads later would count as pulled by nobody knows whom.
        Raises RuntimeFailure, OSError.
        """
        for pull in self._records.unfinished():
            if await self._brought_nothing(pull.image, pull.present):
                self._records.failed(pull.image)

    async def ensure(
        self, pod: Pod, container: Container, pull_secrets: Sequence[Secret]
    ) -> ImageResult:
        """Find or pull the image of *container*, and tell the user by events."""
        about = _Reporter(self._events, pod, container)
        try:
            name = apply_default_tag(container.image)
        except InvalidReference as exc:
            text = f'Failed to apply default image tag "{container.image}": {exc}'
            about.warning("InspectFailed", text)
            return self._missing(about, "InvalidImageName", text, 300.0)
        try:
            present = await self._images.image_status(name)
        except RuntimeFailure as exc:
            text = f'Failed to inspect image "{container.image}": {exc}'
            about.warning("InspectFailed", text)
            return self._missing(about, "ImageInspectError", text, 10.0)
        policy = container.image_pull_policy
        given = credentials(name, pull_secrets)
        usable = present is not None and policy != "Always"
        if present is not None and usable:
            names = present.repo_tags
            usable = not self._records.must_verify(name, present.id, given, names)
        if present is not None and usable:
            about.normal(
                "Pulled", f'Container image "{container.image}" already present on machine'
            )
            return ImageReady.of(present)
        if policy == "Never":
            text = f'Container image "{container.image}" is not present with pull policy of Never'
            if present is not None:
                text = (
                    f'Container image "{container.image}" is present with pull policy of Never but '
                    "does not have the proper credentials to access the image"
                )
            about.warning("ErrImageNeverPull", text)
            return self._missing(about, "ErrImageNeverPull", text, 10.0)
        return await self._pull(about, name, given)

    async def ensure_all(
        self, pod: Pod, container: Container, pull_secrets: Sequence[Secret]
    ) -> ImageResult:
        """Like :meth:`ensure`, with the images that the container mounts, all at once."""
        mounted = {mount.name for mount in container.volume_mounts}
        volumes = {
            volume.name: msgspec.structs.replace(
                container,
                image=volume.image.reference,
                image_pull_policy=volume.image.pull_policy,
            )
            for volume in pod.spec.volumes
            if volume.image is not None and volume.name in mounted
        }
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(self.ensure(pod, one, pull_secrets))
                for name, one in volumes.items()
            }
            own = await self.ensure(pod, container, pull_secrets)
        found: dict[str, str] = {}
        for name, task in tasks.items():
            result = task.result()
            if isinstance(result, ImageMissing):
                return own if isinstance(own, ImageMissing) else result
            found[name] = result.id
        return own if isinstance(own, ImageMissing) else replace(own, volumes=found)

    async def is_missing(self, container: Container) -> bool:
        """Whether the image of *container* will have to be pulled, whatever the registry says."""
        if container.image_pull_policy == "Never":
            return False
        try:
            name = apply_default_tag(container.image)
            return await self._images.image_status(name) is None
        except (InvalidReference, RuntimeFailure):
            return False

    async def has(self, image: ImageReady) -> bool:
        """Whether *image* is still there, with those that its container mounts."""
        try:
            found = [
                await self._images.image_status(one) for one in (image.id, *image.volumes.values())
            ]
        except RuntimeFailure:
            return True
        return None not in found

    def forget(self, uid: str) -> None:
        """Drop what is remembered of the pulls for a Pod that is gone."""
        self._failures = {key: value for key, value in self._failures.items() if key[0] != uid}

    async def _pull(self, about: _Reporter, name: str, given: Sequence[Credential]) -> ImageResult:
        image = about.container.image
        key = (about.pod.metadata.uid, image)
        until = self._back_off_until(key)
        if until is not None and until > self._clock.now():
            text = f'Back-off pulling image "{image}"'
            about.normal("BackOff", text)
            about.warning("Failed", "Error: ImagePullBackOff")
            return ImageMissing(Waiting("ImagePullBackOff", text), until)
        about.normal("Pulling", f'Pulling image "{image}"')
        asked = self._clock.monotonic()
        key_of_pull = (name, tuple(given))
        pull = await self._pulls.pull(key_of_pull, lambda: self._recorded(name, given))
        pulled = pull.outcome
        if isinstance(pulled, RuntimeFailure):
            text = pulled.rpc_error
            about.warning("Failed", f'Failed to pull image "{image}": {text}')
            about.warning("Failed", "Error: ErrImagePull")
            now = self._clock.now()
            count = self._failures[key].count + 1 if until is not None else 1
            self._failures[key] = _Failures(count, now)
            # The next look is a little later, so that both states can be seen, as upstream's.
            return ImageMissing(Waiting("ErrImagePull", text), now + timedelta(seconds=1))
        self._failures.pop(key, None)
        took, waited = pull.ended - pull.began, pull.ended - asked
        about.normal(
            "Pulled",
            f'Successfully pulled image "{image}" in {go_duration(took)} '
            f"({go_duration(max(took, waited))} including waiting). "
            f"Image size: {pulled.size} bytes.",
        )
        return ImageReady.of(pulled)

    async def _recorded(self, name: str, given: Sequence[Credential]) -> Image:
        """Pull an image, and note who may use it from now on. Raises RuntimeFailure."""
        found = await self._images.image_status(name)
        present = found.id if found is not None else ""
        try:
            await run_in_thread(lambda: self._records.begin(name, present))
            image, used = await self._attempt(name, given)
            await run_in_thread(lambda: self._records.succeeded(name, image.id, used))
            self._records.keep({found.id for found in await self._images.list_images()})
        except RuntimeFailure:
            self._records.failed(name)
            raise
        except asyncio.CancelledError:  # the Pod that it was for has gone
            await self._give_up(name, present)
            raise
        except OSError as exc:
            self._records.abandoned(name)
            raise RuntimeFailure(f"failed to record the pull: {exc}") from exc
        return image

    async def _give_up(self, name: str, present: str) -> None:
        """Note the end of a pull that nobody waits for. Where it cannot be told, nobody knows what
        the pull has brought."""
        over = self._records.abandoned
        try:
            with suppress(RuntimeFailure):
                if await self._brought_nothing(name, present):
                    over = self._records.failed
        finally:
            over(name)

    async def _brought_nothing(self, name: str, present: str) -> bool:
        """Whether there is nothing but what was *present* before a pull began."""
        found = await self._images.image_status(name)
        return found is None or found.id == present

    async def _attempt(
        self, name: str, given: Sequence[Credential]
    ) -> tuple[Image, Credential | None]:
        """Pull with each set of credentials there is for the registry, or without any."""
        failure: RuntimeFailure | None = None
        ways: Sequence[Credential | None] = given or (None,)
        for credential in ways:
            try:
                image_id = await self._images.pull_image(
                    name, credential.auth if credential else None
                )
            except RuntimeFailure as exc:
                failure = exc
                continue
            found = await self._images.image_status(image_id)
            if found is not None:
                return found, credential
            failure = RuntimeFailure(f"image {image_id} was removed right after its pull")
        assert failure is not None
        raise failure

    def _back_off_until(self, key: tuple[str, str]) -> datetime | None:
        failures = self._failures.get(key)
        if failures is None:
            return None
        if (self._clock.now() - failures.latest).total_seconds() > FORGET_AFTER:
            del self._failures[key]
            return None
        return failures.latest + timedelta(seconds=image_back_off(failures.count))

    def _missing(self, about: _Reporter, reason: str, text: str, seconds: float) -> ImageMissing:
        about.warning("Failed", f"Error: {reason}")
        return ImageMissing(Waiting(reason, text), self._clock.now() + timedelta(seconds=seconds))


class _Reporter:
    """Events about one container."""

    def __init__(self, events: EventRecorder, pod: Pod, container: Container) -> None:
        self._events, self.pod, self.container = events, pod, container
        self._path = field_path(pod, container.name)

    def normal(self, reason: str, message: str) -> None:
        self._events.event(self.pod, "Normal", reason, message, field_path=self._path)

    def warning(self, reason: str, message: str) -> None:
        self._events.event(self.pod, "Warning", reason, message, field_path=self._path)
