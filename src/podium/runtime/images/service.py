"""The node's images: ``ImageService`` of the port, and what the OCI runtime mounts from."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from podium.kit.clock import Clock, SystemClock
from podium.kit.numbers import number
from podium.kit.threads import run_in_thread
from podium.runtime.image_port import AuthConfig, FilesystemUsage, Image
from podium.runtime.images import reference
from podium.runtime.images.index import ImageIndex
from podium.runtime.images.reference import InvalidReference, Reference, quote
from podium.runtime.images.registries import Registries
from podium.runtime.images.spec import ImageConfig
from podium.runtime.images.store import ImageStore
from podium.runtime.port import RuntimeFailure

if TYPE_CHECKING:
    from podium.runtime.images.pull import PullProgress

logger = logging.getLogger(__name__)

#: As containerd reads them; more is a name.
_LARGEST_UID = 2**63 - 1


class LocalImageService:
    """Images below *root*, pulled as *registries* says.

    Other processes may load, pull and remove images in the same place at any time; what they did
    shows at the next call. Making one creates the directories and tidies up after a crash; it
    raises OSError where that cannot be.
    """

    def __init__(
        self,
        root: Path | str,
        registries: Registries | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.store = ImageStore(root)
        self.store.open()
        self._registries = registries or Registries()
        self._clock = clock or SystemClock()
        self._pulling: dict[str, tuple[asyncio.Lock, int]] = {}
        self._usage: dict[str, tuple[int, int]] = {}
        self._damaged: set[str] = set()  #: images of which that has been told

    # ImageService

    async def list_images(self) -> Sequence[Image]:
        index = self.store.index()
        usable = (image_id for image_id in sorted(index.images) if self._is_usable(image_id))
        return [self._image(index, image_id) for image_id in usable]

    async def image_status(self, image: str) -> Image | None:
        index = self.store.index()
        image_id = index.resolve(image)
        if image_id is None or not self._is_usable(image_id):
            return None
        return self._image(index, image_id)

    async def pull_image(
        self,
        image: str,
        auth: AuthConfig | None = None,
        *,
        progress: PullProgress | None = None,
    ) -> str:
        from podium.runtime.images.pull import Puller  # the HTTP client is for pulls alone

        wanted = _parse(image)
        puller = Puller(self.store, self._registries, self._clock)
        async with self._one_at_a_time(str(wanted)):
            return await puller.pull(wanted, auth, progress)

    async def remove_image(self, image: str) -> None:
        index = self.store.index()
        image_id = index.resolve(image)
        if image_id is None:
            return
        name = index.name_of(image)
        if name:
            change = partial(ImageIndex.without_name, name=name)
        else:
            change = partial(ImageIndex.without_image, image_id=image_id)
        await run_in_thread(partial(self.store.change, change))
        await run_in_thread(self.store.collect)

    def image_fs_mountpoint(self) -> str:
        return str(self.store.root)

    async def image_fs_info(self) -> FilesystemUsage:
        """Return what the unpacked layers take; measured once for each layer."""
        return await run_in_thread(self._measure)

    # For the runtime

    @property
    def layers_dir(self) -> Path:
        """Where all layers lie side by side."""
        return self.store.layers_dir

    def layers(self, image_id: str) -> tuple[str, ...]:
        """Return the directories that the image is stacked from, the uppermost first; at least
        one. They are never written to. Raises NotFound."""
        return self.store.layers(image_id)

    def config(self, image_id: str) -> ImageConfig:
        """Return what the image says about running it. Raises NotFound."""
        return self.store.config(image_id)

    def hold(self, image_id: str, container_id: str) -> None:
        """Keep the layers until :meth:`release`, whoever removes the image. Raises NotFound."""
        self.store.hold(image_id, container_id)

    def release(self, container_id: str) -> None:
        """The container is gone. Repeatable; unknown ones are fine."""
        self.store.release(container_id)

    def _is_usable(self, image_id: str) -> bool:
        """Whether an image counts: one that is damaged is as good as not there, and must not keep
        the node from telling of the others."""
        if self.store.is_usable(image_id):
            return True
        if image_id not in self._damaged:
            self._damaged.add(image_id)
            logger.warning("an image is damaged, or has just been removed", extra={"id": image_id})
        return False

    def _image(self, index: ImageIndex, image_id: str) -> Image:
        user = self.store.config(image_id).user.partition(":")[0]
        uid = number(user, _LARGEST_UID)
        return Image(
            id=image_id,
            repo_tags=index.tags(image_id),
            repo_digests=index.digests(image_id),
            size=index.images[image_id].size,
            username=user if uid is None else "",
            uid=uid,
        )

    @asynccontextmanager
    async def _one_at_a_time(self, name: str) -> AsyncIterator[None]:
        """Let the second pull of the same name wait for the first, and find its work done."""
        lock, users = self._pulling.get(name, (asyncio.Lock(), 0))
        self._pulling[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            users = self._pulling[name][1] - 1
            if users:
                self._pulling[name] = (lock, users)
            else:
                del self._pulling[name]

    def _measure(self) -> FilesystemUsage:
        index = self.store.index()
        names = {name for record in index.images.values() for name in record.layers}
        self._usage = {
            name: self._usage.get(name) or _usage(self.store.layer_path(name)) for name in names
        }
        return FilesystemUsage(
            mountpoint=str(self.store.root),
            used_bytes=sum(used for used, _ in self._usage.values()),
            inodes_used=sum(inodes for _, inodes in self._usage.values()),
        )


def _parse(image: str) -> Reference:
    try:
        return reference.parse(image)
    except InvalidReference as exc:
        text = f"failed to parse image reference {quote(image)}: {exc}"
        raise RuntimeFailure(text, "InvalidArgument") from None


def _usage(directory: str) -> tuple[int, int]:
    """Return the bytes on disk and the inodes of a tree; hard links count once."""
    seen: set[int] = set()
    used = 0
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files, "."):
            status = os.lstat(os.path.join(parent, name))
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                used += status.st_blocks * 512
    return used, len(seen)
