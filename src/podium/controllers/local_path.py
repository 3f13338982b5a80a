"""The provisioner behind the default StorageClass: directories on the node that runs here.

A volume is the directory ``<root>/<volume>_<namespace>_<claim>``, which anybody in a container may
write to; Kubernetes is told of it as a ``local`` volume of that node. When its claim has gone, the
directory goes with all that is in it, unless the volume's reclaim policy says otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import (
    LocalVolumeSource,
    Node,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeSpec,
    VolumeNodeAffinity,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.types.storage_v1 import StorageClass
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.domain.default_classes import STORAGE
from podium.domain.storage.binding import refer
from podium.domain.storage.claims import is_delayed
from podium.domain.storage.names import (
    BIND_COMPLETED,
    PROVISIONED_BY,
    RELEASED,
    SELECTED_NODE,
    STORAGE_PROVISIONER,
    WAIT_FOR_FIRST_CONSUMER,
    class_of,
)
from podium.kit.clock import Clock
from podium.kit.trees import remove_tree

PROVISIONER = "podium.io/local-path"
CLASS_NAME = "local-path"
#: Keeps a volume's object until its directory has gone.
FINALIZER = "podium.io/local-path"
_HOSTNAME = "kubernetes.io/hostname"
_Key = tuple[str, str]


class LocalPathOptions(msgspec.Struct, frozen=True):
    """*directory* is on the machine that this process runs on, and that is the node *node_name*."""

    directory: Path
    node_name: str


class Unprovisionable(ValueError):
    """A claim that no volume can be made for."""


class LocalPathProvisioner:
    """Keys are namespace and name of a claim; of a volume, with "" as namespace."""

    def __init__(
        self,
        client: Client,
        options: LocalPathOptions,
        claims: Informer[PersistentVolumeClaim],
        volumes: Informer[PersistentVolume],
        classes: Informer[StorageClass],
        nodes: Informer[Node],
        recorder: EventRecorder,
        clock: Clock,
    ) -> None:
        self._client, self._recorder = client, recorder
        self._root, self._node = options.directory, options.node_name
        self._claims, self._volumes = claims, volumes
        self._classes, self._nodes = classes, nodes
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        claims.on_change(lambda _, new: self._look_at(new))
        volumes.on_change(lambda _, new: self._look_at(new))

    async def run(self) -> None:
        await self._make_class()
        self._remove_unfinished()
        await work("local-path-provisioner", self._queue, self._reconcile)

    async def _make_class(self) -> None:
        """Make the class where it is not there; one that is there is its administrator's."""
        if self._classes.get("", CLASS_NAME) is not None:
            return
        wanted = StorageClass(
            metadata=ObjectMeta(name=CLASS_NAME, annotations={STORAGE[0]: "true"}),
            provisioner=PROVISIONER,
            reclaim_policy="Delete",
            volume_binding_mode=WAIT_FOR_FIRST_CONSUMER,
        )
        try:
            await self._client.create(scheme.STORAGECLASSES, wanted)
        except ApiError as exc:
            if exc.reason != "AlreadyExists":
                raise

    def _remove_unfinished(self) -> None:
        """Remove directories that no volume came of, as far as nothing is in them."""
        known = {volume.metadata.name for volume in self._volumes.list()}
        for directory in self._root.glob("pvc-*"):
            if directory.name.partition("_")[0] not in known:
                with contextlib.suppress(OSError):
                    directory.rmdir()

    def _look_at(self, obj: PersistentVolumeClaim | PersistentVolume | None) -> None:
        if obj is not None and _concerns(obj):
            self._queue.add((obj.metadata.namespace, obj.metadata.name))

    async def _reconcile(self, key: _Key) -> None:
        if not key[0]:
            volume = self._volumes.get("", key[1])
            if volume is not None and is_over(volume):
                await self._delete(volume)
            return
        claim = self._claims.get(*key)
        if claim is None or not _concerns(claim):
            return
        storage_class = self._classes.get("", class_of(claim))
        if storage_class is None or self._selected(claim, storage_class) != self._node:
            return
        if self._volumes.get("", volume_name(claim)) is None:
            await self._provision(claim, storage_class)

    def _selected(self, claim: PersistentVolumeClaim, storage_class: StorageClass) -> str:
        """The node that the volume is wanted on; this one, where nobody cares."""
        selected = claim.metadata.annotations.get(SELECTED_NODE, "")
        return selected or ("" if is_delayed(storage_class) else self._node)

    async def _provision(self, claim: PersistentVolumeClaim, storage_class: StorageClass) -> None:
        whose = f"{claim.metadata.namespace}/{claim.metadata.name}"
        text = f'External provisioner is provisioning volume for claim "{whose}"'
        self._recorder.event(claim, "Normal", "Provisioning", text)
        try:
            volume = volume_for(claim, storage_class, self._root, self._hostname())
            await asyncio.to_thread(_make_directory, Path(_local_path(volume)))
        except (Unprovisionable, OSError) as exc:
            text = f'failed to provision volume with StorageClass "{class_of(claim)}": {exc}'
            self._recorder.event(claim, "Warning", "ProvisioningFailed", text)
            if isinstance(exc, OSError):
                self._queue.add_rate_limited((claim.metadata.namespace, claim.metadata.name))
            return
        try:
            await self._client.create(scheme.PERSISTENTVOLUMES, volume)
        except ApiError as exc:
            if exc.reason != "AlreadyExists":
                raise
        text = f"Successfully provisioned volume {volume.metadata.name}"
        self._recorder.event(claim, "Normal", "ProvisioningSucceeded", text)

    def _hostname(self) -> str:
        """What the node is known by to those who look for a place."""
        node = self._nodes.get("", self._node)
        return node.metadata.labels.get(_HOSTNAME, self._node) if node else self._node

    async def _delete(self, volume: PersistentVolume) -> None:
        path = Path(_local_path(volume))
        # A directory that is elsewhere is not ours, or is no longer: the cluster has been moved.
        ours = path.parent == self._root and path.name.startswith(f"{volume.metadata.name}_")
        if ours and not _keeps_data(volume):
            try:
                await asyncio.to_thread(remove_tree, path)
            except OSError as exc:
                self._recorder.event(volume, "Warning", "VolumeFailedDelete", str(exc))
                self._queue.add_rate_limited(("", volume.metadata.name))
                return
        await self._let_go(volume)

    async def _let_go(self, volume: PersistentVolume) -> None:
        name = volume.metadata.name
        if volume.metadata.deletion_timestamp is None:
            await self._client.delete(scheme.PERSISTENTVOLUMES, name, uid=volume.metadata.uid)
        patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
        try:
            await self._client.patch(scheme.PERSISTENTVOLUMES, name, patch)
        except ApiError as exc:
            if exc.code != 404:
                raise


