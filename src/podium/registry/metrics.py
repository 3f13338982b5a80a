"""What a registry counts about admission and its store, under upstream's names.

Follows ``k8s.io/apiserver/pkg/admission/metrics`` and ``.../pkg/storage/etcd3/metrics``. The clock
is the machine's, whatever time it is for objects.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter
from typing import TypeVar

from podium.api.errors import failure
from podium.api.scheme import Resource
from podium.kit.metrics import Families, Series
from podium.store.port import KeyExists, RevisionMismatch, StoreError, StoreFailed

#: Upper bounds of the buckets, in seconds.
_ADMISSION = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
_STORE = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
_WHAT = ("operation", "group", "resource")

T = TypeVar("T")


class RegistryMetrics:
    """The counts of one registry."""

    def __init__(self) -> None:
        self.families = families = Families()
        self.steps = families.histogram(
            "apiserver_admission_step_admission_duration_seconds",
            "Seconds that all plugins together took for a step of admission.",
            _ADMISSION,
            ("type", "operation", "rejected"),
        )
        self.plugins = families.histogram(
            "apiserver_admission_controller_admission_duration_seconds",
            "Seconds that an admission plugin took.",
            _ADMISSION,
            ("name", "type", "operation", "rejected"),
        )
        self._requests = families.histogram(
            "etcd_request_duration_seconds", "Seconds that the store took.", _STORE, _WHAT
        )
        families.count(self._requests, "etcd_requests", "Requests to the store.")
        self._errors = families.counter(
            "etcd_request_errors", "Requests that the store failed at.", _WHAT
        )

    def store_requests(self, resource: Resource) -> StoreRequests:
        return StoreRequests(self, resource)

    def requests(self, *what: str) -> Series:
        return self._requests.series(*what)

    def failed(self, *what: str) -> None:
        self._errors.inc(*what)


class StoreRequests:
    """Times what is asked of the store about one resource."""

    def __init__(self, metrics: RegistryMetrics, resource: Resource) -> None:
        self._metrics, self._of = metrics, (resource.group, resource.plural)
        self._series: dict[str, Series] = {}

    async def timed(self, operation: str, answer: Awaitable[T]) -> T:
        """Return the *answer*. Raises ApiError (500) in the words of a store that has failed."""
        series = self._series.get(operation)
        if series is None:
            series = self._series[operation] = self._metrics.requests(operation, *self._of)
        begun = perf_counter()
        try:
            return await answer
        except StoreError as error:
            if not isinstance(error, KeyExists | RevisionMismatch):
                self._metrics.failed(operation, *self._of)
            if isinstance(error, StoreFailed):
                raise failure(500, "", str(error)) from error
            raise
        finally:
            series.observe(perf_counter() - begun)
