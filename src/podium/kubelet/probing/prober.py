"""The probes of one Pod: each on its own, so that a slow one delays no other."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import msgspec

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, ContainerStatus, Pod, Probe
from podium.domain.pods import probes
from podium.domain.pods.container_status import container_id
from podium.domain.pods.containers import field_path
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import ContainerRecord, Observed
from podium.domain.pods.probes import Outcome, ProbedRun, ProbeKind, ProbeState, Result, RunHealth
from podium.kubelet.jobs import Jobs
from podium.kubelet.probing.handlers import Target, attempt
from podium.kubelet.services import NodeServices
from podium.runtime.port import runs

logger = logging.getLogger(__name__)

#: Jobs of readiness probes go on while a Pod ends, as whoever talks to it wants to know.
READINESS_JOB = "readiness "
#: What ``prober_probe_total`` calls a result.
COUNTED_AS = {
    Result.SUCCESS: "successful",
    Result.WARNING: "successful",
    Result.FAILURE: "failed",
    Result.UNKNOWN: "unknown",
}


#: Reason of the event about a result, and the word in it; none where there is nothing to tell.
TOLD_AS = {
    Result.FAILURE: ("Unhealthy", "failed"),
    Result.UNKNOWN: ("Unhealthy", "errored"),
    Result.WARNING: ("ProbeWarning", "warning"),
    Result.SUCCESS: ("", ""),
}


class _Probed(msgspec.Struct, eq=False):
    """One run of a container and what its probes have found."""

    pod: Pod
    run: ProbedRun
    target: Target
    states: dict[ProbeKind, ProbeState]
    news: dict[ProbeKind, asyncio.Event] = msgspec.field(default_factory=dict)
    over: bool = False

    def end(self) -> None:
        self.over = True
        self.announce()

    def announce(self) -> None:
        """Have every probe of this run look again whether it is due."""
        for event in self.news.values():
            event.set()

    @property
    def health(self) -> RunHealth:
        return probes.run_health(self.run.container, self.states)


class PodProber:
    """Probes the containers of one Pod while they run; what that changes wakes the worker."""

    def __init__(self, node: NodeServices) -> None:
        self._node = node
        self._runs: dict[str, _Probed] = {}

    @property
    def health(self) -> dict[str, RunHealth]:
        """What is known of runs that have probes, by container ID."""
        return {run_id: probed.health for run_id, probed in self._runs.items()}

    def follow(self, pod: Pod, observed: Observed, jobs: Jobs) -> None:
        """Begin to probe what has come to run, and forget what runs no more."""
        running: dict[str, tuple[Container, ContainerRecord]] = {}
        for container in (*filter(is_sidecar, pod.spec.init_containers), *pod.spec.containers):
            record = observed.latest(container.name)
            if record and record.is_running and next(probes.probes_of(container), None):
                running[record.id] = (container, record)
        for run_id in self._runs.keys() - running.keys():
            self._runs.pop(run_id).end()
        for run_id, (container, record) in running.items():
            known = self._runs.get(run_id)
            if known is None:
                self._begin(pod, container, record, observed, jobs)
            else:
                known.pod = pod

    def _begin(
        self,
        pod: Pod,
        container: Container,
        record: ContainerRecord,
        observed: Observed,
        jobs: Jobs,
    ) -> None:
        run = ProbedRun(
            container,
            record.started_at or record.created_at,
            _periods(pod, container),
        )
        address = observed.ips[0] if observed.ips else self._node.options.node_ip
        target = Target(container, record.id, address)
        probed = _Probed(pod, run, target, self._adopted(pod, run, record))
        self._runs[record.id] = probed
        for kind, probe in probes.probes_of(container):
            prefix = READINESS_JOB if kind is ProbeKind.READINESS else f"{kind.value.lower()} "
            jobs.start(prefix + record.id, _Prober(self._node, probed, kind, probe, jobs).run)

    def _adopted(
        self, pod: Pod, run: ProbedRun, record: ContainerRecord
    ) -> dict[ProbeKind, ProbeState]:
        """Take over what the last kubelet published of this run, and the rhythm of its probes."""
        status = self._node.status.latest(pod)
        published: list[ContainerStatus] = [
            found
            for found in (*status.container_statuses, *status.init_container_statuses)
            if found.container_id == container_id(record)
        ]
        if not published:
            return {}
        return probes.adopted(
            run,
            started=bool(published[0].started),
            ready=published[0].ready,
            now=self._node.clock.now(),
        )


class _Prober:
    """Makes one probe of a run, again and again while it has something to find out."""

    def __init__(
        self, node: NodeServices, probed: _Probed, kind: ProbeKind, probe: Probe, jobs: Jobs
    ) -> None:
        self._node, self._probed, self._kind, self._probe = node, probed, kind, probe
        self._wake = jobs.wake
        self._news = probed.news[kind] = asyncio.Event()
        self._attempt = attempt(node.runtime, probed.target, probe)
        self._period = probes.period(probed.run, kind, probe)
        meta, container = probed.pod.metadata, probed.run.container.name
        self._counted_as = (meta.namespace, meta.name, meta.uid, container, kind.value)

    async def run(self) -> None:
        while not self._probed.over:
            when = await self._due()
            if when is not None:
                await self._once(when)

    async def _due(self) -> datetime | None:
        """Wait until the probe is due and return when that was; None when there is news first."""
        probed, clock = self._probed, self._node.clock
        self._news.clear()
        when = probes.due(probed.run, self._kind, probed.states)
        if when is None:
            await clock.wait(self._news, None)
            return None
        seconds = (when - clock.now()).total_seconds()
        # No longer than that, wherever somebody has set the clock to.
        seconds = min(seconds, max(self._period, self._probe.initial_delay_seconds))
        slack = probes.slack(probed.states.get(self._kind), self._probe, self._period)
        if seconds > 0 and await clock.wait(self._news, seconds, slack):
            return None
        return when

    async def _once(self, when: datetime) -> None:
        probed, kind, clock = self._probed, self._kind, self._node.clock
        before, now = probed.health, clock.now()
        state = probes.probed(probed.states.get(kind, ProbeState()), when, now, self._period)
        probed.states[kind] = state
        begun = clock.monotonic()
        outcome = await self._attempt()
        if probed.over or not await runs(self._node.runtime, probed.target.container_id):
            return  # what a container says on its way out is no news
        if probes.too_early(probed.run, state, outcome.result, now):
            probed.states[kind] = probes.tried_early(state)
            return
        took, result = clock.monotonic() - begun, outcome.result
        self._node.probe_counts.add(self._counted_as, COUNTED_AS[result], took)
        self._tell(outcome)
        probed.states[kind] = probes.after(state, kind, self._probe, result)
        if probed.health != before:
            probed.announce()
            self._wake()

    def _tell(self, outcome: Outcome) -> None:
        reason, word = TOLD_AS[outcome.result]
        if reason:
            pod, container = self._probed.pod, self._probed.run.container.name
            text = f"{self._kind.value} probe {word}: {outcome.text}"
            path = field_path(pod, container)
            self._node.events.event(pod, "Warning", reason, text, field_path=path)


def _periods(pod: Pod, container: Container) -> dict[ProbeKind, float]:
    """The periods of the Pod's annotation; a Pod that began with good ones may get others."""
    try:
        return probes.probe_periods(pod, container.name)
    except ValueError as exc:
        logger.warning("probe periods not used", extra={"pod": pod_key(pod), "error": exc})
        return {}