def volume_name(claim: PersistentVolumeClaim) -> str:
    return f"pvc-{claim.metadata.uid}"


def volume_for(
    claim: PersistentVolumeClaim, storage_class: StorageClass, root: Path, hostname: str
) -> PersistentVolume:
    """Return the volume that is made for *claim*. Raises Unprovisionable."""
    spec, metadata = claim.spec, claim.metadata
    if spec.volume_mode == "Block":
        raise Unprovisionable("only volumes of mode Filesystem are made")
    if spec.selector is not None:
        raise Unprovisionable("claim.Spec.Selector is not supported")
    if spec.data_source is not None or spec.data_source_ref is not None:
        raise Unprovisionable("claim.Spec.DataSource is not supported")
    name = volume_name(claim)
    term = NodeSelectorTerm(
        match_expressions=[NodeSelectorRequirement(key=_HOSTNAME, operator="In", values=[hostname])]
    )
    path = root / f"{name}_{metadata.namespace}_{metadata.name}"
    return PersistentVolume(
        metadata=ObjectMeta(
            name=name, annotations={PROVISIONED_BY: PROVISIONER}, finalizers=[FINALIZER]
        ),
        spec=PersistentVolumeSpec(
            access_modes=list(spec.access_modes),
            capacity={"storage": spec.resources.requests["storage"]},
            claim_ref=refer(claim),
            local=LocalVolumeSource(path=str(path)),
            node_affinity=VolumeNodeAffinity(required=NodeSelector(node_selector_terms=[term])),
            persistent_volume_reclaim_policy=storage_class.reclaim_policy or "Delete",
            storage_class_name=storage_class.metadata.name,
            volume_mode="Filesystem",
        ),
    )


def is_over(volume: PersistentVolume) -> bool:
    """Whether a volume of ours is used no more: released to be deleted, or deleted by somebody."""
    if volume.metadata.annotations.get(PROVISIONED_BY) != PROVISIONER:
        return False
    released = volume.status.phase == RELEASED
    if volume.metadata.deletion_timestamp is not None:
        # Another finalizer protects it while it is bound.
        return volume.metadata.finalizers == [FINALIZER]
    return released and not _keeps_data(volume)


def _keeps_data(volume: PersistentVolume) -> bool:
    return volume.spec.persistent_volume_reclaim_policy != "Delete"


def _concerns(obj: PersistentVolumeClaim | PersistentVolume) -> bool:
    annotations = obj.metadata.annotations
    if isinstance(obj, PersistentVolume):
        return annotations.get(PROVISIONED_BY) == PROVISIONER
    return (
        annotations.get(STORAGE_PROVISIONER) == PROVISIONER
        and BIND_COMPLETED not in annotations
        and not obj.spec.volume_name
        and obj.metadata.deletion_timestamp is None
    )


def _local_path(volume: PersistentVolume) -> str:
    return volume.spec.local.path if volume.spec.local is not None else ""


def _make_directory(path: Path) -> None:
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    path.chmod(0o777)
