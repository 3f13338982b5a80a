"""Mirror Pods: the only ones that a node may make, to show what runs there by its own files.

They are bound to the node, owned by it, and refer to nothing: what they refer to would become the
node's business. Follows ``plugin/pkg/admission/noderestriction`` (``admitPodCreate``).
"""

from __future__ import annotations

from podium.api import errors
from podium.api.annotations import MIRROR
from podium.api.go_text import quote
from podium.api.scheme import NODES
from podium.api.types.core_v1 import Node, Pod
from podium.domain.pods.references import api_reference
from podium.registry.admission.base import Reader


async def offence(node: str, pod: Pod, reader: Reader) -> str:
    """Return why *node* may not create *pod*, "" where it may. Raises ApiError (404)."""
    who = f"node {quote(node)}"
    if MIRROR not in pod.metadata.annotations:
        return f"pod does not have {quote(MIRROR)} annotation, {who} can only create mirror pods"
    if pod.spec.node_name != node:
        return f"{who} can only create pods with spec.nodeName set to itself"
    return _bad_owner(node, pod) or await _other_node(node, pod, reader) or _reference(who, pod)


def _bad_owner(node: str, pod: Pod) -> str:
    who = f"node {quote(node)}"
    owners = pod.metadata.owner_references
    if len(owners) > 1:
        return f"{who} can only create pods with a single owner reference set to itself"
    if not owners or (owners[0].api_version, owners[0].kind, owners[0].name) != (
        "v1",
        "Node",
        node,
    ):
        return f"{who} can only create pods with an owner reference set to itself"
    if not owners[0].controller:
        return f"{who} can only create pods with a controller owner reference set to itself"
    if owners[0].block_owner_deletion:
        return f"{who} must not set blockOwnerDeletion on an owner reference"
    return ""


async def _other_node(node: str, pod: Pod, reader: Reader) -> str:
    """A node that was made anew is not the owner of the former one's Pods."""
    found: Node | None = await reader.read(NODES, "", node)
    if found is None:
        raise errors.not_found(NODES, node)
    uid = pod.metadata.owner_references[0].uid
    if uid != found.metadata.uid:
        return f"node {node} UID mismatch: expected {uid} got {found.metadata.uid}"
    return ""


def _reference(who: str, pod: Pod) -> str:
    found = api_reference(pod)
    what = "a service account" if found == "serviceaccounts" else found
    return f"{who} can not create pods that reference {what}" if what else ""
