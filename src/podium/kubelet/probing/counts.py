"""How often each probe was made, what it found, and how long it took: for ``/metrics/probes``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

#: Upper bounds of the histogram's buckets, in seconds: Prometheus' usual ones.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ProbeCount(msgspec.Struct):
    """What one probe of one container has come to. ``taken`` counts by bucket, and at its end what
    took longer than all of them."""

    results: dict[str, int] = msgspec.field(default_factory=dict)
    taken: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, result: str, seconds: float) -> None:
        self.results[result] = self.results.get(result, 0) + 1
        bucket = next((n for n, most in enumerate(BUCKETS) if seconds <= most), len(BUCKETS))
        self.taken[bucket] += 1
        self.seconds += seconds


#: Namespace, Pod, its uid, container, kind of probe.
Key = tuple[str, str, str, str, str]


class ProbeCounts:
    """Those of all Pods on the node; a Pod's go with it."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[Key, ProbeCount]] = {}

    def add(self, key: Key, result: str, seconds: float) -> None:
        of_pod = self._counts.setdefault(key[2], {})
        of_pod.setdefault(key, ProbeCount()).add(result, seconds)

    def forget(self, uid: str) -> None:
        self._counts.pop(uid, None)

    def taken(self) -> Mapping[Key, ProbeCount]:
        return {key: count for of_pod in self._counts.values() for key, count in of_pod.items()}
