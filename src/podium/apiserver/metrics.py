"""What the server counts, under upstream's names, in Prometheus' text form.

Counting is a dictionary entry and an addition; prometheus_client is imported when the first
scrape wants the text. Names and labels follow ``k8s.io/apiserver/pkg/endpoints/metrics``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.apiserver.paths import RequestInfo

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Upper bounds of the buckets, in seconds.
_BUCKETS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
_LONG_VERBS = frozenset({"watch"})
_LONG_SUBRESOURCES = frozenset({"log"})
_Labels = tuple[str, ...]


class _Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(_BUCKETS, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        sums, so_far = [], 0
        for bound, count in zip((*map(str, _BUCKETS), "+Inf"), self.counts, strict=True):
            so_far += count
            sums.append((bound, float(so_far)))
        return sums


class Metrics:
    """Counts of one server."""

    def __init__(self) -> None:
        self._requests: defaultdict[_Labels, int] = defaultdict(int)
        self._durations: defaultdict[_Labels, _Histogram] = defaultdict(_Histogram)
        self._inflight = {"mutating": 0, "readOnly": 0}
        self._long_running: defaultdict[_Labels, int] = defaultdict(int)

    def started(self, info: RequestInfo) -> None:
        self._count(info, 1)

    def finished(self, info: RequestInfo, served: bool, code: int, seconds: float) -> None:
        """Note the end of a request. What is not *served* is counted without its names, which the
        client chose."""
        self._count(info, -1)
        labels = _labels(info) if served else (info.verb.upper(), "", "", "", "", "")
        self._requests[(*labels, str(code))] += 1
        if not is_long_running(info):
            self._durations[labels].observe(seconds)

    def _count(self, info: RequestInfo, step: int) -> None:
        if is_long_running(info):
            self._long_running[_labels(info)] += step
        elif info.verb in ("get", "list"):
            self._inflight["readOnly"] += step
        else:
            self._inflight["mutating"] += step

    def text(self) -> bytes:
        """Return everything, with what Python itself counts."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.gc_collector import GCCollector
        from prometheus_client.platform_collector import PlatformCollector
        from prometheus_client.process_collector import ProcessCollector

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """The collector that prometheus_client asks."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        names = ("verb", "group", "version", "resource", "subresource", "scope")
        requests = CounterMetricFamily(
            "apiserver_request_total", "Requests by what they asked for and code.",
            labels=(*names, "code"),
        )  # fmt: skip
        for labels, count in self._requests.items():
            requests.add_metric(labels, count)
        yield requests
        durations = HistogramMetricFamily(
            "apiserver_request_duration_seconds", "Seconds until the answer was complete.",
            labels=names,
        )  # fmt: skip
        for labels, histogram in self._durations.items():
            durations.add_metric(labels, histogram.cumulative(), histogram.total)
        yield durations
        inflight = GaugeMetricFamily(
            "apiserver_current_inflight_requests", "Short requests under way.",
            labels=("request_kind",),
        )  # fmt: skip
        for kind, number in self._inflight.items():
            inflight.add_metric((kind,), number)
        yield inflight
        running = GaugeMetricFamily(
            "apiserver_longrunning_requests", "Watches and followed logs under way.", labels=names
        )
        for labels, number in self._long_running.items():
            running.add_metric(labels, number)
        yield running


def is_long_running(info: RequestInfo) -> bool:
    return info.verb in _LONG_VERBS or info.subresource in _LONG_SUBRESOURCES


def _labels(info: RequestInfo) -> _Labels:
    return (
        info.verb.upper(), info.group, info.version, info.resource, info.subresource, info.scope
    )  # fmt: skip
