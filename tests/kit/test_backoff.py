from __future__ import annotations

from podium.kit.backoff import Backoff, delay_after


def test_delays_double_up_to_the_maximum_and_start_over_after_a_success():
    backoff = Backoff(initial=1, maximum=10)
    assert [backoff.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 1


def test_jitter_stretches_by_at_most_its_share():
    assert Backoff(initial=2, maximum=10, jitter=0.5, random=lambda: 0.0).next() == 2
    assert Backoff(initial=2, maximum=10, jitter=0.5, random=lambda: 1.0).next() == 3


def test_no_number_of_failures_is_too_many():
    assert delay_after(100_000, 0.005, 1000) == 1000
