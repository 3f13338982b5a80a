"""What has to be done for a Pod now, and when to look again.

Follows ``computePodActions`` of upstream's kubelet. The answer is a value: the same input gives
the same plan, and nothing here asks the runtime or a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime

import msgspec
from msgspec.structs import replace

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, Pod, ResourceRequirements
from podium.domain.pods.backoff import (
    UPSTREAM,
    RestartBackOff,
    back_off_until,
    first_back_off,
    from_the_future,
    next_back_off,
    waited,
)
from podium.domain.pods.container_status import Waiting, container_id
from podium.domain.pods.containers import as_container, every_container
from podium.domain.pods.durations import go_duration
from podium.domain.pods.identity import container_hash, pod_full_name
from podium.domain.pods.initialization import failed_for_good, initialization, run_in_sandbox
from podium.domain.pods.observed import ContainerRecord, Observed
from podium.domain.pods.probes import NO_HEALTH, ProbeKind, RunHealth, kill_grace
from podium.domain.pods.resize import NOTHING_BEHIND, needs_restart
from podium.domain.pods.restart import restarts, should_restart
from podium.domain.pods.restart_request import requested
from podium.domain.pods.termination import grace_period

_HEALTHY = RunHealth()
#: The exit code that stands for whatever a container ends with that is killed.
KILLED = 137


class CreateSandbox(msgspec.Struct, frozen=True):
    attempt: int


class StartContainer(msgspec.Struct, frozen=True):
    """``attempt`` is the new run's restart count; ``back_off`` what will follow its end."""

    name: str
    attempt: int
    back_off: float


class KillContainer(msgspec.Struct, frozen=True):
    """``why`` is the event's text, ``Stopping container c`` where it is empty.

    ``restart`` says that another run follows, however this one ends.
    """

    id: str
    name: str
    grace: float
    why: str = ""
    restart: bool = False


Action = CreateSandbox | StartContainer | KillContainer


class Plan(msgspec.Struct, frozen=True):
    """``waiting`` names containers in back-off, ``look_again`` when the first of them is over."""

    actions: tuple[Action, ...] = ()
    waiting: dict[str, Waiting] = msgspec.field(default_factory=dict)
    look_again: datetime | None = None
    sandbox_changed: bool = False


def plan(
    pod: Pod,
    observed: Observed,
    now: datetime,
    replaced: Set[str] = frozenset(),
    health: Mapping[str, RunHealth] = NO_HEALTH,
    behind: Mapping[str, ResourceRequirements] = NOTHING_BEHIND,
    curve: RestartBackOff = UPSTREAM,
) -> Plan:
    """Return the next actions for a Pod that is wanted and not over (:func:`is_finished`).

    *replaced* are the IDs of containers that were killed to be replaced: another run follows them
    however they ended. *health* is what probes say of running containers, by ID; *behind* which
    resources those have, by name, that are to have others; *curve* how long restarts wait.
    """
    if observed.sandbox is None:
        return _plan_sandbox(pod, observed)
    step = _Step(pod, observed, now, replaced, health, behind, curve)
    for ephemeral in pod.spec.ephemeral_containers:
        if observed.latest(ephemeral.name) is None:
            step.start(as_container(ephemeral), None)
    progress = initialization(pod, observed, health)
    for container in pod.spec.init_containers:
        if container.name in progress.start:
            step.start(container, run_in_sandbox(observed, container.name))
        elif is_sidecar(container):
            step.replace_if_unfit(container, run_in_sandbox(observed, container.name))
    if progress.done:
        for container in pod.spec.containers:
            latest = observed.latest(container.name)
            if latest is not None and latest.is_running:
                step.replace_if_unfit(container, latest)
            elif should_restart(pod, container, latest) or step.is_replaced(latest):
                step.start(container, latest)
    step.actions.extend(_stale(pod, observed))
    return Plan(tuple(step.actions), step.waiting, step.look_again)


def is_finished(pod: Pod, observed: Observed, replaced: Set[str] = frozenset()) -> bool:
    """Whether nothing of the Pod is to be started any more, so that what still runs has to end.

    That is so when an init container has failed, or when the regular ones have all ended, for good:
    sidecars do not keep a Pod alive.
    """
    for container in pod.spec.init_containers:
        if failed_for_good(pod, container, observed.latest(container.name)):
            return True
    replaced = replaced | _asked_for(pod, observed)
    for container in pod.spec.containers:
        latest = observed.latest(container.name)
        if latest is None or latest.may_run or latest.id in replaced:
            return False
        if restarts(pod, container, latest.exit_code):
            return False
    return True


