"""Readings in Prometheus' text format, under upstream's names and labels. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from podium.kubelet.stats.readings import ContainerReading, PodReading, Reading


class Sample(msgspec.Struct, frozen=True):
    labels: Mapping[str, str]
    value: float
    at: datetime | None = None

    def text(self, name: str) -> str:
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in self.labels.items())
        number = _number(self.value)
        time = f" {int(self.at.timestamp() * 1000)}" if self.at is not None else ""
        return f"{name}{{{labels}}} {number}{time}" if labels else f"{name} {number}{time}"


def family(name: str, kind: str, prose: str, samples: Iterable[Sample]) -> str:
    """Return the lines of one metric; nothing where there is no sample."""
    return block(name, kind, prose, [sample.text(name) for sample in samples])


def block(name: str, kind: str, prose: str, lines: Sequence[str]) -> str:
    """The same of a metric whose samples have names of their own, as those of a histogram."""
    if not lines:
        return ""
    return "\n".join([f"# HELP {name} {prose}", f"# TYPE {name} {kind}", *lines, ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def resource(reading: Reading) -> str:
    """``/metrics/resource``: what metrics-server reads."""
    error = family(
        "resource_scrape_error", "gauge",
        "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
        [Sample({}, 0)],
    )  # fmt: skip
    return "".join((*_of_containers(reading), *_of_node(reading), *_of_pods(reading), error))


def _of_containers(reading: Reading) -> Iterator[str]:
    at = reading.time
    containers = [(_of(pod, c), c) for pod in reading.pods for c in pod.containers]
    yield family(
        "container_cpu_usage_seconds_total", "counter",
        "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
        [Sample(labels, _seconds(c.usage.cpu_usage_nanoseconds), at) for labels, c in containers],
    )  # fmt: skip
    yield family(
        "container_memory_working_set_bytes", "gauge",
        "[STABLE] Current working set of the container in bytes",
        [Sample(labels, c.usage.memory_working_set_bytes, at) for labels, c in containers],
    )  # fmt: skip
    yield family(
        "container_start_time_seconds", "gauge",
        "[STABLE] Start time of the container since unix epoch in seconds",
        [Sample(labels, c.started_at.timestamp()) for labels, c in containers],
    )  # fmt: skip
    yield family(
        "container_swap_usage_bytes", "gauge",
        "[ALPHA] Current amount of the container swap usage in bytes",
        [Sample(labels, c.usage.swap_usage_bytes, at) for labels, c in containers],
    )  # fmt: skip


def _of_node(reading: Reading) -> Iterator[str]:
    at, node = reading.time, reading.node.usage
    yield family(
        "node_cpu_usage_seconds_total", "counter",
        "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
        [Sample({}, _seconds(node.cpu_usage_nanoseconds), at)],
    )  # fmt: skip
    yield family(
        "node_memory_working_set_bytes", "gauge",
        "[STABLE] Current working set of the node in bytes",
        [Sample({}, node.memory_working_set_bytes, at)],
    )  # fmt: skip
    yield family(
        "node_swap_usage_bytes", "gauge",
        "[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems",
        [Sample({}, node.swap_usage_bytes, at)],
    )  # fmt: skip


def _of_pods(reading: Reading) -> Iterator[str]:
    at = reading.time
    pods = [(_of(pod), pod.usage) for pod in reading.pods if pod.usage is not None]
    yield family(
        "pod_cpu_usage_seconds_total", "counter",
        "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
        [Sample(labels, _seconds(used.cpu_usage_nanoseconds), at) for labels, used in pods],
    )  # fmt: skip
    yield family(
        "pod_memory_working_set_bytes", "gauge",
        "[STABLE] Current working set of the pod in bytes",
        [Sample(labels, used.memory_working_set_bytes, at) for labels, used in pods],
    )  # fmt: skip


def _of(pod: PodReading, container: ContainerReading | None = None) -> dict[str, str]:
    meta = pod.pod.metadata
    labels = {"container": container.name} if container else {}
    return {**labels, "namespace": meta.namespace, "pod": meta.name}


def _seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9
