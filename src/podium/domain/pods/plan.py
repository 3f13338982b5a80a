"""What has to be done for a Pod now, and when to look again.

Follows ``computePodActions`` of upstream's kubelet, for Pods without init containers. The answer is
a value: the same input gives the same plan, and nothing here asks the runtime or a clock.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime

from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods.backoff import back_off_until, first_back_off, next_back_off
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.durations import go_duration
from podium.domain.pods.identity import container_hash, pod_full_name
from podium.domain.pods.observed import ContainerRecord, Observed
from podium.domain.pods.restart import should_restart
from podium.domain.pods.termination import grace_period


@dataclass(frozen=True, slots=True)
class CreateSandbox:
    attempt: int


@dataclass(frozen=True, slots=True)
class StartContainer:
    """``attempt`` is the new run's restart count; ``back_off`` what will follow its end."""

    name: str
    attempt: int
    back_off: float


@dataclass(frozen=True, slots=True)
class KillContainer:
    """``why`` completes the event: ``Stopping container c`` unless it says something else."""

    id: str
    name: str
    grace: float
    why: str = ""


Action = CreateSandbox | StartContainer | KillContainer


@dataclass(frozen=True, slots=True)
class Plan:
    """``waiting`` names containers in back-off, ``look_again`` when the first of them is over."""

    actions: tuple[Action, ...] = ()
    waiting: dict[str, Waiting] = field(default_factory=dict)
    look_again: datetime | None = None
    sandbox_changed: bool = False


def plan(pod: Pod, observed: Observed, now: datetime, replaced: Set[str] = frozenset()) -> Plan:
    """Return the next actions for a Pod that is wanted and not over.

    *replaced* are the IDs of containers that were killed because their spec changed: another run
    follows them whatever restartPolicy says.
    """
    if observed.sandbox is None:
        return _plan_sandbox(pod, observed)
    actions: list[Action] = []
    waiting: dict[str, Waiting] = {}
    look_again: datetime | None = None
    for container in pod.spec.containers:
        latest = observed.latest(container.name)
        if latest is not None and latest.is_running:
            if latest.hash != container_hash(container):
                actions.append(_replace(pod, latest))
            continue
        if latest is not None and latest.id in replaced:
            actions.append(start_container(container, latest))
            continue
        if not should_restart(pod, latest):
            continue
        until = back_off_until(latest, container_hash(container)) if latest else None
        if latest is not None and until is not None and until > now:
            waiting[container.name] = _crash_loop(pod, latest)
            look_again = min(look_again or until, until)
            continue
        actions.append(start_container(container, latest))
    actions.extend(_stale(pod, observed))
    return Plan(tuple(actions), waiting, look_again)


def _plan_sandbox(pod: Pod, observed: Observed) -> Plan:
    """A Pod without a ready sandbox: end what is left in old ones, then make a new one."""
    leftovers = tuple(
        KillContainer(record.id, record.name, grace_period(pod))
        for record in observed.containers
        if record.may_run
    )
    if leftovers:
        return Plan(leftovers, sandbox_changed=True)
    to_start = [c for c in pod.spec.containers if should_restart(pod, observed.latest(c.name))]
    ran_before = bool(observed.sandboxes)
    if not to_start or (ran_before and pod.spec.restart_policy == "Never" and observed.containers):
        return Plan()
    attempt = observed.sandboxes[0].attempt + 1 if ran_before else 0
    return Plan((CreateSandbox(attempt),), sandbox_changed=ran_before)


def start_container(container: Container, latest: ContainerRecord | None) -> StartContainer:
    """The run that follows *latest*."""
    if latest is None:
        return StartContainer(container.name, 0, first_back_off())
    back_off = next_back_off(latest, container_hash(container))
    return StartContainer(container.name, latest.attempt + 1, back_off)


def _replace(pod: Pod, running: ContainerRecord) -> KillContainer:
    why = f"Container {running.name} definition changed, will be restarted"
    return KillContainer(running.id, running.name, grace_period(pod), why)


def _stale(pod: Pod, observed: Observed) -> list[Action]:
    """Running containers that the spec does not have, or that an older sandbox still holds."""
    names = {container.name for container in pod.spec.containers}
    sandbox = observed.sandbox
    return [
        KillContainer(record.id, record.name, grace_period(pod))
        for record in observed.containers
        if record.is_running
        and (record.name not in names or (sandbox and record.sandbox_id != sandbox.id))
    ]


def _crash_loop(pod: Pod, ended: ContainerRecord) -> Waiting:
    return Waiting(
        "CrashLoopBackOff",
        f"back-off {go_duration(ended.back_off)} restarting failed container={ended.name} "
        f"pod={pod_full_name(pod)}",
    )
