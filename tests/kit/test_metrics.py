"""Families as prometheus_client prints them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from podium.kit.metrics import Families


def text_of(families: Families) -> list[str]:
    registry = CollectorRegistry()
    registry.register(families)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_counter_is_shown_with_total():
    families = Families()
    counter = families.counter("things", "Things.", ("kind",))
    counter.inc("a")
    counter.inc("a", by=2)
    counter.inc("b")
    assert text_of(families) == ['things_total{kind="a"} 3.0', 'things_total{kind="b"} 1.0']


def test_a_gauge_asks_its_source_when_it_is_read():
    families = Families()
    gauge = families.gauge("depth", "Depth.", ("queue",))
    gauge.set(5, "a")
    gauge.add(-2, "a")
    gauge.source = lambda: {("b",): 7.0}
    assert text_of(families) == ['depth{queue="a"} 3.0', 'depth{queue="b"} 7.0']


def test_buckets_are_cumulative_and_bounds_belong_to_them():
    families = Families()
    histogram = families.histogram("seconds", "Seconds.", (0.1, 1.0))
    for value in (0.1, 0.5, 2.0):
        histogram.observe(value)
    assert text_of(families) == [
        'seconds_bucket{le="0.1"} 1.0',
        'seconds_bucket{le="1.0"} 2.0',
        'seconds_bucket{le="+Inf"} 3.0',
        "seconds_count 3.0",
        "seconds_sum 2.6",
    ]


def test_observations_may_be_shown_as_a_counter_too():
    families = Families()
    histogram = families.histogram("seconds", "Seconds.", (1.0,), ("kind",))
    families.count(histogram, "things", "Things.")
    histogram.series("never")
    histogram.series("a").observe(0.5)
    histogram.observe(2.0, "a")
    assert text_of(families) == [
        'seconds_bucket{kind="a",le="1.0"} 1.0',
        'seconds_bucket{kind="a",le="+Inf"} 2.0',
        'seconds_count{kind="a"} 2.0',
        'seconds_sum{kind="a"} 2.5',
        'things_total{kind="a"} 2.0',
    ]
