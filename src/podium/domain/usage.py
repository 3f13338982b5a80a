"""CPU and memory in use, from two samples of a node's ``/metrics/resource``. Pure.

Follows metrics-server: a container that is younger than the first sample is measured from its
start; one whose counter went back has started again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

Key = tuple[str, str, str]
"""Namespace, Pod, container; of the node itself three empty texts."""

NODE: Key = ("", "", "")

_LINE = re.compile(
    r"(container_cpu_usage_seconds_total|container_memory_working_set_bytes|"
    r"container_start_time_seconds|node_cpu_usage_seconds_total|node_memory_working_set_bytes)"
    r"(?:\{([^}]*)\})? ([0-9.eE+-]+)(?: (\d+))?"
)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Point(msgspec.Struct):
    """*cpu* in seconds until *at*, which is in seconds since the epoch, as *start* is."""

    cpu: float = 0.0
    at: float = 0.0
    memory: int = 0
    start: float = 0.0


class Usage(msgspec.Struct, frozen=True):
    """*nano_cores* are the mean of *window* seconds until *at*."""

    at: float
    window: float
    nano_cores: int
    memory: int


class Sample(msgspec.Struct, frozen=True):
    points: Mapping[Key, Point] = msgspec.field(default_factory=dict)


def read_sample(text: str, now: float) -> Sample:
    """Read what a kubelet told at *now*; lines of other metrics are passed over."""
    points: dict[Key, Point] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name, labels, value, at = match.groups()
        found = dict(_LABEL.findall(labels or ""))
        key = (found.get("namespace", ""), found.get("pod", ""), found.get("container", ""))
        point = points.setdefault(key, Point())
        if name.endswith("cpu_usage_seconds_total"):
            point.cpu, point.at = float(value), int(at) / 1000 if at else now
        elif name.endswith("working_set_bytes"):
            point.memory = int(float(value))
        else:
            point.start = float(value)
    return Sample(points)


def usages(before: Sample, now: Sample) -> Iterator[tuple[Key, Usage]]:
    """Yield what there is of each container, and of the node, that can be told."""
    for key, point in now.points.items():
        last = before.points.get(key)
        if last is None or last.start < point.start or last.cpu > point.cpu:
            used, since = point.cpu, point.start
        else:
            used, since = point.cpu - last.cpu, last.at
        window = point.at - since
        if since and window > 0:
            yield key, Usage(point.at, window, int(used / window * 1e9), point.memory)
