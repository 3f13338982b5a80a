"""Counters, gauges and histograms in Prometheus' sense, cheap to move.

Moving one is a dictionary entry and an addition; prometheus_client is imported only when somebody
asks for the text. What belongs to one object is registered in families of its own, what a process
has once in :data:`PROCESS`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from prometheus_client import Metric

Labels = tuple[str, ...]
F = TypeVar("F", bound="Family")


class Family(Protocol):
    """All series of one name."""

    def collect(self) -> Metric: ...


class Families:
    """What is scraped together; prometheus_client takes it for a collector."""

    def __init__(self) -> None:
        self._families: list[Family] = []

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """*name* without the ``_total`` that it is shown with."""
        return self._add(Counter(name, text, labels))

    def gauge(self, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
        return self._add(Gauge(name, text, tuple(labels)))

    def histogram(
        self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return self._add(Histogram(name, text, bounds, labels))

    def mirror(self, histogram: Histogram, name: str) -> None:
        """Show *histogram* a second time, as *name*."""
        self._add(_Mirror(histogram, name))

    def _add(self, family: F) -> F:
        self._families.append(family)
        return family

    def collect(self) -> Iterator[Metric]:
        return (family.collect() for family in self._families)


class Counter:
    """Only goes up."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._name, self._text, self._labels = name, text, labels
        self.values: defaultdict[Labels, float] = defaultdict(float)

    def inc(self, *labels: str, by: float = 1) -> None:
        self.values[labels] += by

    def collect(self) -> Metric:
        from prometheus_client.core import CounterMetricFamily

        metric = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, value in self.values.items():
            metric.add_metric(labels, value)
        return metric


class Gauge:
    """Goes up and down. Where *source* is set, it is asked for the values when they are read."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._name, self._text, self._labels = name, text, labels
        self.source: Callable[[], Mapping[Labels, float]] | None = None
        self.values: defaultdict[Labels, float] = defaultdict(float)

    def set(self, value: float, *labels: str) -> None:
        self.values[labels] = value

    def add(self, step: float, *labels: str) -> None:
        self.values[labels] += step

    def collect(self) -> Metric:
        from prometheus_client.core import GaugeMetricFamily

        metric = GaugeMetricFamily(self._name, self._text, labels=self._labels)
        if self.source is not None:
            self.values.update(self.source())
        for labels, value in self.values.items():
            metric.add_metric(labels, value)
        return metric


class Histogram:
    """Observations by size; *bounds* are the upper ones of the buckets."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str]
    ) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: defaultdict[Labels, float] = defaultdict(float)

    def observe(self, value: float, *labels: str) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def collect(self, name: str = "") -> Metric:
        from prometheus_client.core import HistogramMetricFamily

        metric = HistogramMetricFamily(name or self._name, self._text, labels=self._labels)
        names = (*map(str, self._bounds), "+Inf")
        for labels, counts in self._counts.items():
            sums, so_far = [], 0
            for name, count in zip(names, counts, strict=True):
                so_far += count
                sums.append((name, float(so_far)))
            metric.add_metric(labels, sums, self._sums[labels])
        return metric


class _Mirror:
    def __init__(self, histogram: Histogram, name: str) -> None:
        self._histogram, self._name = histogram, name

    def collect(self) -> Metric:
        return self._histogram.collect(self._name)


#: What this process has once, whichever components run in it.
PROCESS = Families()
