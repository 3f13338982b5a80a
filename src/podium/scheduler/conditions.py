"""The ``PodScheduled`` condition of Pods that are not scheduled (pure)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from podium.api.types.core_v1 import Pod

UNSCHEDULABLE = "Unschedulable"
SCHEDULING_GATED = "SchedulingGated"
GATED_MESSAGE = "Scheduling is blocked due to non-empty scheduling gates"


def unscheduled_patch(pod: Pod, reason: str, message: str, now: datetime) -> dict[str, Any] | None:
    """Return the strategic merge patch of the status, None when it says so already."""
    current = next((c for c in pod.status.conditions if c.type == "PodScheduled"), None)
    transition = now.replace(microsecond=0)
    if current is not None and current.status == "False":
        if (current.reason, current.message) == (reason, message):
            return None
        transition = current.last_transition_time or transition
    condition: dict[str, Any] = {
        "type": "PodScheduled",
        "status": "False",
        "reason": reason,
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": transition,
    }
    if pod.metadata.generation:
        condition["observedGeneration"] = pod.metadata.generation
    return {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}}
