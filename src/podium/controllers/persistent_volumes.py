"""Binds claims to PersistentVolumes, and tells the phase of both.

Upstream's persistentvolume-controller: the decisions are ``podium.domain.storage``'s. What a volume
holds is not touched: a provisioner deletes what it has made.
"""

from __future__ import annotations

from msgspec.structs import replace

from podium.api import scheme
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from podium.api.types.storage_v1 import StorageClass
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.storage_protection import claims_of
from podium.domain.storage import binding, claims, volumes
from podium.domain.storage.names import BIND_COMPLETED, BOUND, class_of
from podium.kit.clock import Clock

_Key = tuple[str, str]


class PersistentVolumeController:
    """Keys are namespace and name of a claim; of a volume, with "" as namespace.

    One key at a time: what one claim gets, another one must not be given meanwhile.
    """

    def __init__(
        self,
        client: Client,
        claim_informer: Informer[PersistentVolumeClaim],
        volume_informer: Informer[PersistentVolume],
        classes: Informer[StorageClass],
        pods: Informer[Pod],
        recorder: EventRecorder,
        clock: Clock,
    ) -> None:
        self._client, self._recorder = client, recorder
        self._claims, self._volumes = claim_informer, volume_informer
        self._classes, self._pods = classes, pods
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        self._told: dict[str, claims.Told | None] = {}  # by uid of the claim
        #: What was written and the informer has not shown yet.
        self._newer: dict[str, PersistentVolume] = {}
        claim_informer.on_change(self._claim_changed)
        volume_informer.on_change(self._volume_changed)
        classes.on_change(lambda _, new: self._look_at_claims() if new else None)
        pods.on_change(self._pod_changed)

    async def run(self) -> None:
        await work("persistentvolume-controller", self._queue, self._reconcile, workers=1)

    # -- news

    def _claim_changed(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> None:
        claim = new or old
        assert claim is not None
        if new is None:
            self._told.pop(claim.metadata.uid, None)
        else:
            self._queue.add((claim.metadata.namespace, claim.metadata.name))
        if claim.spec.volume_name:
            self._queue.add(("", claim.spec.volume_name))

    def _volume_changed(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        volume = new or old
        assert volume is not None
        name, reference = volume.metadata.name, volume.spec.claim_ref
        known = self._newer.get(name)
        if known is not None and (new is None or not _is_older(new, known)):
            del self._newer[name]
        if new is not None:
            self._queue.add(("", name))
        if reference is not None:
            self._queue.add((reference.namespace, reference.name))
        else:
            self._look_at_claims()

    def _look_at_claims(self) -> None:
        """Look again at the claims that wait, for a volume or for a class to be there."""
        for claim in self._claims.list():
            if BIND_COMPLETED not in claim.metadata.annotations:
                self._queue.add((claim.metadata.namespace, claim.metadata.name))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None or (old and new and old.spec.node_name == new.spec.node_name):
            return
        for name in claims_of(pod):
            self._queue.add((pod.metadata.namespace, name))

    # -- one claim

    async def _reconcile(self, key: _Key) -> None:
        namespace, name = key
        if not namespace:
            volume = self._volume(name)
            if volume is not None:
                await self._reconcile_volume(volume)
            return
        claim = self._claims.get(namespace, name)
        if claim is None:
            return
        known = {found.metadata.name: self._latest(found) for found in self._volumes.list()}
        step = claims.decide(
            claim, known, self._classes.get("", class_of(claim)), self._unscheduled(claim)
        )
        if isinstance(step, claims.Bind):
            await self._bind(claim, step.volume)
            return
        later = claims.default_class(claim, self._classes.list())
        if later is not None and not claim.spec.volume_name:
            new = replace(claim, spec=replace(claim.spec, storage_class_name=later))
            await self._client.update(scheme.PERSISTENTVOLUMECLAIMS, new)
            return
        self._tell(claim, step.told)
        if step.provisioner:
            marked = binding.provisioned_by(claim, step.provisioner)
            if marked != claim:
                claim = await self._client.update(scheme.PERSISTENTVOLUMECLAIMS, marked)
        await self._set_status(claim, step.phase)

    async def _bind(self, claim: PersistentVolumeClaim, volume: PersistentVolume) -> None:
        """Volume first: whoever looks at it knows from then on whose it is."""
        bound = binding.bound_volume(volume, claim)
        if bound != volume:
            volume = await self._client.update(scheme.PERSISTENTVOLUMES, bound)
            self._newer[volume.metadata.name] = volume
        await self._set_phase(volume, BOUND)
        complete = binding.bound_claim(claim, volume)
        if complete != claim:
            claim = await self._client.update(scheme.PERSISTENTVOLUMECLAIMS, complete)
        await self._set_status(claim, BOUND, volume)

    def _tell(self, claim: PersistentVolumeClaim, told: claims.Told | None) -> None:
        uid = claim.metadata.uid
        if told is not None and self._told.get(uid) != told:
            self._recorder.event(claim, told.type, told.reason, told.message)
        self._told[uid] = told

    async def _set_status(
        self, claim: PersistentVolumeClaim, phase: str, volume: PersistentVolume | None = None
    ) -> None:
        status = binding.claim_status(claim.status, phase, volume)
        if status != claim.status:
            new = replace(claim, status=status)
            await self._client.update(scheme.PERSISTENTVOLUMECLAIMS, new, subresource="status")

    def _unscheduled(self, claim: PersistentVolumeClaim) -> list[str]:
        """The Pods that use the claim and have no node yet."""
        return sorted(
            pod.metadata.name
            for pod in self._pods.in_namespace(claim.metadata.namespace)
            if not pod.spec.node_name and claim.metadata.name in claims_of(pod)
        )

    # -- one volume

    async def _reconcile_volume(self, volume: PersistentVolume) -> None:
        reference = volume.spec.claim_ref
        claim = self._claims.get(reference.namespace, reference.name) if reference else None
        step = volumes.decide(volume, claim)
        if step.then == "unbind":
            await self._client.update(scheme.PERSISTENTVOLUMES, binding.unbound_volume(volume))
            return
        if step.phase:
            await self._set_phase(volume, step.phase, step.failure, step.message)
        if step.then == "claim" and reference is not None:
            self._queue.add((reference.namespace, reference.name))

    async def _set_phase(
        self, volume: PersistentVolume, phase: str, failure: str = "", message: str = ""
    ) -> None:
        status = volume.status
        if (status.phase, status.message) == (phase, message):
            return
        new = replace(volume, status=replace(status, phase=phase, message=message, reason=""))
        written = await self._client.update(scheme.PERSISTENTVOLUMES, new, subresource="status")
        self._newer[volume.metadata.name] = written
        if failure:
            self._recorder.event(volume, "Warning", failure, message)

    def _volume(self, name: str) -> PersistentVolume | None:
        found = self._volumes.get("", name)
        return found and self._latest(found)

    def _latest(self, volume: PersistentVolume) -> PersistentVolume:
        known = self._newer.get(volume.metadata.name)
        return known if known is not None and _is_older(volume, known) else volume


def _is_older(volume: PersistentVolume, other: PersistentVolume) -> bool:
    return int(volume.metadata.resource_version) < int(other.metadata.resource_version)
