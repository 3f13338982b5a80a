"""Counters, gauges and histograms in Prometheus' sense, cheap to move.

Moving one is a dictionary entry and an addition; prometheus_client is imported only when somebody
asks for the text. What belongs to one object is registered in families of its own, what a process
has once in :data:`PROCESS`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
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
        self._add(_Mirror(partial(histogram.collect, name)))

    def count(self, histogram: Histogram, name: str, text: str) -> None:
        """Show how many observations *histogram* has as a counter; *name* without ``_total``."""
        self._add(_Mirror(partial(histogram.count, name, text)))

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
        self._series: dict[Labels, Series] = {}

    def observe(self, value: float, *labels: str) -> None:
        self.series(*labels).observe(value)

    def series(self, *labels: str) -> Series:
        """Return what is observed under *labels*, for those who do so often."""
        found = self._series.get(labels)
        if found is None:
            found = self._series[labels] = Series(self._bounds)
        return found

    def collect(self, name: str = "") -> Metric:
        from prometheus_client.core import HistogramMetricFamily

        metric = HistogramMetricFamily(name or self._name, self._text, labels=self._labels)
        names = (*map(str, self._bounds), "+Inf")
        for labels, series in self._series.items():
            sums = list(zip(names, map(float, accumulate(series.counts)), strict=True))
            if sums[-1][1]:
                metric.add_metric(labels, sums, series.total)
        return metric

    def count(self, name: str, text: str) -> Metric:
        """Return the numbers of observations, as a counter."""
        from prometheus_client.core import CounterMetricFamily

        metric = CounterMetricFamily(name, text, labels=self._labels)
        for labels, series in self._series.items():
            if number := sum(series.counts):
                metric.add_metric(labels, number)
        return metric


class Series:
    """What is observed under the same labels."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class _Mirror:
    """Another view of a family."""

    def __init__(self, collect: Callable[[], Metric]) -> None:
        self.collect = collect


#: What this process has once, whichever components run in it.
PROCESS = Families()
