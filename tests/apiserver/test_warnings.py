"""How much of its warnings an answer tells."""

from __future__ import annotations

import pytest

from podium.apiserver import warnings


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["a", "b", "a", ""], ['299 - "a"', '299 - "b"'], id="each-once"),
        pytest.param(['say "\\"\n'], ['299 - "say \\"\\\\\\""'], id="quoted"),
    ],
)
def test_values(texts, values):
    assert warnings.headers(texts) == values


def test_few_are_told_whole():
    assert len(warnings.headers(["x" * 4096])[0]) == 4096 + len('299 - ""')


def test_many_are_cut_short_and_end():
    values = warnings.headers(f"{number:04}" + "x" * 1000 for number in range(1000))
    assert {len(value) for value in values} == {256 + len('299 - ""')}
    assert len(values) == 16
