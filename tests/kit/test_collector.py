"""When the garbage collector looks."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from podium.kit import collector


@pytest.fixture
def looks() -> Iterator[list[int]]:
    """The generations that the collector has looked at."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    before = gc.get_threshold()
    gc.collect()
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*before)


def test_what_some_requests_hold_at_a_time_is_not_looked_through(looks: list[int]) -> None:
    collector.seldom()
    for _ in range(20):
        under_way = [[each] for each in range(5_000)]
        assert len(under_way) == 5_000
        del under_way
    assert looks == []


def test_what_stays_is_looked_through_in_the_end(looks: list[int]) -> None:
    collector.seldom()
    held = [[each] for each in range(100_000)]
    assert len(held) == 100_000
    assert looks


def test_what_comes_to_stay_is_not_looked_through_while_it_comes(looks: list[int]) -> None:
    try:
        with collector.paused():
            held = [[each] for each in range(100_000)]
        assert len(held) == 100_000
        assert looks == []
    finally:
        gc.unfreeze()
