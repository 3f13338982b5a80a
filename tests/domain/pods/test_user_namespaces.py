from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.pods.user_namespaces import UNIT, IdRanges, NoRange, parse_subids


def test_by_default_all_ids_but_the_nodes_own():
    ranges = IdRanges.default()
    assert (ranges.first, ranges.length, ranges.count) == (65536, 65536, 65535)
    assert ranges.choose((), lambda below: below - 1) == 2**32 - 65536


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 19), st.sets(st.integers(0, 19)))
def test_a_range_is_never_given_twice(first, count, start, taken):
    ranges = IdRanges.within(first * UNIT, count * UNIT)
    used = {(first + number) * UNIT for number in taken if number < count}
    if len(used) == count:
        with pytest.raises(NoRange, match="could not find an empty slot"):
            ranges.choose(used, lambda below: start % below)
        return
    chosen = ranges.choose(used, lambda below: start % below)
    assert chosen not in used
    assert first * UNIT <= chosen < (first + count) * UNIT
    assert chosen % UNIT == 0


@pytest.mark.parametrize(
    ("first", "total", "length", "pods", "text"),
    [
        (65536, 65536, 1000, 0, "length 1000 is not a multiple of 65536"),
        (65537, 65536, 65536, 0, "first ID 65537 is not a multiple of 65536"),
        (65536, 65537, 65536, 0, "total 65537 is not a multiple of 65536"),
        (0, 65536, 65536, 0, "first ID 0 is not"),
        (65536, 65536 * 10, 65536, 110, "655360 IDs are not enough for 110 Pods"),
    ],
)
def test_ranges_that_cannot_be(first, total, length, pods, text):
    with pytest.raises(NoRange, match=text):
        IdRanges.within(first, total, length, pods=pods)


def test_what_the_machine_has_set_aside():
    assert parse_subids("0: kubelet 65536 2147483648\n") == (65536, 2147483648)
    for text in ("", "0: kubelet 1 2\n1: kubelet 3 4\n", "0: kubelet one two"):
        with pytest.raises(NoRange, match="one range"):
            parse_subids(text)
