from __future__ import annotations

import pytest

from podium.domain.image_garbage import Disk, KnownImage, noted, removable, too_old


def test_what_a_look_teaches():
    before = {"a": KnownImage("a", 1, 10.0, 50.0), "gone": KnownImage("gone", 1, 0.0)}
    present = [("a", 2, False), ("b", 3, True), ("c", 4, False)]
    assert noted(before, present, ["c"], 100.0, 99.0) == {
        "a": KnownImage("a", 2, 10.0, 50.0),
        "b": KnownImage("b", 3, 99.0, None, pinned=True),
        "c": KnownImage("c", 4, 99.0, 100.0),
    }


def test_the_longest_unused_goes_first_and_what_is_used_pinned_or_young_stays():
    images = [
        KnownImage("used", 1, 0.0, 1000.0),
        KnownImage("young", 1, 900.0),
        KnownImage("pinned", 1, 0.0, pinned=True),
        KnownImage("recent", 1, 0.0, 500.0),
        KnownImage("never", 1, 5.0),
        KnownImage("never-older", 1, 1.0),
    ]
    found = removable(images, 1000.0, 120.0)
    assert [image.id for image in found] == ["never-older", "never", "recent"]
    assert [image.id for image in too_old(found, 1000.0, 600.0)] == ["never-older", "never"]


@pytest.mark.parametrize(
    ("available", "percent", "to_free"),
    [(0, 100, 200), (149, 86, 51), (150, 85, 50), (1200, 0, -800)],
)
def test_how_full_a_disk_is(available, percent, to_free):
    disk = Disk("/", 1000, available)
    assert (disk.used_percent, disk.to_free(80)) == (percent, to_free)
