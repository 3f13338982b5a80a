"""Which images there are and what they are called: one small file, changed as a whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from podium.runtime.images import reference
from podium.runtime.images.reference import InvalidReference


class ImageRecord(msgspec.Struct, frozen=True):
    """An image that is complete on disk."""

    size: int  #: bytes as a registry holds it: manifest, configuration and compressed layers
    layers: Sequence[str]  #: names of the layers' directories, the uppermost first


class ImageIndex(msgspec.Struct, frozen=True):
    """Images by their ID, and IDs by every name: ``repository:tag`` and ``repository@digest``.

    A value: each change returns a new one.
    """

    images: Mapping[str, ImageRecord] = {}
    names: Mapping[str, str] = {}

    def resolve(self, text: str) -> str | None:
        """Return the ID of the image that *text* (a name, an ID, or an unambiguous beginning of
        one's digits, as the container runtimes take it) means, None without one."""
        if text in self.images:
            return text
        if f"sha256:{text}" in self.images:
            return f"sha256:{text}"
        try:
            named = self.names.get(str(reference.parse(text)))
        except InvalidReference:
            named = None
        return named or self._by_prefix(text.removeprefix("sha256:"))

    def name_of(self, text: str) -> str:
        """Return *text* normalised when it is a name in here; empty for IDs and strangers."""
        if text in self.images:
            return ""
        try:
            name = str(reference.parse(text))
        except InvalidReference:
            return ""
        return name if name in self.names else ""

    def tags(self, image_id: str) -> list[str]:
        return sorted(n for n, i in self.names.items() if i == image_id and "@" not in n)

    def digests(self, image_id: str) -> list[str]:
        return sorted(n for n, i in self.names.items() if i == image_id and "@" in n)

    def with_image(self, image_id: str, record: ImageRecord, names: Sequence[str]) -> ImageIndex:
        """Add an image under *names*; they are taken away from whatever had them."""
        return ImageIndex(
            {**self.images, image_id: record}, {**self.names, **dict.fromkeys(names, image_id)}
        )

    def without_image(self, image_id: str) -> ImageIndex:
        return ImageIndex(
            {i: record for i, record in self.images.items() if i != image_id},
            {name: i for name, i in self.names.items() if i != image_id},
        )

    def without_name(self, name: str) -> ImageIndex:
        """Take *name* away; an image without a tag goes with its last one."""
        image_id = self.names.get(name)
        if image_id is None:
            return self
        left = ImageIndex(self.images, {n: i for n, i in self.names.items() if n != name})
        if left.tags(image_id) or ("@" in name and left.digests(image_id)):
            return left
        return left.without_image(image_id)

    def _by_prefix(self, digits: str) -> str | None:
        if len(digits) < 4 or digits.strip("0123456789abcdef"):
            return None
        found = [i for i in self.images if i.startswith(f"sha256:{digits}")]
        return found[0] if len(found) == 1 else None
