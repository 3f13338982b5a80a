"""The plugins one after the other, and how long each of them takes."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Literal

from podium.api.errors import ApiError
from podium.kit.metrics import Series
from podium.registry.admission.base import Attributes, Step
from podium.registry.metrics import RegistryMetrics

Phase = Literal["admit", "validate"]


class Chain:
    """What the plugins, by their names, do in one phase about writes of one resource."""

    def __init__(
        self, phase: Phase, steps: Sequence[tuple[str, Step]], metrics: RegistryMetrics
    ) -> None:
        self._phase, self._steps, self._metrics = phase, steps, metrics
        #: By the operation: each step with its times, and the times of all together.
        self._timed: dict[str, tuple[Sequence[tuple[Step, Series]], Series]] = {}

    async def run(self, attributes: Attributes) -> None:
        """Raises ApiError."""
        operation = attributes.operation
        steps, together = self._timed.get(operation) or self._begin(operation)
        started = begun = perf_counter()
        at = 0
        try:
            for step, series in steps:
                await step(attributes)
                ended = perf_counter()
                series.observe(ended - begun)
                begun = ended
                at += 1
        except ApiError:
            self._rejected(self._steps[at][0], operation, started, begun)
            raise
        together.observe(begun - started)

    def _begin(self, operation: str) -> tuple[Sequence[tuple[Step, Series]], Series]:
        what = (self._phase, operation, "false")
        steps = [(step, self._metrics.plugins.series(name, *what)) for name, step in self._steps]
        found = self._timed[operation] = steps, self._metrics.steps.series(*what)
        return found

    def _rejected(self, name: str, operation: str, started: float, begun: float) -> None:
        what, ended = (self._phase, operation, "true"), perf_counter()
        self._metrics.plugins.observe(ended - begun, name, *what)
        self._metrics.steps.observe(ended - started, *what)
