"""The image service as a port: ``runtime.v1.ImageService`` of CRI, as Python. See ``port``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Image(msgspec.Struct, frozen=True):
    id: str  #: ``sha256:…`` of its configuration
    repo_tags: Sequence[str]
    repo_digests: Sequence[str]
    size: int
    username: str = ""
    uid: int | None = None
    pinned: bool = False


class AuthConfig(msgspec.Struct, frozen=True):
    """Registry credentials, of an imagePullSecret or the node's configuration."""

    username: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"AuthConfig(username={self.username!r})"


class FilesystemUsage(msgspec.Struct, frozen=True):
    mountpoint: str
    used_bytes: int
    inodes_used: int


class ImageService(Protocol):
    """``runtime.v1.ImageService``."""

    async def list_images(self) -> Sequence[Image]: ...

    async def image_status(self, image: str) -> Image | None:
        """Find an image by name, ``name@digest`` or ID; names are normalised as Docker does."""
        ...

    async def pull_image(self, image: str, auth: AuthConfig | None = None) -> str:
        """Fetch an image; return its ID. Raises RuntimeFailure with containerd's wording."""
        ...

    async def remove_image(self, image: str) -> None:
        """Forget a name, or the image when given its ID. Unknown images are fine."""
        ...

    async def image_fs_info(self) -> FilesystemUsage:
        """What images take, counted now."""
        ...

    def image_fs_mountpoint(self) -> str:
        """A path on the file system that images lie on."""
        ...
