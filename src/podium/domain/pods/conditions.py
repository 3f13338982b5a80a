"""The conditions that a node sets on its Pods.

Texts follow ``pkg/kubelet/status/generate.go``. Conditions of others (``PodScheduled`` false from a
scheduler, readiness gates) are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import ContainerStatus, Pod, PodCondition, PodStatus
from podium.domain.pods.phase import FAILED, SUCCEEDED, has_initialized, is_done
from podium.domain.pods.resize import NO_RESIZE, Resizing

READY_TO_START = "PodReadyToStartContainers"
INITIALIZED = "Initialized"
READY = "Ready"
CONTAINERS_READY = "ContainersReady"
SCHEDULED = "PodScheduled"
RESIZE_PENDING = "PodResizePending"
RESIZE_IN_PROGRESS = "PodResizeInProgress"
DISRUPTION_TARGET = "DisruptionTarget"
OWNED = (
    READY_TO_START,
    INITIALIZED,
    READY,
    CONTAINERS_READY,
    SCHEDULED,
    RESIZE_PENDING,
    RESIZE_IN_PROGRESS,
)


def pod_conditions(
    pod: Pod,
    statuses: Sequence[ContainerStatus],
    init_statuses: Sequence[ContainerStatus],
    phase: str,
    *,
    has_sandbox: bool,
    previous: PodStatus,
    now: datetime,
    resizing: Resizing = NO_RESIZE,
    disruption: str = "",
) -> list[PodCondition]:
    """Return all conditions: others' first, then those of the node, with transition times.

    A resize that waits or is under way is told of while the Pod is not over. *disruption* says why
    the node has ended the Pod, where it was for its own sake.
    """
    own = {*OWNED, DISRUPTION_TARGET} if disruption else OWNED
    foreign = [c for c in pod.status.conditions if c.type not in own]
    containers_ready = _containers_ready(pod, (*statuses, *init_statuses), phase)
    owned = [
        _condition(READY_TO_START, has_sandbox),
        _initialized(pod, statuses, init_statuses, phase),
        _ready(pod, foreign, containers_ready),
        containers_ready,
        _condition(SCHEDULED, True),
    ]
    if phase not in (FAILED, SUCCEEDED):
        owned += _resizing(resizing)
    if disruption:
        owned.insert(0, _condition(DISRUPTION_TARGET, True, "TerminationByKubelet", disruption))
    before = {c.type: c for c in (*pod.status.conditions, *previous.conditions)}
    for condition in owned:
        condition.observed_generation = pod.metadata.generation
        if condition.type == RESIZE_IN_PROGRESS and resizing.progress is not None:
            condition.observed_generation = resizing.progress.generation
        old = before.get(condition.type)
        unchanged = old is not None and old.status == condition.status
        condition.last_transition_time = old.last_transition_time if old and unchanged else now
    return foreign + owned


def _condition(kind: str, holds: bool, reason: str = "", message: str = "") -> PodCondition:
    return PodCondition(
        type=kind, status="True" if holds else "False", reason=reason, message=message
    )


def _resizing(resizing: Resizing) -> Iterator[PodCondition]:
    pending, progress = resizing.pending, resizing.progress
    if pending is not None:
        yield _condition(RESIZE_PENDING, True, pending.reason, pending.message)
    if progress is not None:
        yield _condition(RESIZE_IN_PROGRESS, True, progress.reason, progress.message)


def _initialized(
    pod: Pod,
    statuses: Sequence[ContainerStatus],
    init_statuses: Sequence[ContainerStatus],
    phase: str,
) -> PodCondition:
    if phase == SUCCEEDED:
        return _condition(INITIALIZED, True, "PodCompleted")
    by_name = {status.name: status for status in init_statuses}
    incomplete = [c.name for c in pod.spec.init_containers if not is_done(c, by_name.get(c.name))]
    if not incomplete or has_initialized(pod, statuses):
        return _condition(INITIALIZED, True)
    text = f"containers with incomplete status: [{' '.join(incomplete)}]"
    return _condition(INITIALIZED, False, "ContainersNotInitialized", text)


def _containers_ready(pod: Pod, statuses: Sequence[ContainerStatus], phase: str) -> PodCondition:
    if phase == SUCCEEDED:
        return _condition(CONTAINERS_READY, False, "PodCompleted")
    if phase == FAILED:
        return _condition(CONTAINERS_READY, False, "PodFailed")
    ready = {status.name: status.ready for status in statuses}
    sidecars = [c for c in pod.spec.init_containers if is_sidecar(c)]
    names = [container.name for container in (*sidecars, *pod.spec.containers)]
    unknown = [name for name in names if name not in ready]
    unready = [name for name in names if ready.get(name) is False]
    texts = []
    if unknown:
        texts.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if unready:
        texts.append(f"containers with unready status: [{' '.join(unready)}]")
    if texts:
        return _condition(CONTAINERS_READY, False, "ContainersNotReady", ", ".join(texts))
    return _condition(CONTAINERS_READY, True)


def _ready(
    pod: Pod, conditions: Sequence[PodCondition], containers_ready: PodCondition
) -> PodCondition:
    if containers_ready.status != "True":
        return _condition(READY, False, containers_ready.reason, containers_ready.message)
    found = {condition.type: condition.status for condition in conditions}
    texts = []
    for gate in pod.spec.readiness_gates:
        status = found.get(gate.condition_type)
        if status is None:
            texts.append(
                f'corresponding condition of pod readiness gate "{gate.condition_type}" '
                "does not exist."
            )
        elif status != "True":
            texts.append(
                f'the status of pod readiness gate "{gate.condition_type}" is not "True", '
                f"but {status}"
            )
    if texts:
        return _condition(READY, False, "ReadinessGatesNotReady", ", ".join(texts))
    return _condition(READY, True)
