"""``/metrics/cadvisor``: every number of every cgroup, under cAdvisor's names and labels. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from podium.kubelet.stats.prometheus import Sample, family
from podium.kubelet.stats.readings import Reading
from podium.runtime.cgroup_details import CgroupDetails
from podium.runtime.cgroup_limits import CgroupLimits
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage


class Subject(msgspec.Struct, frozen=True):
    """One cgroup: the whole machine, a Pod's, or a container's."""

    labels: dict[str, str]
    usage: CpuMemoryUsage
    details: CgroupDetails
    limits: CgroupLimits
    network: Sequence[NetworkInterfaceUsage] = ()
    started: float = 0.0
    disk: int | None = None
    inodes: int | None = None


Details = Callable[[str], tuple[CgroupDetails, CgroupLimits]]


def subjects(reading: Reading, details: Details) -> list[Subject]:
    """What there is to tell of. *details* reads those of a cgroup by its path."""
    node = reading.node
    whole, _ = details("/")
    found = [
        Subject(
            _labels("/"),
            node.usage,
            whole,
            CgroupLimits(memory_limit_bytes=node.memory),
            list(node.network.values()),
            node.started_at.timestamp(),
        )
    ]
    for pod in reading.pods:
        meta, status = pod.pod.metadata, pod.pod.status
        if pod.usage is not None:
            started = status.start_time.timestamp() if status.start_time else 0.0
            labels = _labels(pod.cgroup, namespace=meta.namespace, pod=meta.name)
            of_pod = details(pod.cgroup)
            found.append(Subject(labels, pod.usage, *of_pod, pod.network, started))
        for container in pod.containers:
            path = f"{pod.cgroup}/{container.id}"
            labels = _labels(
                path,
                container=container.name,
                image=container.image,
                name=container.id,
                namespace=meta.namespace,
                pod=meta.name,
            )
            root = container.rootfs
            found.append(
                Subject(
                    labels,
                    container.usage,
                    *details(path),
                    started=container.started_at.timestamp(),
                    disk=root.bytes if root else None,
                    inodes=root.inodes if root else None,
                )
            )
    return found


def _labels(path: str, **more: str) -> dict[str, str]:
    names = ("container", "id", "image", "name", "namespace", "pod")
    return {name: path if name == "id" else more.get(name, "") for name in names}


class _Metric(msgspec.Struct, frozen=True):
    name: str
    kind: str
    prose: str
    value: Callable[[Subject], float | None]
    extra: tuple[tuple[str, str], ...] = ()


_CPU = (
    _Metric("container_cpu_usage_seconds_total", "counter",
            "Cumulative cpu time consumed in seconds.",
            lambda s: s.usage.cpu_usage_nanoseconds / 1e9, (("cpu", "total"),)),
    _Metric("container_cpu_user_seconds_total", "counter",
            "Cumulative user cpu time consumed in seconds.", lambda s: s.details.cpu_user),
    _Metric("container_cpu_system_seconds_total", "counter",
            "Cumulative system cpu time consumed in seconds.", lambda s: s.details.cpu_system),
    _Metric("container_cpu_cfs_periods_total", "counter",
            "Number of elapsed enforcement period intervals.",
            lambda s: s.details.cpu_periods if s.limits.cpu_quota > 0 else None),
    _Metric("container_cpu_cfs_throttled_periods_total", "counter",
            "Number of throttled period intervals.",
            lambda s: s.details.cpu_throttled_periods if s.limits.cpu_quota > 0 else None),
    _Metric("container_cpu_cfs_throttled_seconds_total", "counter",
            "Total time duration the container has been throttled.",
            lambda s: s.details.cpu_throttled if s.limits.cpu_quota > 0 else None),
    _Metric("container_spec_cpu_period", "gauge", "CPU period of the container.",
            lambda s: s.limits.cpu_period),
    _Metric("container_spec_cpu_quota", "gauge", "CPU quota of the container.",
            lambda s: s.limits.cpu_quota if s.limits.cpu_quota > 0 else None),
    _Metric("container_spec_cpu_shares", "gauge", "CPU share of the container.",
            lambda s: s.limits.cpu_shares or None),
)  # fmt: skip
_MEMORY = (
    _Metric("container_memory_usage_bytes", "gauge",
            "Current memory usage in bytes, including all memory regardless of when it was "
            "accessed", lambda s: s.usage.memory_usage_bytes),
    _Metric("container_memory_working_set_bytes", "gauge", "Current working set in bytes.",
            lambda s: s.usage.memory_working_set_bytes),
    _Metric("container_memory_rss", "gauge", "Size of RSS in bytes.",
            lambda s: s.usage.memory_rss_bytes),
    _Metric("container_memory_cache", "gauge", "Number of bytes of page cache memory.",
            lambda s: s.details.cache),
    _Metric("container_memory_mapped_file", "gauge", "Size of memory mapped files in bytes.",
            lambda s: s.details.mapped_file),
    _Metric("container_memory_swap", "gauge", "Container swap usage in bytes.",
            lambda s: s.usage.swap_usage_bytes),
    _Metric("container_memory_max_usage_bytes", "gauge",
            "Maximum memory usage recorded in bytes", lambda s: s.details.highest_usage),
    _Metric("container_memory_failcnt", "counter", "Number of memory usage hits limits",
            lambda s: s.details.limit_hits),
    _Metric("container_oom_events_total", "counter",
            "Count of out of memory events observed for the container",
            lambda s: s.details.oom_kills),
    _Metric("container_spec_memory_limit_bytes", "gauge", "Memory limit for the container.",
            lambda s: max(s.limits.memory_limit_bytes, 0)),
)  # fmt: skip
_OTHERS = (
    _Metric("container_fs_usage_bytes", "gauge",
            "Number of bytes that are consumed by the container on this filesystem.",
            lambda s: s.disk, (("device", ""),)),
    _Metric("container_fs_inodes_used", "gauge",
            "Number of inodes that are consumed by the container on this filesystem.",
            lambda s: s.inodes, (("device", ""),)),
    _Metric("container_threads", "gauge", "Number of threads running inside the container",
            lambda s: s.details.threads),
    _Metric("container_start_time_seconds", "gauge",
            "Start time of the container since unix epoch in seconds.", lambda s: s.started),
)  # fmt: skip


def cadvisor(reading: Reading, details: Details) -> str:
    found = subjects(reading, details)
    return "".join(_text(reading, found))


def _text(reading: Reading, found: Sequence[Subject]) -> Iterator[str]:
    at, node = reading.time, reading.node
    yield family(
        "cadvisor_version_info", "gauge", "A metric with a constant '1' value.", [Sample({}, 1)]
    )
    for metric in (*_CPU, *_MEMORY, *_OTHERS):
        samples = [
            Sample({**s.labels, **dict(metric.extra)}, value, at)
            for s in found
            if (value := metric.value(s)) is not None
        ]
        yield family(metric.name, metric.kind, metric.prose, samples)
    yield _failures(reading, found)
    yield from _network(reading, found)
    last = [Sample(s.labels, int(at.timestamp()), at) for s in found]
    yield family(
        "container_last_seen", "gauge", "Last time a container was seen by the exporter", last
    )
    yield family("machine_cpu_cores", "gauge", "Number of logical CPU cores.",
                 [Sample({}, node.cpus)])  # fmt: skip
    yield family("machine_memory_bytes", "gauge", "Amount of memory installed on the machine.",
                 [Sample({}, node.memory)])  # fmt: skip
    yield family("machine_scrape_error", "gauge",
                 "1 if there was an error while getting machine metrics, 0 otherwise.",
                 [Sample({}, 0)])  # fmt: skip


def _failures(reading: Reading, found: Sequence[Subject]) -> str:
    samples = []
    for s in found:
        for kind, value in (
            ("pgfault", s.usage.page_faults),
            ("pgmajfault", s.usage.major_page_faults),
        ):
            extra = {"failure_type": kind, "scope": "hierarchy"}
            samples.append(Sample({**s.labels, **extra}, value, reading.time))
    return family(
        "container_memory_failures_total", "counter",
        "Cumulative count of memory allocation failures.", samples,
    )  # fmt: skip


def _network(reading: Reading, found: Sequence[Subject]) -> Iterator[str]:
    for way, short in (("receive", "rx"), ("transmit", "tx")):
        for what, attribute, words in (
            ("bytes", "bytes", "bytes"),
            ("packets", "packets", "packets"),
            ("errors", "errors", "errors encountered while"),
            ("packets_dropped", "dropped", "packets dropped while"),
        ):
            verb = f"{way}d" if way == "receive" else "transmitted"
            if words.endswith("while"):
                verb = "receiving" if way == "receive" else "transmitting"
            samples = [
                Sample(
                    {**s.labels, "interface": link.name},
                    getattr(link, f"{short}_{attribute}"),
                    reading.time,
                )
                for s in found
                for link in s.network
            ]
            yield family(
                f"container_network_{way}_{what}_total", "counter",
                f"Cumulative count of {words} {verb}", samples,
            )  # fmt: skip
