"""What follows for a node from its conditions and from how long it has been silent (pure).

Texts and taints are those of upstream's node lifecycle controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from podium.api.node_taints import (
    DISK_PRESSURE,
    MEMORY_PRESSURE,
    NETWORK_UNAVAILABLE,
    NOT_READY,
    PID_PRESSURE,
    UNREACHABLE,
    UNSCHEDULABLE,
)
from podium.api.types.core_v1 import Node, NodeCondition, Taint

NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"

#: The taint that each status of each condition brings, with effect NoSchedule.
_CONDITION_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): MEMORY_PRESSURE,
    ("DiskPressure", "True"): DISK_PRESSURE,
    ("PIDPressure", "True"): PID_PRESSURE,
    ("NetworkUnavailable", "True"): NETWORK_UNAVAILABLE,
}
#: What is not known any more when a node is silent.
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def ready_status(node: Node) -> str:
    """Return the status of the Ready condition, empty when the node never had one."""
    return next((c.status for c in node.status.conditions if c.type == "Ready"), "")


def silent_conditions(node: Node, now: datetime) -> list[NodeCondition]:
    """Return the conditions to write for a node that is silent; none when they say so already."""
    conditions = {c.type: c for c in node.status.conditions}
    changed = []
    moment = now.replace(microsecond=0)
    for type_ in _REPORTED:
        current = conditions.get(type_)
        if current is None:
            changed.append(
                NodeCondition(
                    type=type_,
                    status="Unknown",
                    reason="NodeStatusNeverUpdated",
                    message="Kubelet never posted node status.",
                    last_heartbeat_time=node.metadata.creation_timestamp,
                    last_transition_time=moment,
                )
            )
        elif current.status != "Unknown":
            changed.append(
                msgspec.structs.replace(
                    current,
                    status="Unknown",
                    reason="NodeStatusUnknown",
                    message="Kubelet stopped posting node status.",
                    last_transition_time=moment,
                )
            )
    return changed


def wanted_taints(node: Node, *, evict: bool, now: datetime) -> list[Taint]:
    """Return all taints that *node* ought to have: the managed ones as needed, others as they are.

    *evict* allows NoExecute taints: not while no node at all is healthy, as then the fault is
    more likely with the network or with us.
    """
    keys = {
        (_CONDITION_TAINTS[c.type, c.status], NO_SCHEDULE)
        for c in node.status.conditions
        if (c.type, c.status) in _CONDITION_TAINTS
    }
    if node.spec.unschedulable:
        keys.add((UNSCHEDULABLE, NO_SCHEDULE))
    unwell = {"False": NOT_READY, "Unknown": UNREACHABLE}.get(ready_status(node))
    if unwell and evict:
        keys.add((unwell, NO_EXECUTE))
    kept = [t for t in node.spec.taints if not _managed(t) or (t.key, t.effect) in keys]
    present = {(taint.key, taint.effect) for taint in kept}
    moment = now.replace(microsecond=0)
    added = [Taint(key=k, effect=e, time_added=moment) for k, e in sorted(keys - present)]
    return kept + added


def any_healthy(nodes: Sequence[Node]) -> bool:
    return any(ready_status(node) == "True" for node in nodes)


def _managed(taint: Taint) -> bool:
    if taint.effect == NO_EXECUTE:
        return taint.key in (NOT_READY, UNREACHABLE)
    managed = (*_CONDITION_TAINTS.values(), UNSCHEDULABLE)
    return taint.effect == NO_SCHEDULE and taint.key in managed
