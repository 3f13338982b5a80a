"""What the runtime needs of an image: its layers, its configuration and its names.

``podium.runtime.images`` implements the protocol; the field names of the configuration are those of
the OCI image specification's ``config`` object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The part of an image's configuration that says how to run it."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Sequence[str] = ()  #: ``NAME=value``
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""


@dataclass(frozen=True, slots=True)
class ImageRootfsInfo:
    """Where an image's unpacked layers are, the topmost first, and its configuration."""

    layers: Sequence[Path]
    config: ImageConfig


@dataclass(frozen=True, slots=True)
class ImageNames:
    """An image's first tag and first ``repository@sha256:…``; empty where it has none."""

    tag: str = ""
    digest: str = ""


class ImageRootfs(Protocol):
    """Unpacked images, by ID. Both calls are cheap: they read no layer."""

    def rootfs(self, image_id: str) -> ImageRootfsInfo:
        """Raises ``podium.runtime.port.NotFound``."""
        ...

    def image_names(self, image_id: str) -> ImageNames:
        """Raises ``podium.runtime.port.NotFound``."""
        ...
