"""A Pod's row in a Table: what ``kubectl get pods`` shows of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import ContainerStateTerminated, ContainerStatus, Pod
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, RowCondition, age

COLUMNS = (
    NAME,
    Column("Ready"),
    Column("Status"),
    Column("Restarts"),
    AGE,
    Column("IP", priority=1),
    Column("Node", priority=1),
    Column("Nominated Node", priority=1),
    Column("Readiness Gates", priority=1),
)

SUCCEEDED = RowCondition("Completed", "True", "Succeeded", "The pod has completed successfully.")
FAILED = RowCondition("Completed", "True", "Failed", "The pod failed.")


def pod_row(pod: Pod, now: datetime) -> list[Cell]:
    summary = summarise(pod)
    status = pod.status
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart is not None:
        restarts += f" ({age(summary.last_restart, now)} ago)"
    return [
        pod.metadata.name,
        f"{summary.ready}/{summary.total}",
        summary.reason,
        restarts,
        age(pod.metadata.creation_timestamp, now),
        status.pod_ips[0].ip if status.pod_ips else status.pod_ip or NONE,
        pod.spec.node_name or NONE,
        status.nominated_node_name or NONE,
        _gates(pod),
    ]


def _gates(pod: Pod) -> str:
    gates = [gate.condition_type for gate in pod.spec.readiness_gates]
    if not gates:
        return NONE
    true = {condition.type for condition in pod.status.conditions if condition.status == "True"}
    return f"{sum(gate in true for gate in gates)}/{len(gates)}"


class Summary(msgspec.Struct):
    """A Pod in a few words. ``reason`` is the Status column."""

    reason: str
    total: int
    ready: int = 0
    restarts: int = 0
    last_restart: datetime | None = None

    def count(self, status: ContainerStatus) -> None:
        self.restarts += status.restart_count
        last = status.last_state.terminated
        if last is not None and last.finished_at is not None:
            self.last_restart = max(self.last_restart or last.finished_at, last.finished_at)


def summarise(pod: Pod) -> Summary:
    """Return what to show of *pod*, as upstream's printer decides it."""
    sidecars = {c.name for c in pod.spec.init_containers if is_sidecar(c)}
    summary = Summary(_phase(pod), len(pod.spec.containers) + len(sidecars))
    initialising = _summarise_init(pod, sidecars, summary)
    if not initialising or _condition(pod, "Initialized") == "True":
        _summarise_regular(pod, sidecars, summary)
    if pod.metadata.deletion_timestamp is not None:
        if pod.status.reason == "NodeLost":
            summary.reason = "Unknown"
        elif pod.status.phase not in ("Succeeded", "Failed"):
            summary.reason = "Terminating"
    return summary


def _phase(pod: Pod) -> str:
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "SchedulingGated":
            return condition.reason
    return pod.status.reason or pod.status.phase


def _condition(pod: Pod, name: str) -> str:
    return next((c.status for c in pod.status.conditions if c.type == name), "")


def _summarise_init(pod: Pod, sidecars: set[str], summary: Summary) -> bool:
    """Go through the init containers up to the one that holds the Pod up; whether one does."""
    for i, status in enumerate(pod.status.init_container_statuses):
        summary.count(status)
        terminated, waiting = status.state.terminated, status.state.waiting
        if terminated is not None and terminated.exit_code == 0:
            continue
        if status.name in sidecars and status.started:
            summary.ready += status.ready
            continue
        if terminated is not None:
            summary.reason = f"Init:{_ending(terminated)}"
        elif waiting is not None and waiting.reason not in ("", "PodInitializing"):
            summary.reason = f"Init:{waiting.reason}"
        else:
            summary.reason = f"Init:{i}/{len(pod.spec.init_containers)}"
        return True
    return False


def _summarise_regular(pod: Pod, sidecars: set[str], summary: Summary) -> None:
    """Go through the regular containers; once they may start, restarts before are forgotten."""
    summary.restarts, summary.last_restart = 0, None
    for status in pod.status.init_container_statuses:
        if status.name in sidecars:
            summary.count(status)
    running = False
    for status in reversed(pod.status.container_statuses):
        summary.count(status)
        terminated, waiting = status.state.terminated, status.state.waiting
        if waiting is not None and waiting.reason:
            summary.reason = waiting.reason
        elif terminated is not None:
            summary.reason = _ending(terminated)
        elif status.ready and status.state.running is not None:
            running = True
            summary.ready += 1
    if summary.reason == "Completed" and running:
        summary.reason = "Running" if _condition(pod, "Ready") == "True" else "NotReady"


def _ending(terminated: ContainerStateTerminated) -> str:
    if terminated.reason:
        return terminated.reason
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exit_code}"
