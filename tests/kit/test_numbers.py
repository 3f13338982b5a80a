"""kit.numbers: what is a number, and what is none."""

from __future__ import annotations

import pytest

from podium.kit.numbers import number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("255", 255),
        ("0" * 5000 + "7", 7),
        ("0" * 5000, 0),
        ("256", None),
        ("9" * 5000, None),
        ("", None),
        ("-1", None),
        (" 1", None),
        ("1_0", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_numbers(text: str, expected: int | None):
    assert number(text, 255) == expected
