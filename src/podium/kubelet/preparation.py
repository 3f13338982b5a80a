"""What a Pod needs before its containers start: sandbox, volumes, images; all got at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec

from podium.api.types.core_v1 import Pod, Secret
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.containers import find_container
from podium.domain.pods.downward import DownwardFacts
from podium.domain.pods.identity import container_hash, pod_key
from podium.domain.pods.observed import Observed
from podium.domain.pods.plan import CreateSandbox, Plan, StartContainer
from podium.domain.pods.static import is_static
from podium.kit.backoff import Backoff
from podium.kubelet.container_start import downward_facts
from podium.kubelet.images import ImageReady, ImageResult
from podium.kubelet.jobs import Jobs
from podium.kubelet.objects import mounted_volumes
from podium.kubelet.pod_files import PodFiles
from podium.kubelet.sandbox_start import SandboxProblem, SandboxStarter
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.manager import MountFailed, PodVolumes
from podium.runtime.port import PodSandboxConfig

logger = logging.getLogger(__name__)

#: How long volumes may take before an event tells that they take too long.
MOUNT_TIMEOUT = timedelta(seconds=123)


class ImageState(msgspec.Struct, frozen=True):
    """``ready`` when the image is there; ``waiting`` and ``try_again`` when it could not be got."""

    ready: ImageReady | None = None
    waiting: Waiting | None = None
    try_again: datetime | None = None


class Preparation:
    """Jobs of one Pod, and what has come of them."""

    def __init__(
        self, node: NodeServices, files: PodFiles, volumes: PodVolumes, jobs: Jobs
    ) -> None:
        self._node, self._volumes, self._jobs = node, volumes, jobs
        self._sandboxes = SandboxStarter(node, files)
        self.volumes_ready = False
        #: Whether objects may have changed since a container last failed to be configured.
        self.changed = False
        self._images: dict[str, tuple[str, ImageResult]] = {}
        self._looked_ahead: set[tuple[str, str]] = set()
        self._seen = node.clock.now()
        self._volumes_since: datetime | None = None
        self._missing: list[str] = []
        self._mounted: frozenset[str] = frozenset()
        self._volumes_failed_until: datetime | None = None
        self._volumes_backoff = Backoff(initial=0.5, maximum=122.0)
        self._sandbox_failed_until: datetime | None = None
        self._sandbox_backoff = Backoff(initial=1.0, maximum=60.0)
        self._versions: tuple[object, ...] | None = None

    def begin(self, pod: Pod, step: Plan, observed: Observed) -> datetime | None:
        """Start whatever is missing and not under way; return when to look again.

        Nothing is begun for a Pod whose volumes cannot be filled yet. Apart from that the token of
        its ServiceAccount, the sandbox and all images are got at the same time.
        """
        now = self._node.clock.now()
        if self._mounted != _mounted(pod):  # an ephemeral container mounts one more
            self.volumes_ready = False
        if not self.volumes_ready:
            if not self._node.objects.known(pod) or not self._volumes.located(pod):
                return self._begin_locating(pod, now)
            blocked = self._check_volumes(pod, observed.ips, now)
            if blocked is not None:
                return blocked
        moments: list[datetime] = []
        if not self.volumes_ready:
            moments += self._begin_volumes(pod, observed.ips, now)
        for action in step.actions:
            if isinstance(action, CreateSandbox):
                moments += self._begin_sandbox(pod, action, step, now)
                if pod.spec.runtime_class_name:
                    continue  # its sandbox may never come
                first = pod.spec.init_containers[:1] or pod.spec.containers
                for container in (*pod.spec.init_containers, *pod.spec.containers):
                    ahead = container not in first
                    moments += self._begin_image(pod, container.name, now, ahead=ahead)
            elif isinstance(action, StartContainer):
                moments += self._begin_image(pod, action.name, now)
        return min(moments, default=None)

    def refresh(self, pod: Pod, observed: Observed) -> datetime | None:
        """Keep volumes current: fill them again when their objects change or a token ages."""
        now = self._node.clock.now()
        due = self._volumes.refresh_at
        changed = self._versions is not None and self._versions != self._facts(pod)
        if changed:
            self._versions, self.changed = self._facts(pod), True
            self._volumes_failed_until = None
        adopted = not self.volumes_ready and observed.anything_runs
        if not self.volumes_ready and not adopted:
            return due  # begin() sees to them
        if changed or adopted or (due is not None and due <= now):
            return min(self._begin_volumes(pod, observed.ips, now), default=None)
        return due

    def _facts(self, pod: Pod) -> tuple[object, ...]:
        """What the content of volumes and environments follows from."""
        meta = pod.metadata
        return meta.labels, meta.annotations, self._node.objects.versions(pod)

    def image(self, pod: Pod, action: StartContainer) -> ImageState:
        """What is known of the image for the next run of a container."""
        container = find_container(pod, action.name)
        known = self._images.get(action.name)
        if known is None or container is None or known[0] != container_hash(container):
            return ImageState()
        result = known[1]
        if isinstance(result, ImageReady):
            return ImageState(ready=result)
        return ImageState(waiting=result.waiting, try_again=result.try_again)

    def used(self, name: str) -> None:
        """A container was started: its next run has its image looked up anew."""
        self._images.pop(name, None)

    async def look_again(self, name: str) -> None:
        """A container could not be made: its image may have been removed meanwhile."""
        known = self._images.get(name)
        result = known[1] if known is not None else None
        if isinstance(result, ImageReady) and not await self._node.images.has(result):
            self.used(name)

    def sandbox_config(self, pod: Pod, attempt: int) -> PodSandboxConfig:
        return self._sandboxes.config(pod, attempt)

    # -- images

    def _begin_image(
        self, pod: Pod, name: str, now: datetime, *, ahead: bool = False
    ) -> list[datetime]:
        """See to the image of a container; *ahead* of its time only if it has to be pulled."""
        container = find_container(pod, name)
        assert container is not None, "plan() starts containers of the spec only"
        key = container_hash(container)
        known = self._images.get(name)
        if known is not None and known[0] == key:
            if isinstance(known[1], ImageReady):
                return []
            if known[1].try_again > now:
                return [known[1].try_again]

        if ahead and (name, key) in self._looked_ahead:
            return []
        if ahead:
            self._looked_ahead.add((name, key))

        async def ensure() -> None:
            if ahead and not await self._node.images.is_missing(container):
                return
            await self._node.objects.ready(pod)
            secrets = self._pull_secrets(pod)
            self._images[name] = key, await self._node.images.ensure_all(pod, container, secrets)

        self._jobs.start(f"image {name} {key}", ensure)
        return []

    def _pull_secrets(self, pod: Pod) -> list[Secret]:
        """The secrets for pulls that there are; an event tells of the others."""
        names = [reference.name for reference in pod.spec.image_pull_secrets if reference.name]
        found = {name: self._node.objects.secret(pod.metadata.namespace, name) for name in names}
        missing = [name for name in names if found[name] is None]
        if missing:
            text = (
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
                "attempting to pull the image may not succeed."
            )
            self._node.events.event(pod, "Warning", "FailedToRetrieveImagePullSecret", text)
        return [secret for secret in found.values() if secret is not None]

    # -- volumes

    def _begin_locating(self, pod: Pod, now: datetime) -> datetime | None:
        """Have looked up what volumes are made from; return when to try again if that failed."""
        self._volumes_since = self._volumes_since or now
        if self._volumes_failed_until is not None and self._volumes_failed_until > now:
            return self._volumes_failed_until

        async def locate() -> None:
            await self._node.objects.ready(pod)
            failures = await self._volumes.locate(pod)
            if failures:
                self._note_failures(pod, failures, self._node.clock.now())

        self._jobs.start("objects", locate)
        return None

    def _check_volumes(self, pod: Pod, ips: tuple[str, ...], now: datetime) -> datetime | None:
        """Return when to try again if a volume cannot be filled from what is there."""
        self._volumes_since = self._volumes_since or now
        if now - self._volumes_since >= MOUNT_TIMEOUT:
            self._tell_timeout(pod, now)
        if self._volumes_failed_until is not None and self._volumes_failed_until > now:
            return min(self._volumes_failed_until, self._volumes_since + MOUNT_TIMEOUT)
        if self._jobs.running("volumes"):
            return None
        self._versions = self._facts(pod)
        failures = self._volumes.check(pod, self._downward(pod, ips))
        return self._note_failures(pod, failures, now) if failures else None

    def _begin_volumes(self, pod: Pod, ips: tuple[str, ...], now: datetime) -> list[datetime]:
        if self._volumes_failed_until is not None and self._volumes_failed_until > now:
            return [self._volumes_failed_until]
        self._jobs.start("volumes", lambda: self._set_up(pod, ips))
        return []

    async def _set_up(self, pod: Pod, ips: tuple[str, ...]) -> None:
        await self._node.objects.ready(pod)
        self._versions = self._facts(pod)
        failures = await self._volumes.set_up(pod, self._downward(pod, ips))
        if failures:
            self._note_failures(pod, failures, self._node.clock.now())
            return
        self._volumes_failed_until = None
        self._volumes_backoff.reset()
        self._mounted = _mounted(pod)
        self.volumes_ready = True

    def _note_failures(self, pod: Pod, failures: list[MountFailed], now: datetime) -> datetime:
        unprocessed = [str(failure) for failure in failures if not failure.processed]
        if unprocessed:
            every = self._mounted_names(pod)
            self._tell(pod, every, every, "; ".join(unprocessed))
        for failure in failures if not unprocessed else ():
            self._node.events.event(pod, "Warning", "FailedMount", str(failure))
        self._missing = [failure.volume for failure in failures]
        self._volumes_failed_until = now + timedelta(seconds=self._volumes_backoff.next())
        return self._volumes_failed_until

    def _tell_timeout(self, pod: Pod, now: datetime) -> None:
        self._volumes_since = now
        every, why = self._mounted_names(pod), "timed out waiting for the condition"
        self._tell(pod, " ".join(sorted(self._missing)), every, why)

    def _tell(self, pod: Pod, missing: str, every: str, why: str) -> None:
        text = (
            f"Unable to attach or mount volumes: unmounted volumes=[{missing}], "
            f"unattached volumes=[{every}]: {why}"
        )
        self._node.events.event(pod, "Warning", "FailedMount", text)

    def _mounted_names(self, pod: Pod) -> str:
        return " ".join(sorted(volume.name for volume in mounted_volumes(pod)))

    def _downward(self, pod: Pod, ips: tuple[str, ...]) -> DownwardFacts:
        # A static Pod brings the annotations that tell.
        return downward_facts(self._node, ips, None if is_static(pod) else self._seen)

    # -- the sandbox

    def _begin_sandbox(
        self, pod: Pod, action: CreateSandbox, step: Plan, now: datetime
    ) -> list[datetime]:
        if self._sandbox_failed_until is not None and self._sandbox_failed_until > now:
            return [self._sandbox_failed_until]
        if step.sandbox_changed and not self._jobs.running("sandbox"):
            text = "Pod sandbox changed, it will be killed and re-created."
            self._node.events.event(pod, "Normal", "SandboxChanged", text)
        self._jobs.start("sandbox", lambda: self._create_sandbox(pod, action.attempt))
        return []

    async def _create_sandbox(self, pod: Pod, attempt: int) -> None:
        try:
            await self._sandboxes.start(pod, attempt)
        except SandboxProblem as exc:
            delay = timedelta(seconds=self._sandbox_backoff.next())
            self._sandbox_failed_until = self._node.clock.now() + delay
            text = f"Failed to create pod sandbox: {exc}"
            self._node.events.event(pod, "Warning", "FailedCreatePodSandBox", text)
            logger.warning("sandbox could not be made", extra={"pod": pod_key(pod), "error": exc})
            return
        self._sandbox_failed_until = None
        self._sandbox_backoff.reset()


def _mounted(pod: Pod) -> frozenset[str]:
    return frozenset(volume.name for volume in mounted_volumes(pod))