class _Step:
    """A plan that is being made."""

    def __init__(
        self,
        pod: Pod,
        observed: Observed,
        now: datetime,
        replaced: Set[str],
        health: Mapping[str, RunHealth],
        behind: Mapping[str, ResourceRequirements],
        curve: RestartBackOff,
    ) -> None:
        self._pod, self._observed, self._now = pod, observed, now
        self._replaced, self._health, self._behind = replaced, health, behind
        self._curve, self._asked_for = curve, _asked_for(pod, observed)
        self.actions: list[Action] = []
        self.waiting: dict[str, Waiting] = {}
        self.look_again: datetime | None = None

    def start(self, container: Container, latest: ContainerRecord | None) -> None:
        """Start the run after *latest*, or wait for the end of its back-off.

        A restart that somebody asked for does not wait, and nothing that was before counts after.
        """
        asked_for = latest is not None and latest.id in self._asked_for
        killed = latest is not None and latest.id in self._replaced
        if latest is not None and not asked_for:
            spec = container_hash(container)
            since = self._since(latest) if killed else None
            until = back_off_until(latest, spec, self._curve, killed_since=since)
            if until and until > self._now and not from_the_future(latest, self._now):
                wait = waited(latest, self._curve)
                self.waiting[container.name] = _crash_loop(self._pod, latest, wait)
                self.look_again = min(self.look_again or until, until)
                return
        ever = self._observed.latest(container.name)
        start = start_container(container, latest, ever, self._curve)
        # A first run that was killed to be replaced does not count: upstream looks at what had
        # ended before the kill.
        afresh = asked_for or (killed and start.attempt == 1)
        self.actions.append(replace(start, back_off=first_back_off()) if afresh else start)

    def _since(self, killed: ContainerRecord) -> datetime:
        """When the run before *killed* had ended, as far as is known."""
        runs = self._observed.runs(killed.name)
        ends = (run.finished_at for run in runs if run.attempt < killed.attempt)
        return next((end for end in ends if end is not None), killed.created_at)

    def is_replaced(self, latest: ContainerRecord | None) -> bool:
        """Whether another run follows *latest*, however it ended."""
        return latest is not None and latest.id in {*self._replaced, *self._asked_for}

    def replace_if_unfit(self, container: Container, latest: ContainerRecord | None) -> None:
        """Kill a run whose spec has changed, or whose probe wants it killed."""
        if latest is None or not latest.is_running:
            return
        if latest.hash != container_hash(container):
            self.actions.append(
                _replace(self._pod, latest, "definition changed, will be restarted")
            )
            return
        if latest.id in self._asked_for:
            self.actions.append(
                _replace(self._pod, latest, "was asked to restart, will be restarted")
            )
            return
        if needs_restart(self._pod, container, self._behind.get(container.name)):
            self.actions.append(_replace(self._pod, latest, "resize requires restart"))
            return
        failed = self._health.get(latest.id, _HEALTHY).failed
        if failed is not None:
            self.actions.append(
                _unhealthy(self._pod, container, latest, failed, alone=self._alone(container))
            )

    def _alone(self, container: Container) -> bool:
        """Whether no other regular container runs."""
        others = (c.name for c in self._pod.spec.containers if c.name != container.name)
        runs = map(self._observed.latest, others)
        return not any(run is not None and run.may_run for run in runs)


def _plan_sandbox(pod: Pod, observed: Observed) -> Plan:
    """A Pod without a ready sandbox: end what is left in old ones, then make a new one."""
    leftovers = tuple(
        KillContainer(record.id, record.name, grace_period(pod))
        for record in observed.containers
        if record.may_run
    )
    if leftovers:
        return Plan(leftovers, sandbox_changed=True)
    to_start = [c for c in pod.spec.containers if should_restart(pod, c, observed.latest(c.name))]
    ran_before = bool(observed.sandboxes)
    if not to_start or (ran_before and observed.containers and not _restarts_anything(pod)):
        return Plan()
    attempt = observed.sandboxes[0].attempt + 1 if ran_before else 0
    return Plan((CreateSandbox(attempt),), sandbox_changed=ran_before)


def _restarts_anything(pod: Pod) -> bool:
    if pod.spec.restart_policy != "Never":
        return True
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    return any(c.restart_policy in ("Always", "OnFailure") for c in containers if not is_sidecar(c))


def _asked_for(pod: Pod, observed: Observed) -> frozenset[str]:
    """The IDs of the runs that somebody wants replaced."""
    wanted = requested(pod)
    latest = map(observed.latest, wanted)
    return frozenset(run.id for run in latest if run and wanted[run.name] == container_id(run))


def start_container(
    container: Container,
    latest: ContainerRecord | None,
    ever: ContainerRecord | None = None,
    curve: RestartBackOff = UPSTREAM,
) -> StartContainer:
    """The run that follows *latest*; *ever* is the last one in any sandbox, which counts on."""
    if latest is None:
        return StartContainer(container.name, ever.attempt + 1 if ever else 0, first_back_off())
    back_off = next_back_off(latest, container_hash(container), curve)
    return StartContainer(container.name, latest.attempt + 1, back_off)


def _replace(pod: Pod, running: ContainerRecord, what: str) -> KillContainer:
    why = f"Container {running.name} {what}"
    return KillContainer(running.id, running.name, grace_period(pod), why, restart=True)


def _unhealthy(
    pod: Pod, container: Container, running: ContainerRecord, failed: ProbeKind, *, alone: bool
) -> KillContainer:
    """End a run that a probe gave up on.

    Where it is not restarted and nothing else runs it is the Pod that ends, as upstream has it:
    the event then says no more than that, and the Pod's grace period holds.
    """
    why = f"ontainer {running.name} failed {failed.value.lower()} probe"
    grace = kill_grace(container, failed, grace_period(pod))
    if is_sidecar(container):
        return KillContainer(running.id, running.name, grace, f"Init c{why}", restart=True)
    restart = restarts(pod, container, KILLED)
    if alone and not restart:
        return KillContainer(running.id, running.name, grace_period(pod))
    text = f"C{why}, will be restarted" if restart else f"C{why}"
    return KillContainer(running.id, running.name, grace, text, restart=restart)


def _stale(pod: Pod, observed: Observed) -> list[Action]:
    """Running containers that the spec does not have, or that an older sandbox still holds."""
    names = {container.name for container in every_container(pod)}
    sandbox = observed.sandbox
    return [
        KillContainer(record.id, record.name, grace_period(pod))
        for record in observed.containers
        if record.is_running
        and (record.name not in names or (sandbox and record.sandbox_id != sandbox.id))
    ]


def _crash_loop(pod: Pod, ended: ContainerRecord, wait: float) -> Waiting:
    return Waiting(
        "CrashLoopBackOff",
        f"back-off {go_duration(wait)} restarting failed container={ended.name} "
        f"pod={pod_full_name(pod)}",
    )
