"""``/metrics/probes``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from podium.kubelet.probing.counts import BUCKETS, Key, ProbeCount
from podium.kubelet.stats.prometheus import Sample, block, family

_DURATION = "prober_probe_duration_seconds"


def probes(counts: Mapping[Key, ProbeCount]) -> str:
    total = [
        Sample({**_labels(key), "pod_uid": key[2], "result": result}, number)
        for key, count in counts.items()
        for result, number in count.results.items()
    ]
    text = family(
        "prober_probe_total", "counter",
        "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by "
        "result.", total,
    )  # fmt: skip
    lines = [line for key, count in counts.items() for line in _histogram(_labels(key), count)]
    prose = "[ALPHA] Duration in seconds for a probe response."
    return text + block(_DURATION, "histogram", prose, lines)


def _labels(key: Key) -> dict[str, str]:
    namespace, pod, _uid, container, kind = key
    return {"container": container, "namespace": namespace, "pod": pod, "probe_type": kind}


def _histogram(labels: Mapping[str, str], count: ProbeCount) -> Iterator[str]:
    sums = list(accumulate(count.taken))
    for bound, number in zip((*map(_bound, BUCKETS), "+Inf"), sums, strict=True):
        yield Sample({**labels, "le": bound}, number).text(f"{_DURATION}_bucket")
    yield Sample(labels, count.seconds).text(f"{_DURATION}_sum")
    yield Sample(labels, sums[-1]).text(f"{_DURATION}_count")


def _bound(seconds: float) -> str:
    return f"{seconds:g}"
