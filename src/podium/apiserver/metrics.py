"""What the server counts, under upstream's names, in Prometheus' text form.

Names and labels follow ``k8s.io/apiserver/pkg/endpoints/metrics``. What other components in the
same process count is shown, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podium.apiserver.paths import RequestInfo
from podium.apiserver.version import version_info
from podium.kit.metrics import PROCESS, Families, Labels, Series
from podium.registry.types import Statistics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Upper bounds of the buckets, in seconds.
_BUCKETS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
_COMPONENT = "apiserver"
_MUTATING, _READ_ONLY = ("mutating",), ("readOnly",)
_RESOURCE = ("group", "resource")
_NAMES = ("verb", "group", "version", "resource", "subresource", "scope")


class Metrics:
    """Counts of one server. *statistics* tells what its registry holds and has sent, *counted*
    what that counts itself; *stored* tells how many bytes its store takes up."""

    def __init__(
        self,
        statistics: Callable[[], Iterable[Statistics]],
        counted: Families,
        stored: Callable[[], int],
    ) -> None:
        self._statistics, self._counted = statistics, counted
        self._families = families = Families()
        self._requests = families.counter(
            "apiserver_request",
            "Requests by what they asked for and code.",
            (*_NAMES, "dry_run", "component", "code"),
        )
        self._durations = families.histogram(
            "apiserver_request_duration_seconds",
            "Seconds until the answer was complete.",
            _BUCKETS,
            (*_NAMES, "dry_run", "component"),
        )
        self._terminations = families.counter(
            "apiserver_request_terminations",
            "Requests turned away in self-defence.",
            (*_NAMES, "component", "code"),
        )
        self._told: dict[tuple[Labels, bool, int], tuple[Labels, Series]] = {}
        families.mirror(self._durations, "apiserver_request_sli_duration_seconds")
        self._inflight = families.gauge(
            "apiserver_current_inflight_requests", "Short requests under way.", ("request_kind",)
        )
        self._inflight.values.update({_MUTATING: 0, _READ_ONLY: 0})
        self._long_running = families.gauge(
            "apiserver_longrunning_requests",
            "Watches and followed logs under way.",
            (*_NAMES, "component"),
        )
        self._objects = families.gauge(
            "apiserver_storage_objects", "Objects that are stored.", ("resource",)
        )
        self._resource_objects = families.gauge(
            "apiserver_resource_objects", "Objects that are stored.", _RESOURCE
        )
        self._received = families.counter(
            "apiserver_storage_events_received", "Changes told by the store.", _RESOURCE
        )
        size = families.gauge(
            "apiserver_storage_size_bytes",
            "Bytes that the store takes up.",
            ("storage_cluster_id",),
        )
        size.source = lambda: {("etcd-0",): stored()}
        build = version_info()
        families.gauge("kubernetes_build_info", "What this server is.", map(_snake, build)).set(
            1, *build.values()
        )
        self._events = families.counter(
            "apiserver_watch_events", "Events sent to watches.", ("group", "version", "kind")
        )

    def started(self, info: RequestInfo) -> None:
        self._count(info, 1)

    def finished(
        self, info: RequestInfo, served: bool, code: int, seconds: float, *, dry_run: bool = False
    ) -> None:
        """Note the end of a request. What is not *served* is counted without its names, which the
        client chose."""
        self._count(info, -1)
        names = info.labels if served else (info.labels[0], "", "", "", "", "")
        told = self._told.get((names, dry_run, code)) or self._tell(names, dry_run, code)
        self._requests.values[told[0]] += 1
        if not info.is_long_running:
            told[1].observe(seconds)

    def turned_away(self, info: RequestInfo) -> None:
        """Note a request too many; nobody has looked yet whether its names mean anything."""
        self._terminations.inc(info.labels[0], "", "", "", "", "", _COMPONENT, "429")

    def _tell(self, names: Labels, dry_run: bool, code: int) -> tuple[Labels, Series]:
        """Note under what such requests are counted, and where their durations are."""
        labels = (*names, "All" if dry_run else "", _COMPONENT)
        told = (*labels, str(code)), self._durations.series(*labels)
        self._told[names, dry_run, code] = told
        return told

    def _count(self, info: RequestInfo, step: int) -> None:
        if info.is_long_running:
            labels = (*info.labels, _COMPONENT)
            self._long_running.add(step, *labels)
            if not self._long_running.values[labels]:  # its names may have been made up
                del self._long_running.values[labels]
        else:
            what = _READ_ONLY if info.verb in ("get", "list") else _MUTATING
            self._inflight.values[what] += step

    def text(self) -> bytes:
        """Return everything, with what Python itself counts."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.gc_collector import GCCollector
        from prometheus_client.platform_collector import PlatformCollector
        from prometheus_client.process_collector import ProcessCollector

        for known in self._statistics():
            resource = known.resource
            self._objects.set(known.objects, resource.qualified)
            names = (resource.group, resource.plural)
            self._resource_objects.set(known.objects, *names)
            self._received.values[names] = known.events_received
            labels = (resource.group, resource.version, resource.kind)
            self._events.values[labels] = known.events_sent
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(self._families)
        registry.register(self._counted)
        registry.register(PROCESS)
        return generate_latest(registry)


def text_of(families: Families) -> bytes:
    """Return *families* in Prometheus' text form."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(families)
    return generate_latest(registry)


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
