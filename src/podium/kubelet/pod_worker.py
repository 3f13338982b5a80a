"""One Pod: what is wanted and what is there, brought together turn by turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod
from podium.domain.pods import garbage
from podium.domain.pods.backoff import RestartBackOff, pod_back_off
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.containers import field_path, target_of
from podium.domain.pods.eviction import is_critical
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import Observed
from podium.domain.pods.phase import is_terminal
from podium.domain.pods.plan import (
    CreateSandbox,
    KillContainer,
    Plan,
    StartContainer,
    is_finished,
    plan,
)
from podium.domain.pods.static import is_static
from podium.domain.pods.status import (
    StatusInput,
    Verdict,
    blocked_status,
    pod_status,
    rejected_status,
)
from podium.domain.pods.termination import (
    DEADLINE_EXCEEDED,
    DEADLINE_MESSAGE,
    EVICTED,
    deadline,
    grace_period,
    must_end,
)
from podium.kit.backoff import Backoff
from podium.kubelet import cut_short
from podium.kubelet.admission import refusal
from podium.kubelet.container_kill import ContainerKills
from podium.kubelet.container_start import ContainerStarter
from podium.kubelet.container_stop import ContainerStopper
from podium.kubelet.jobs import Jobs
from podium.kubelet.observe import Observer
from podium.kubelet.pod_ending import GONE_GRACE, PodEnding
from podium.kubelet.pod_files import PodFiles
from podium.kubelet.post_start import PostStartHooks
from podium.kubelet.preparation import Preparation
from podium.kubelet.probing.prober import PodProber
from podium.kubelet.resizing import PodResizer
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.manager import PodVolumes
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

#: A Pod that needs longer than this (seconds) to start is reported as ContainerCreating meanwhile.
SLOW_START = 0.2
#: How often a critical Pod looks whether those that make room for it have ended.
WAIT_FOR_ROOM = timedelta(seconds=0.5)
#: Seconds after which a failed create is tried again.
RETRY_CREATE = 10.0


class PodWorker:
    """Drives one Pod towards its spec; the only caller of the runtime for that Pod.

    Level-triggered: a wake-up carries no payload, and every turn starts again from what is wanted
    and what is there. Lost, merged or repeated wake-ups cost time, never correctness. Cancelling
    stops the worker and leaves the containers alone; the next kubelet process adopts them.

    What takes long (pulls, volumes, the sandbox, kills) runs beside the turns, as jobs whose ends
    wake the worker, so that a deletion never waits for them.
    """

    def __init__(self, pod: Pod, node: NodeServices) -> None:
        self.pod = pod  #: as it is to be run: with the resources that it was granted
        self._wanted = pod  #: as the API has it
        self.uid = pod.metadata.uid
        self.gone = False  #: the object is no longer in the API
        self.admitted = False  #: counts against the node's resources
        self.may_begin = asyncio.Event()  #: nothing runs of an earlier Pod, or this one is deleted
        self.over = asyncio.Event()  #: nothing runs any more, and nothing is mounted
        self._node = node
        self._wake = asyncio.Event()
        self._jobs: Jobs | None = None
        self._cut_short = cut_short.CutShort(node.clock)
        self._observer = Observer(node.runtime, self.uid, node.options.node_ip)
        self._volumes = PodVolumes(
            self.uid, node.options, node.objects, node.client, node.node, node.clock
        )
        meta = pod.metadata
        self._files = PodFiles(meta.namespace, meta.name, self.uid, node.options)
        self._resizer = PodResizer(node, self.uid)
        self._starter = ContainerStarter(node, self._files, self._volumes)
        self._waiting: dict[str, Waiting] = {}
        self._retry_at: dict[str, datetime] = {}
        self._verdict: Verdict | None = None
        self._blocked: Verdict | None = None
        self._prober = PodProber(node)
        self._stopper = ContainerStopper(node)
        self._kills = ContainerKills(node, self._stopper)
        self._post_start = PostStartHooks(node, self._stopper, self._waiting)
        self._backoff = Backoff(initial=0.5, maximum=30.0)
        if self._is_deleted:
            self.may_begin.set()

    def wake(self) -> None:
        self._wake.set()

    def update(self, pod: Pod) -> None:
        """Take over a new version of the Pod."""
        self._wanted, self.pod = pod, self._resizer.granted(pod)
        self._node.objects.use(pod)
        if not is_static(pod):  # its mirror is looked at
            self._node.status.seen(self.uid, pod)
        if self._is_deleted:
            self.may_begin.set()
            self._end_soon()
        self.wake()

    def evict(
        self, message: str, grace: float, *, for_node: bool, annotations: Mapping[str, str] | None
    ) -> asyncio.Event | None:
        """End the Pod for good, because of what it takes of the node; return its end.

        None where it is ending already. It gets *grace* seconds, or its own if those are fewer.
        """
        seconds = min(max(grace, GONE_GRACE), grace_period(self.pod))
        disruption = message if for_node else ""
        if not self.end(Verdict(EVICTED, message, grace=seconds, disruption=disruption)):
            return None
        self._node.events.event(self.pod, "Warning", EVICTED, message, annotations=annotations)
        return self.over

    def end(self, verdict: Verdict) -> bool:
        """End the Pod for good, for the reason in *verdict*; tell whether it was not ending."""
        if self._verdict is not None or not self.active:
            return False
        self._verdict = verdict
        self._end_soon()
        self.wake()
        return True

    def volume_paths(self) -> dict[str, str]:
        return self._volumes.paths(self.pod)

    @property
    def resize_waits(self) -> bool:
        return self.active and self._resizer.state.pending is not None

    def resize_order(self) -> tuple[object, ...]:
        return self._resizer.order(self._wanted)

    def reconsider_resize(self) -> None:
        """Look again whether there is room for what the API asks for."""
        try:
            self._consider_resize()
        except OSError as exc:
            extra = {"pod": pod_key(self.pod), "error": exc}
            logger.warning("resize could not be considered again", extra=extra)
        self.wake()

    def _consider_resize(self) -> bool:
        """Tell whether the Pod has been granted something else than before. Raises OSError."""
        granted = self._resizer.consider(self._wanted)
        self.pod = self._resizer.granted(self._wanted)
        return granted

    def vanish(self) -> None:
        """The Pod is no longer in the API: end what there is of it."""
        self.gone = True
        self.may_begin.set()
        self._end_soon()
        self.wake()

    @property
    def active(self) -> bool:
        """Whether the Pod takes up resources of the node."""
        return self.admitted and not is_terminal(self._node.status.latest(self.pod).phase)

    @property
    def stays(self) -> bool:
        """Whether it is active and not ending."""
        return self.active and self._verdict is None and not self._is_deleted

    @property
    def _is_deleted(self) -> bool:
        return self.gone or self.pod.metadata.deletion_timestamp is not None

    async def run(self) -> None:
        """Return once nothing is left of the Pod, on the node or in the API."""
        self._node.objects.use(self.pod)
        self._prober = PodProber(self._node)  # afresh: a worker may run again after a bug
        try:
            async with asyncio.TaskGroup() as group:
                self._jobs = jobs = Jobs(group, self.wake)
                preparation = Preparation(self._node, self._files, self._volumes, jobs)
                ending = PodEnding(self._node, self._files, self._volumes, jobs, self._stopper)
                await self._loop(jobs, preparation, ending)
                await jobs.cancel()
            self.over.set()
        finally:
            self._jobs = None
            self._node.objects.release(self.uid)
        self._node.images.forget(self.uid)
        self._node.probe_counts.forget(self.uid)
        self._node.status.forget(self.uid)

    async def _loop(self, jobs: Jobs, preparation: Preparation, ending: PodEnding) -> None:
        while True:
            self._wake.clear()  # before the turn: news that arrives during it buys another one
            try:
                observed = await self._look()
                self._prober.follow(self.pod, self._post_start.hide(observed), jobs)
                if self._must_end(observed):
                    if await self._end(observed, ending):
                        return
                    look_again = ending.look_again
                elif self._blocked is not None:
                    self._report(observed)
                    look_again = deadline(self.pod, self._node.status.latest(self.pod))
                elif not self.admitted:
                    look_again = self._node.clock.now() + WAIT_FOR_ROOM
                else:
                    async with self._cut_short.scope():
                        look_again = await self._advance(observed, jobs, preparation)
                self._backoff.reset()
            except (RuntimeFailure, OSError) as exc:
                if self._is_deleted:
                    ending.blocked(self.pod, exc)
                delay = self._backoff.next()
                look_again = self._node.clock.now() + timedelta(seconds=delay)
                logger.warning(
                    "pod could not be brought forward",
                    extra={"pod": pod_key(self.pod), "error": exc, "retry_in": f"{delay:g}s"},
                )
            await self._node.clock.wait(self._wake, self._seconds_until(look_again))

    async def _look(self) -> Observed:
        """See what there is of the Pod; its end does not wait for a runtime that hangs."""
        if not self._is_deleted and self._verdict is None:
            async with self._cut_short.scope():
                return await self._observer.observe()
        return await self._observer.observe_soon(self._node.clock)

    def _end_soon(self) -> None:
        if self._jobs is not None:
            self._jobs.start(cut_short.JOB, self._cut_short.unwanted)

    def _seconds_until(self, moment: datetime | None) -> float | None:
        if moment is None:
            return None
        return max((moment - self._node.clock.now()).total_seconds(), 0.0)

    # -- a Pod that is wanted

    def _must_end(self, observed: Observed) -> bool:
        if self.gone or must_end(self.pod, self._node.status.latest(self.pod).phase):
            return True
        if not self.admitted and self._blocked is None:
            self._admit(observed)
        if self.admitted and self._consider_resize():
            self._node.room_freed()
        self._check_deadline()
        shown = self._post_start.hide(observed)  # a hook is done before its Pod is
        return self._verdict is not None or is_finished(self.pod, shown, self._kills.replaced)

    def _admit(self, observed: Observed) -> None:
        """Decide once whether the Pod may run here; what runs already is not asked again."""
        if not observed.sandboxes and not observed.containers:
            others = [pod for pod in self._node.pods_on_node() if pod.metadata.uid != self.uid]
            verdict = refusal(self.pod, self._node.node(), others, self._node.rules)
            if verdict is not None and verdict.blocks:
                self._blocked = verdict
                return
            if verdict is not None and self._gets_room(verdict):
                return
            if verdict is not None:
                self._verdict = verdict
                self._node.events.event(self.pod, "Warning", verdict.reason, verdict.message)
                status = rejected_status(self.pod, verdict, self._node.clock.now())
                self._node.status.report(self.pod, status)
                return
            self._resizer.admit(self._wanted)
        else:
            self._resizer.adopt(self._wanted)
        self.admitted = True

    def _gets_room(self, verdict: Verdict) -> bool:
        """Whether others are ending so that a critical Pod has what it lacks."""
        short = verdict.reason.startswith("OutOf")
        return short and is_critical(self.pod) and self._node.make_room(self.pod)

    def _check_deadline(self) -> None:
        until = deadline(self.pod, self._node.status.latest(self.pod))
        if self._verdict is None and until is not None and until <= self._node.clock.now():
            self._verdict = Verdict(DEADLINE_EXCEEDED, DEADLINE_MESSAGE)
            self._node.events.event(self.pod, "Normal", DEADLINE_EXCEEDED, DEADLINE_MESSAGE)

    async def _advance(
        self, observed: Observed, jobs: Jobs, preparation: Preparation
    ) -> datetime | None:
        """Do what the plan says; return when to look again."""
        resized = None
        if self._resizer.busy:
            resized = await self._resizer.carry_out(self.pod, observed)
            observed = await self._observer.observe()
        now = self._node.clock.now()
        behind = self._resizer.behind
        curve = self._back_off_curve()
        step = plan(
            self.pod, observed, now, self._kills.replaced, self._prober.health, behind, curve
        )
        if not self._is_replacing(observed):
            self._report_progress(observed, jobs)
        if must_end(self.pod, self._node.status.latest(self.pod).phase):
            self.wake()  # that was the last container's end
            return None
        for path, text in self._note_back_off(step):
            self._node.events.event(self.pod, "Warning", "BackOff", text, field_path=path)
        moments = [step.look_again, resized]
        moments.append(deadline(self.pod, self._node.status.latest(self.pod)))
        moments.append(preparation.refresh(self.pod, observed))
        moments += await self._perform(step, observed, jobs, preparation)
        moments.append(await self._remove_garbage(observed, now))
        if self._waiting and not self._is_replacing(observed):
            self._report(observed)
        return min((moment for moment in moments if moment is not None), default=None)

    def _is_replacing(self, observed: Observed) -> bool:
        return self._kills.is_replacing(self.pod, observed, self._waiting)

    async def _remove_garbage(self, observed: Observed, now: datetime) -> datetime | None:
        """Remove runs and sandboxes that nobody needs any more; return when there may be more."""
        policy = self._node.options.config.dead_containers
        containers, later = garbage.superfluous(observed, now, policy)
        for container_id in containers:
            await self._node.runtime.remove_container(container_id)
        for sandbox_id in garbage.superfluous_sandboxes(observed):
            await self._node.runtime.remove_pod_sandbox(sandbox_id)
        return later

    def _back_off_curve(self) -> RestartBackOff:
        node = self._node.options.config.restart_back_off
        try:
            return pod_back_off(self.pod, node)
        except ValueError:  # changed since the Pod was admitted
            return node

    def _note_back_off(self, step: Plan) -> list[tuple[str, str]]:
        """Take over which containers are in back-off; return the events for those that are new."""
        fresh = []
        for name, waiting in step.waiting.items():
            if self._waiting.get(name) != waiting:
                path = field_path(self.pod, name)
                fresh.append((path, "Back-off restarting failed container"))
            self._waiting[name] = waiting
        return fresh

    async def _perform(
        self, step: Plan, observed: Observed, jobs: Jobs, preparation: Preparation
    ) -> list[datetime | None]:
        moments: list[datetime | None] = []
        starts = [action for action in step.actions if isinstance(action, StartContainer)]
        if starts or any(isinstance(action, CreateSandbox) for action in step.actions):
            moments.append(preparation.begin(self.pod, step, observed))
        for action in step.actions:
            if isinstance(action, StartContainer):
                if not self._post_start.under_way:
                    moments.append(await self._start(action, observed, jobs, preparation))
            elif isinstance(action, KillContainer):
                self._kills.begin(self.pod, action, observed, jobs)
        return moments

    async def _start(
        self,
        action: StartContainer,
        observed: Observed,
        jobs: Jobs,
        preparation: Preparation,
    ) -> datetime | None:
        """Start a container for which all is there; return when to look again if it is not."""
        name, now = action.name, self._node.clock.now()
        image = preparation.image(self.pod, action)
        if not preparation.volumes_ready or image.ready is None:
            if image.waiting is not None:
                self._waiting[name] = image.waiting
            return image.try_again
        retry_at = self._retry_at.get(name)
        if retry_at is not None and retry_at > now and not preparation.changed:
            return retry_at
        sandbox = observed.sandbox
        assert sandbox is not None, "plan() starts containers in a ready sandbox only"
        config = preparation.sandbox_config(self.pod, sandbox.attempt)
        target = observed.latest(target_of(self.pod, name))
        target_id = target.id if target else ""
        result = await self._starter.start(
            self.pod, action, sandbox, config, image.ready, target_id
        )
        self._retry_at.pop(name, None)
        if isinstance(result, str):
            preparation.used(name)
            self._resizer.started(name)
            grace = grace_period(self.pod)
            self._post_start.begin(self.pod, name, result, sandbox.ips, grace, jobs)
        else:
            self._waiting[name] = result
            if result.reason != "RunContainerError":
                self._retry_at[name] = now + timedelta(seconds=RETRY_CREATE)
                preparation.changed = False
                await preparation.look_again(name)
                return self._retry_at[name]
            preparation.used(name)
        self.wake()  # look at once at what has come of it
        return None

    # -- telling

    def _report_progress(self, observed: Observed, jobs: Jobs) -> None:
        """Report at once what runs or has run; a Pod that only begins gets a moment first.

        Most Pods run before that moment is over, and their first status says so.
        """
        if observed.containers or self._waiting or self._node.status.published(self.uid):
            self._report(observed)
        else:
            jobs.start("slow start", self._report_later)

    async def _report_later(self) -> None:
        await self._node.clock.sleep(SLOW_START)
        if not self._node.status.published(self.uid):
            self._report(await self._observer.observe())

    def _report(self, observed: Observed, *, ended: bool = False) -> None:
        ending = ended or self._verdict is not None  # it has not ended while a hook's run goes on
        given = StatusInput(
            pod=self.pod,
            observed=observed if ending else self._post_start.hide(observed),
            previous=self._node.status.latest(self.pod),
            host_ip=self._node.options.node_ip,
            waiting=self._waiting,
            health=self._prober.health,
            verdict=self._verdict,
            ended=ended,
            resizing=self._resizer.state,
        )
        now = self._node.clock.now()
        status = (
            blocked_status(given, self._blocked, now) if self._blocked else pod_status(given, now)
        )
        before = self.active
        self._node.status.report(self.pod, status)
        if before and not self.active:
            self._node.room_freed()

    # -- a Pod that is over

    async def _end(self, observed: Observed, ending: PodEnding) -> bool:
        """Bring the Pod's end forward; tell whether nothing is left of it."""
        if self.gone:
            return await ending.advance(self.pod, observed, gone=True, grace=GONE_GRACE)
        deleting = self.pod.metadata.deletion_timestamp is not None
        rejected = self._verdict is not None and not self.admitted
        settled = is_terminal(self.pod.status.phase) and not observed.containers
        if not rejected and not settled:
            # What stays for a finalizer's sake gets its last phase; what goes needs none.
            stays = not deleting or bool(self.pod.metadata.finalizers)
            if deleting:
                self._waiting.clear()
            self._report(observed, ended=stays and ending.nothing_runs(observed))
        grace = self._verdict.grace if self._verdict is not None else None
        over = await ending.advance(self.pod, observed, grace=grace)
        if ending.swept:
            self.over.set()
        return over
