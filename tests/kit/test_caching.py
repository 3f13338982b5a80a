"""Answers that are remembered by a text."""

from __future__ import annotations

from podium.kit.caching import remembered


def test_short_texts_are_remembered_and_long_ones_worked_out_anew() -> None:
    asked: list[str] = []

    @remembered(2, longest=3)
    def size(text: str, factor: int = 1) -> int:
        """Say how long it is."""
        asked.append(text)
        return len(text) * factor

    for text in ("a", "a", "long", "long", "b", "c", "a"):
        assert size(text) == len(text)
    assert asked == ["a", "long", "long", "b", "c", "a"]  # of two, the last are remembered
    assert size("a", 2) == 2
    assert size.__doc__ == "Say how long it is."
