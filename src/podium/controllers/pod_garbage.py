"""Pods that nobody else will ever remove, and which of them go first (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from podium.api.node_taints import OUT_OF_SERVICE
from podium.api.types.core_v1 import Node, Pod
from podium.controllers.node_health import ready_status
from podium.domain.pods.conditions import DISRUPTION_TARGET

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def is_over(pod: Pod) -> bool:
    return pod.status.phase in ("Succeeded", "Failed")


def is_unscheduled_and_terminating(pod: Pod) -> bool:
    """Whether *pod* is being deleted and no kubelet will ever finish that."""
    return pod.metadata.deletion_timestamp is not None and not pod.spec.node_name


def is_out_of_service(node: Node) -> bool:
    """Whether somebody has vouched that nothing runs on *node* any more, and it does not object."""
    vouched = any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)
    return vouched and ready_status(node) != "True"


def surplus(over: Iterable[Pod], threshold: int) -> list[Pod]:
    """Return those of the Pods that are over beyond *threshold*: evicted first, then the oldest."""
    pods = list(over)
    if len(pods) <= threshold:
        return []
    return sorted(pods, key=_age)[: len(pods) - threshold]


def _age(pod: Pod) -> tuple[bool, datetime, str]:
    evicted = pod.status.phase == "Failed" and pod.status.reason == "Evicted"
    return (not evicted, pod.metadata.creation_timestamp or _LONG_AGO, pod.metadata.name)


def failed_patch(pod: Pod, now: datetime, *, orphaned: bool) -> dict[str, Any] | None:
    """Return the status patch that precedes a forced deletion, None for a Pod that is over."""
    if is_over(pod):
        return None
    status: dict[str, Any] = {"phase": "Failed"}
    if orphaned:
        text = "PodGC: node no longer exists"
        status["conditions"] = [disruption_target("DeletionByPodGC", text, now)]
    return {"metadata": {"uid": pod.metadata.uid}, "status": status}


def disruption_target(reason: str, message: str, now: datetime) -> dict[str, Any]:
    """Return the condition, for a patch, of a Pod that is removed for a reason of the cluster's."""
    return {
        "type": DISRUPTION_TARGET,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": now.replace(microsecond=0),
    }
