"""What the scheduler counts, under upstream's names (``pkg/scheduler/metrics``)."""

from __future__ import annotations

from podium.kit.metrics import PROCESS

_BOUNDS = tuple(0.001 * 2**power for power in range(15))
_RESULT = ("profile", "result")

ATTEMPTS = PROCESS.counter("scheduler_schedule_attempts", "Attempts by how they ended.", _RESULT)
ATTEMPT_DURATION = PROCESS.histogram(
    "scheduler_scheduling_attempt_duration_seconds",
    "Seconds that the decision about a Pod took.",
    _BOUNDS,
    _RESULT,
)
PENDING = PROCESS.gauge("scheduler_pending_pods", "Pods without a node, by queue.", ("queue",))
