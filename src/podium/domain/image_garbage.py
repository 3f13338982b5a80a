"""Which images a node may do without, in what order they go. Pure.

Follows ``pkg/kubelet/images/image_gc_manager.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class KnownImage(msgspec.Struct, frozen=True):
    """Moments in seconds; ``last_used`` is None for one that never was, as far as is known."""

    id: str
    size: int
    first_seen: float
    last_used: float | None = None
    pinned: bool = False


class Disk(msgspec.Struct, frozen=True):
    """What images are kept on, in bytes."""

    mountpoint: str
    capacity: int
    available: int

    @property
    def used_percent(self) -> int:
        return 100 - min(self.available, self.capacity) * 100 // self.capacity

    def to_free(self, low_percent: int) -> int:
        """How many bytes are too many for no more than *low_percent* to be in use."""
        return self.capacity * (100 - low_percent) // 100 - min(self.available, self.capacity)


def noted(
    known: Mapping[str, KnownImage],
    present: Iterable[tuple[str, int, bool]],
    used: Iterable[str],
    now: float,
    first_seen: float,
) -> dict[str, KnownImage]:
    """Return what is known after a look: *present* are IDs, sizes, and whether they are pinned;
    *first_seen* counts for those that are new."""
    in_use = set(used)
    found = {}
    for image_id, size, pinned in present:
        before = known.get(image_id)
        found[image_id] = KnownImage(
            image_id,
            size,
            before.first_seen if before else first_seen,
            now if image_id in in_use else before.last_used if before else None,
            pinned,
        )
    return found


def removable(known: Iterable[KnownImage], now: float, minimum_age: float) -> list[KnownImage]:
    """Return the images that nobody uses at *now* and that are old enough, those first that have
    not been used for longest."""
    unused = (
        image
        for image in known
        if not image.pinned and image.last_used != now and now - image.first_seen >= minimum_age
    )
    return sorted(unused, key=lambda image: (image.last_used or 0.0, image.first_seen, image.id))


def too_old(images: Iterable[KnownImage], now: float, maximum_age: float) -> list[KnownImage]:
    """Return those of the removable *images* that nobody has used for *maximum_age*."""
    return [image for image in images if now - (image.last_used or 0.0) >= maximum_age]
