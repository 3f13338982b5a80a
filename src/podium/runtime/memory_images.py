"""The fake image service: some images are there, others can be pulled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from podium.kit.clock import Clock
from podium.runtime.image_port import AuthConfig, FilesystemUsage, Image
from podium.runtime.port import NotFound, RuntimeFailure


class MemoryImages:
    """``ImageService`` in memory: *present* images are there, *remote* ones can be pulled."""

    def __init__(
        self,
        clock: Clock,
        present: Sequence[str] = (),
        remote: Sequence[str] = (),
        pull_seconds: float = 0.0,
    ) -> None:
        self._clock, self._remote, self._pull_seconds = clock, set(remote), pull_seconds
        self._images = {name: _image(name) for name in present}
        #: What the registry asks for before it gives an image away.
        self.passwords: dict[str, str] = {}
        self.pulls: list[tuple[str, AuthConfig | None]] = []

    async def list_images(self) -> Sequence[Image]:
        return list(self._images.values())

    async def image_status(self, image: str) -> Image | None:
        by_id = {found.id: found for found in self._images.values()}
        return self._images.get(image) or by_id.get(image)

    async def pull_image(self, image: str, auth: AuthConfig | None = None) -> str:
        self.pulls.append((image, auth))
        if self._pull_seconds:
            await self._clock.sleep(self._pull_seconds)
        if self.passwords.get(image, "") not in ("", auth.password if auth else ""):
            raise RuntimeFailure(f'failed to pull and unpack image "{image}": denied')
        if image not in self._remote:
            text = f'failed to pull and unpack image "{image}": failed to resolve reference '
            raise NotFound(f'{text}"{image}": {image}: not found')
        self._images[image] = _image(image)
        return self._images[image].id

    async def remove_image(self, image: str) -> None:
        self._images = {
            name: found for name, found in self._images.items() if image not in (name, found.id)
        }

    def image_fs_mountpoint(self) -> str:
        return "/"

    async def image_fs_info(self) -> FilesystemUsage:
        return FilesystemUsage("/", 0, 0)

    def load(self, image: str) -> None:
        """Have *image* there without a pull."""
        self._images[image] = _image(image)

    def publish(self, image: str) -> None:
        """Make *image* one that can be pulled."""
        self._remote.add(image)


def _image(name: str) -> Image:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Image(f"sha256:{digest}", (name,), (f"{name.split(':')[0]}@sha256:{digest}",), 12272126)
