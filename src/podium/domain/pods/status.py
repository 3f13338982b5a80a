"""``status`` of a Pod, put together from its spec, what the runtime holds, and the last status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from podium.api.resources import is_sidecar, qos_class
from podium.api.types.core_v1 import ContainerState, ContainerStatus, HostIP, Pod, PodIP, PodStatus
from podium.domain.pods.conditions import OWNED, pod_conditions
from podium.domain.pods.container_status import (
    Waiting,
    container_statuses,
    ephemeral_container_statuses,
    init_container_statuses,
    shorten_messages,
    tell_lost,
)
from podium.domain.pods.observed import Observed
from podium.domain.pods.phase import FAILED, PENDING, has_initialized, is_terminal, pod_phase
from podium.domain.pods.probes import NO_HEALTH, RunHealth
from podium.domain.pods.resize import Resizing, in_force


class Verdict(msgspec.Struct, frozen=True):
    """The node's decision to end a Pod: becomes ``status.phase: Failed`` with reason, message.

    One that ``blocks`` leaves the Pod Pending for as long as it is there. ``grace`` is what its
    containers get (seconds) where that is not what the Pod says. One that ends a Pod for the node's
    sake says why in ``disruption``: the message of the condition ``DisruptionTarget``.
    """

    reason: str
    message: str
    blocks: bool = False
    grace: float | None = None
    disruption: str = ""


class StatusInput(msgspec.Struct, frozen=True, kw_only=True):
    """What the status of a Pod follows from. ``previous`` is the one last published, or the API's.

    ``health`` is what probes found, by container ID; ``ended`` says that nothing of the Pod will be
    started any more; ``resizing`` why ``pod`` has other resources than the API's.
    """

    pod: Pod
    observed: Observed
    previous: PodStatus
    host_ip: str
    waiting: Mapping[str, Waiting] = msgspec.field(default_factory=dict)
    health: Mapping[str, RunHealth] = msgspec.field(default_factory=lambda: NO_HEALTH)
    verdict: Verdict | None = None
    ended: bool = False
    resizing: Resizing = msgspec.field(default_factory=Resizing)


def pod_status(given: StatusInput, now: datetime) -> PodStatus:
    """Return the whole status. A phase never goes back from Failed or Succeeded."""
    pod, previous, verdict = given.pod, given.previous, given.verdict
    now = now.replace(microsecond=0)
    statuses, init_statuses, ephemeral = _all_statuses(given)
    whole = pod.spec.resources
    phase = _phase(given, pod_phase(pod, statuses, init_statuses, terminal=given.ended))
    status = PodStatus(
        phase=phase,
        observed_generation=pod.metadata.generation,
        qos_class=qos_class(pod),
        host_ip=given.host_ip,
        host_ips=[HostIP(ip=given.host_ip)] if given.host_ip else [],
        start_time=previous.start_time or pod.status.start_time or now,
        container_statuses=statuses,
        init_container_statuses=init_statuses,
        ephemeral_container_statuses=ephemeral,
        nominated_node_name=pod.status.nominated_node_name,
        resources=replace(whole) if whole is not None else None,
        allocated_resources=dict(whole.requests) if whole is not None else {},
    )
    _tell_reason(status, given)
    _tell_addresses(status, given)
    status.conditions = pod_conditions(
        pod,
        statuses,
        init_statuses,
        phase if verdict is None else FAILED,
        has_sandbox=given.observed.sandbox is not None,
        previous=previous,
        now=now,
        disruption=verdict.disruption if verdict is not None and phase == FAILED else "",
        resizing=given.resizing,
    )
    if given.ended and is_terminal(phase):
        tell_lost(pod, statuses, init_statuses)
    return status


_Statuses = list[ContainerStatus]


def _all_statuses(given: StatusInput) -> tuple[_Statuses, _Statuses, _Statuses]:
    """Those of the regular, the init and the ephemeral containers."""
    pod, observed, waiting, health = given.pod, given.observed, given.waiting, given.health
    before = given.previous
    statuses = container_statuses(
        pod, observed, _by_name(before.container_statuses), waiting, health
    )
    init_statuses = init_container_statuses(
        pod, observed, _by_name(before.init_container_statuses), waiting, health
    )
    ephemeral = ephemeral_container_statuses(
        pod, observed, _by_name(before.ephemeral_container_statuses), waiting
    )
    shorten_messages(pod, (*statuses, *init_statuses, *ephemeral))
    if has_initialized(pod, statuses):
        _forget_failures(pod, init_statuses)
    _tell_resources((*init_statuses, *statuses), given)
    return statuses, init_statuses, ephemeral


def _tell_reason(status: PodStatus, given: StatusInput) -> None:
    verdict, previous = given.verdict, given.previous
    if verdict is not None and status.phase == FAILED:
        status.reason, status.message = verdict.reason, verdict.message
    elif status.phase == previous.phase:
        status.reason, status.message = previous.reason, previous.message


def _tell_addresses(status: PodStatus, given: StatusInput) -> None:
    """The address stays on record after the sandbox has gone, as upstream has it."""
    ips = given.observed.ips or tuple(ip.ip for ip in given.previous.pod_ips)
    if ips:
        status.pod_ip = ips[0]
        status.pod_ips = [PodIP(ip=ip) for ip in ips]


def rejected_status(pod: Pod, verdict: Verdict, now: datetime) -> PodStatus:
    """The status of a Pod that the node does not take on. It drops its own conditions, as upstream
    does, those of others stay."""
    return PodStatus(
        phase=FAILED,
        reason=verdict.reason,
        message=f"Pod {verdict.message.removeprefix('Pod ')}",
        observed_generation=pod.metadata.generation,
        qos_class=qos_class(pod),
        start_time=pod.status.start_time or now.replace(microsecond=0),
        conditions=[c for c in pod.status.conditions if c.type not in OWNED],
    )


def blocked_status(given: StatusInput, verdict: Verdict, now: datetime) -> PodStatus:
    """The status of a Pod that the node would take on and cannot run as it asks to be."""
    status = pod_status(given, now)
    status.reason, status.message = verdict.reason, verdict.message
    for container in (*status.init_container_statuses, *status.container_statuses):
        if container.state.waiting is not None:
            container.state.waiting.reason = "Blocked"
    return status


def _tell_resources(statuses: Sequence[ContainerStatus], given: StatusInput) -> None:
    """Of containers that run and are behind, tell what they have rather than what is granted."""
    behind = given.resizing.behind
    for status in statuses if behind else ():
        before, latest = behind.get(status.name), given.observed.latest(status.name)
        if before is not None and latest is not None and latest.is_running:
            status.resources = in_force(before, latest.cgroup)


def contradicted(ours: PodStatus, theirs: PodStatus) -> bool:
    """Whether *theirs*, what the API has, denies what the node last said of a Pod: others declare
    the Pods of a node unready that was silent for a while. That a Pod is over stays so."""
    if is_terminal(theirs.phase):
        return False
    found = {condition.type: condition.status for condition in theirs.conditions}
    return ours.phase != theirs.phase or any(
        condition.status != found.get(condition.type)
        for condition in ours.conditions
        if condition.type in OWNED
    )


def _forget_failures(pod: Pod, init_statuses: Sequence[ContainerStatus]) -> None:
    """Once the regular containers run, init containers show how they ended, and nothing before;
    upstream removes the runs before then."""
    sidecars = {c.name for c in pod.spec.init_containers if is_sidecar(c)}
    for status in init_statuses:
        if status.name not in sidecars:
            status.last_state = ContainerState()


def _by_name(statuses: Sequence[ContainerStatus]) -> dict[str, ContainerStatus]:
    return {status.name: status for status in statuses}


def _phase(given: StatusInput, computed: str) -> str:
    for known in (given.pod.status.phase, given.previous.phase):
        if is_terminal(known):
            return known
    if given.verdict is not None or (given.ended and not is_terminal(computed)):
        computed = FAILED
    if is_terminal(computed) and given.observed.anything_runs:
        # What still runs has to end first: who sees a Pod that is over may count on nothing of it
        # running.
        return given.previous.phase or given.pod.status.phase or PENDING
    return computed
