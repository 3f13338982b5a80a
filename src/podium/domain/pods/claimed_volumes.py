"""What a Pod's claim leads to on its node, or why it leads nowhere (yet).

Texts are those of ``pkg/kubelet/volumemanager`` and of the plugins for local and host path volumes.
"""

from __future__ import annotations

import msgspec

from podium.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume
from podium.domain.pods.nul_bytes import NUL
from podium.domain.pods.volume_files import VolumeProblem
from podium.domain.scheduling.node_affinity import selector_matches

NO_PLUGIN = 'failed to get Plugin from volumeSpec for volume "{}" err=no volume plugin matched'
READ_WRITE_ONCE_POD = "ReadWriteOncePod"


class NotProcessed(VolumeProblem):
    """A volume that the node cannot begin with; none of the Pod's is set up meanwhile."""


class ClaimedVolume(msgspec.Struct, frozen=True):
    """A PersistentVolume on this node: *local* to it, or just a path whose type is checked."""

    name: str
    path: str
    local: bool
    host_path_type: str | None = None
    readonly: bool = False


def claim_name(pod: Pod, volume: Volume) -> str:
    """The claim that *volume* stands for: named, or made for the Pod; "" for none."""
    if volume.persistent_volume_claim is not None:
        return volume.persistent_volume_claim.claim_name
    return f"{pod.metadata.name}-{volume.name}" if volume.ephemeral is not None else ""


def is_owner(pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether *claim* was made for *pod*'s ephemeral volume."""
    return any(
        reference.controller and reference.uid == pod.metadata.uid
        for reference in claim.metadata.owner_references
    )


def bound_to(pod: Pod, volume: Volume, claim: PersistentVolumeClaim) -> str:
    """Return the name of the PersistentVolume behind *claim*. Raises NotProcessed."""
    if volume.ephemeral is not None and not is_owner(pod, claim):
        raise _problem(
            claim,
            f"PVC {_key(claim)} was not created for pod "
            f"{pod.metadata.namespace}/{pod.metadata.name} (pod is not owner)",
        )
    if claim.metadata.deletion_timestamp is not None:
        raise _problem(claim, "PVC is being deleted")
    if claim.status.phase != "Bound":
        raise _problem(claim, "PVC is not bound")
    if not claim.spec.volume_name:
        raise _problem(claim, "PVC has empty pvc.Spec.VolumeName")
    return claim.spec.volume_name


def on_node(
    volume: Volume, claim: PersistentVolumeClaim, found: PersistentVolume, node: Node
) -> ClaimedVolume:
    """Say where *found* lies. Raises NotProcessed, and VolumeProblem where it cannot be mounted."""
    name, spec = found.metadata.name, found.spec
    if spec.claim_ref is None:
        raise _problem(
            claim,
            f"found PV object {name} but it has a nil pv.Spec.ClaimRef indicating it is not yet "
            "bound to the claim",
        )
    if spec.claim_ref.uid != claim.metadata.uid:
        raise _problem(
            claim,
            f"found PV object {name} but its pv.Spec.ClaimRef.UID {spec.claim_ref.uid} does not "
            f"point to claim.UID {claim.metadata.uid}",
        )
    if spec.volume_mode == "Block":
        raise NotProcessed(
            f"volume {volume.name} has volumeMode Block, but is specified in volumeMounts"
        )
    affinity = spec.node_affinity.required if spec.node_affinity else None
    if affinity is not None and not selector_matches(affinity, node):
        raise VolumeProblem("no matching NodeSelectorTerms")
    source = volume.persistent_volume_claim
    readonly = bool(source and source.read_only)
    path = spec.local.path if spec.local else spec.host_path.path if spec.host_path else ""
    if NUL in path:
        raise VolumeProblem(f"stat {path}: invalid argument")
    if spec.local is not None:
        return ClaimedVolume(name, path, local=True, readonly=readonly)
    if spec.host_path is not None:
        kind = spec.host_path.type
        return ClaimedVolume(name, path, local=False, host_path_type=kind, readonly=readonly)
    raise NotProcessed(NO_PLUGIN.format(name))


def unfetched(namespace: str, name: str, why: object) -> NotProcessed:
    return NotProcessed(
        f"error processing PVC {namespace}/{name}: failed to fetch PVC from API server: {why}"
    )


def volume_unfetched(claim: PersistentVolumeClaim, why: object) -> NotProcessed:
    return _problem(claim, f"failed to fetch PV {claim.spec.volume_name} from API server: {why}")


def _problem(claim: PersistentVolumeClaim, text: str) -> NotProcessed:
    return NotProcessed(f"error processing PVC {_key(claim)}: {text}")


def _key(claim: PersistentVolumeClaim) -> str:
    return f"{claim.metadata.namespace}/{claim.metadata.name}"
