"""NodeRestriction: what a node writes is about itself, whatever the body says.

The authorizer has looked at the path already; here are the names that only the body tells, and the
parts of a Node that decide which Pods come to it. Follows ``plugin/pkg/admission/noderestriction``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.go_text import quote
from podium.api.scheme import (
    CSINODES,
    LEASES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    SERVICEACCOUNTS,
    Resource,
)
from podium.api.types.core_v1 import Node, PersistentVolumeClaim, Pod
from podium.api.user import is_node, node_name
from podium.registry.admission import mirror_pods
from podium.registry.admission.base import AdmissionPlugin, Attributes

LEASE_NAMESPACE = "kube-node-lease"
#: Labels that administrators mark nodes with for isolation, out of the nodes' own reach.
RESTRICTED = "node-restriction.kubernetes.io"
#: The labels of Kubernetes' own that a node sets, by name or by the part before the slash.
_NODES_OWN = frozenset(
    {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "kubernetes.io/os",
        "kubernetes.io/arch",
    }
)
_NODES_OWN_PARTS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBERNETES_PARTS = ("kubernetes.io", "k8s.io")


class NodeRestriction(AdmissionPlugin):
    name = "NodeRestriction"

    async def admit(self, attributes: Attributes) -> None:
        if not is_node(attributes.user):
            return
        node = node_name(attributes.user)
        if not node:
            who = quote(attributes.user.name)
            raise refused(attributes, f"could not determine node from user {who}")
        check = _CHECKS.get(attributes.resource)
        if check is not None:
            await check(node, attributes)


def refused(attributes: Attributes, why: str) -> ApiError:
    name = attributes.name
    if not name and attributes.obj is not None:
        name = attributes.obj.metadata.name
    return errors.forbidden(attributes.resource, name, why)


# ---------------------------------------------------------------------- Pods


async def _pods(node: str, attributes: Attributes) -> None:
    match attributes.subresource:
        case "":
            await _pod(node, attributes)
        case "status":
            _pod_status(node, attributes)
        case "eviction":
            pod = await _existing_pod(attributes, attributes.name)
            if pod.spec.node_name != node:
                why = f"node {node} can only evict pods with spec.nodeName set to itself"
                raise refused(attributes, why)
        case other:
            why = (
                f"unexpected pod subresource {quote(other)}, "
                "only 'status' and 'eviction' are allowed"
            )
            raise refused(attributes, why)


async def _pod(node: str, attributes: Attributes) -> None:
    if attributes.operation == "CREATE":
        why = await mirror_pods.offence(node, attributes.obj, attributes.reader)
        if why:
            raise refused(attributes, why)
    elif attributes.operation == "DELETE":
        pod = attributes.old or await _existing_pod(attributes, attributes.name)
        if pod.spec.node_name != node:
            why = f"node {quote(node)} can only delete pods with spec.nodeName set to itself"
            raise refused(attributes, why)
    else:
        why = (
            f"unexpected operation {quote(attributes.operation)}, "
            f"node {quote(node)} can only create and delete mirror pods"
        )
        raise refused(attributes, why)


def _pod_status(node: str, attributes: Attributes) -> None:
    new, old = attributes.obj, attributes.old
    if not isinstance(new, Pod) or not isinstance(old, Pod):
        raise refused(attributes, f"unexpected operation {quote(attributes.operation)}")
    who, why = f"node {quote(node)}", ""
    if old.spec.node_name != node:
        why = f"{who} can only update pod status for pods with spec.nodeName set to itself"
    elif old.metadata.labels != new.metadata.labels:
        why = f"{who} cannot update labels through pod status"
    elif old.status.resource_claim_statuses != new.status.resource_claim_statuses:
        why = f"{who} cannot update resource claim statues"
    elif old.status.extended_resource_claim_status != new.status.extended_resource_claim_status:
        why = f"{who} cannot update extended resource claim statues"
    if why:
        raise refused(attributes, why)


async def _existing_pod(attributes: Attributes, name: str) -> Pod:
    found: Pod | None = await attributes.reader.read(PODS, attributes.namespace, name)
    if found is None:
        raise errors.not_found(PODS, name)
    return found


# ---------------------------------------------------------------------- Nodes


async def _nodes(node: str, attributes: Attributes) -> None:
    new, old = attributes.obj, attributes.old
    name = attributes.name or (new.metadata.name if new is not None else "")
    who = f"node {quote(node)}"
    if name != node:
        raise refused(attributes, f"{who} is not allowed to modify node {quote(name)}")
    if not isinstance(new, Node):
        return
    if not isinstance(old, Node):
        _refuse_labels(attributes, f"{who} is not allowed to set the following labels", {})
        return
    if new.spec.config_source is not None and new.spec.config_source != old.spec.config_source:
        why = f"{who} is not allowed to update configSource to a new non-nil configSource"
        raise refused(attributes, why)
    if new.spec.taints != old.spec.taints:
        raise refused(attributes, f"{who} is not allowed to modify taints")
    if new.metadata.owner_references != old.metadata.owner_references:
        # An owner that is gone would take the Node along, and the next one registers as it likes.
        raise refused(attributes, f"{who} is not allowed to modify ownerReferences")
    _refuse_labels(attributes, "is not allowed to modify labels", old.metadata.labels)


def _refuse_labels(attributes: Attributes, what: str, before: Mapping[str, str]) -> None:
    after = attributes.obj.metadata.labels
    changed = {key for key, _ in before.items() ^ after.items()}
    forbidden = sorted(key for key in changed if _is_forbidden(key))
    if forbidden:
        raise refused(attributes, f"{what}: {', '.join(forbidden)}")


def _is_forbidden(label: str) -> bool:
    part = label.partition("/")[0] if "/" in label else ""
    if _is_below(part, (RESTRICTED,)):
        return True
    own = label in _NODES_OWN or _is_below(part, _NODES_OWN_PARTS)
    return _is_below(part, _KUBERNETES_PARTS) and not own


def _is_below(part: str, domains: tuple[str, ...]) -> bool:
    return any(part == domain or part.endswith(f".{domain}") for domain in domains)


# ---------------------------------------------------------------------- other kinds


async def _claims(node: str, attributes: Attributes) -> None:
    if attributes.subresource != "status":
        raise refused(attributes, "may only update PVC status")
    new, old = attributes.obj, attributes.old
    if not isinstance(new, PersistentVolumeClaim) or not isinstance(old, PersistentVolumeClaim):
        raise refused(attributes, f"unexpected operation {quote(attributes.operation)}")
    if _of_others(new) != _of_others(old):
        why = (
            f"node {quote(node)} is not allowed to update fields other than status.capacity and "
            "status.conditions"
        )
        raise refused(attributes, why)


def _of_others(claim: PersistentVolumeClaim) -> PersistentVolumeClaim:
    """Return what of a claim is not for the node to write."""
    metadata = msgspec.structs.replace(claim.metadata, resource_version="", managed_fields=[])
    status = msgspec.structs.replace(
        claim.status,
        capacity={},
        conditions=[],
        allocated_resources={},
        allocated_resource_statuses={},
    )
    return msgspec.structs.replace(claim, metadata=metadata, status=status)


async def _accounts(node: str, attributes: Attributes) -> None:
    """A node gets tokens for its own Pods only, and none that outlives them."""
    if attributes.subresource != "token" or attributes.operation != "CREATE":
        return
    ref = attributes.obj.spec.bound_object_ref
    if ref is None or ref.api_version != "v1" or ref.kind != "Pod" or not ref.name:
        raise refused(attributes, "node requested token not bound to a pod")
    if not ref.uid:
        raise refused(attributes, "node requested token with a pod binding without a uid")
    pod = await _existing_pod(attributes, ref.name)
    if pod.metadata.uid != ref.uid:
        why = (
            f"the UID in the bound object reference ({ref.uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise refused(attributes, why)
    if pod.spec.node_name != node:
        why = "node requested token bound to a pod scheduled on a different node"
        raise refused(attributes, why)


async def _leases(node: str, attributes: Attributes) -> None:
    if attributes.namespace != LEASE_NAMESPACE:
        why = f"can only access leases in the {quote(LEASE_NAMESPACE)} system namespace"
        raise refused(attributes, why)
    await _only_ones_own(node, attributes, "node lease")


async def _csi_nodes(node: str, attributes: Attributes) -> None:
    await _only_ones_own(node, attributes, "CSINode")


async def _only_ones_own(node: str, attributes: Attributes, what: str) -> None:
    name = attributes.name or (attributes.obj.metadata.name if attributes.obj else "")
    if name != node:
        why = f"can only access {what} with the same name as the requesting node"
        raise refused(attributes, why)


_Check = Callable[[str, Attributes], Awaitable[None]]
_CHECKS: dict[Resource, _Check] = {
    PODS: _pods,
    NODES: _nodes,
    PERSISTENTVOLUMECLAIMS: _claims,
    SERVICEACCOUNTS: _accounts,
    LEASES: _leases,
    CSINODES: _csi_nodes,
}
