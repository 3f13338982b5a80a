"""What the runtime needs of an image: its layers, its configuration and its names.

``podium.runtime.images`` implements the protocol; the field names of the configuration are those of
the OCI image specification's ``config`` object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from podium.runtime.image_port import Image


class ImageConfig(Protocol):
    """The part of an image's configuration that says how to run it."""

    @property
    def entrypoint(self) -> Sequence[str]: ...
    @property
    def cmd(self) -> Sequence[str]: ...
    @property
    def env(self) -> Sequence[str]:
        """``NAME=value``."""
        ...

    @property
    def working_dir(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def stop_signal(self) -> str: ...


class ImageRootfs(Protocol):
    """Unpacked images, by ID. What is not awaited is cheap: it reads no layer."""

    def layers(self, image_id: str) -> Sequence[str]:
        """Return the layers' directories, the uppermost first, all in one directory.

        Raises ``podium.runtime.port.NotFound``.
        """
        ...

    def config(self, image_id: str) -> ImageConfig:
        """Raises ``podium.runtime.port.NotFound``."""
        ...

    def hold(self, image_id: str, container_id: str) -> None:
        """Keep the image's layers until the container releases them. Repeatable."""
        ...

    def release(self, container_id: str) -> None:
        """Undo ``hold``. Repeatable; unknown containers are fine."""
        ...

    async def image_status(self, image: str) -> Image | None: ...
