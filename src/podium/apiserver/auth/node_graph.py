"""Which objects lead to which nodes: by the Pods that are there, and what those Pods use.

Follows ``plugin/pkg/auth/authorizer/node/graph.go``. Kept up to date as objects change, so that a
question costs the same however many Pods there are.
"""

from __future__ import annotations

from typing import Any

from podium.api.annotations import MIRROR
from podium.api.scheme import PERSISTENTVOLUMES, PODS, VOLUMEATTACHMENTS, Resource
from podium.api.types.core_v1 import PersistentVolume, Pod
from podium.domain.pods.references import (
    claim_names,
    configmap_names,
    secret_names,
    volume_secrets,
)

#: What a NodeGraph is fed with.
KINDS = (PODS, PERSISTENTVOLUMES, VOLUMEATTACHMENTS)

#: Resource, namespace and name.
_Vertex = tuple[str, str, str]


class NodeGraph:
    """See the module's text."""

    def __init__(self) -> None:
        #: How many Pods of each node use an object.
        self._uses: dict[_Vertex, dict[str, int]] = {}
        #: The claim that leads to a PersistentVolume; the volumes that lead to a Secret.
        self._claims: dict[str, _Vertex] = {}
        self._volumes: dict[_Vertex, set[str]] = {}

    def leads_to(self, node: str, resource: str, namespace: str, name: str) -> bool:
        """Whether there is a way from the object to *node*."""
        vertex = (resource, namespace, name)
        if node in self._uses.get(vertex, ()):
            return True
        if resource == "persistentvolumes":
            claim = self._claims.get(name)
            return claim is not None and node in self._uses.get(claim, ())
        return any(
            self.leads_to(node, "persistentvolumes", "", volume)
            for volume in self._volumes.get(vertex, ())
        )

    def apply(self, resource: Resource, old: Any | None, new: Any | None) -> None:
        """Take in a change of a Pod, a PersistentVolume or a VolumeAttachment."""
        if resource is PODS:
            if not _same_uses(old, new):
                self._move(old and _pod_edges(old), new and _pod_edges(new))
        elif resource is VOLUMEATTACHMENTS:
            self._move(old and _attachment_edges(old), new and _attachment_edges(new))
        elif resource is PERSISTENTVOLUMES:
            if old is not None:
                self._forget_volume(old)
            if new is not None:
                self._note_volume(new)

    def _move(
        self, old: tuple[str, set[_Vertex]] | None, new: tuple[str, set[_Vertex]] | None
    ) -> None:
        if new is not None:
            node, vertices = new
            for vertex in vertices if node else ():
                nodes = self._uses.setdefault(vertex, {})
                nodes[node] = nodes.get(node, 0) + 1
        if old is not None:
            node, vertices = old
            for vertex in vertices if node else ():
                self._release(vertex, node)

    def _release(self, vertex: _Vertex, node: str) -> None:
        nodes = self._uses[vertex]
        nodes[node] -= 1
        if not nodes[node]:
            del nodes[node]
        if not nodes:
            del self._uses[vertex]

    def _note_volume(self, volume: PersistentVolume) -> None:
        name, claim = volume.metadata.name, volume.spec.claim_ref
        if claim is None:
            return
        self._claims[name] = ("persistentvolumeclaims", claim.namespace, claim.name)
        for namespace, secret in volume_secrets(volume):
            self._volumes.setdefault(("secrets", namespace, secret), set()).add(name)

    def _forget_volume(self, volume: PersistentVolume) -> None:
        name = volume.metadata.name
        self._claims.pop(name, None)
        for namespace, secret in volume_secrets(volume):
            vertex = ("secrets", namespace, secret)
            names = self._volumes.get(vertex, set())
            names.discard(name)
            if not names:
                self._volumes.pop(vertex, None)


def _same_uses(old: Pod | None, new: Pod | None) -> bool:
    """Whether a change is none here: what a Pod refers to stays, but for ephemeral containers."""
    return (
        old is not None
        and new is not None
        and old.metadata.uid == new.metadata.uid
        and old.spec.node_name == new.spec.node_name
        and len(old.spec.ephemeral_containers) == len(new.spec.ephemeral_containers)
    )


def _pod_edges(pod: Pod) -> tuple[str, set[_Vertex]]:
    """Return the Pod's node, and what is that node's business because of the Pod.

    A mirror Pod was made by its node: it leads to nothing but itself.
    """
    vertices = {("pods", pod.metadata.namespace, pod.metadata.name)}
    if MIRROR not in pod.metadata.annotations:
        _add_references(vertices, pod)
    return pod.spec.node_name, vertices


def _add_references(vertices: set[_Vertex], pod: Pod) -> None:
    namespace, account = pod.metadata.namespace, pod.spec.service_account_name
    if account:
        vertices.add(("serviceaccounts", namespace, account))
    for resource, names in (
        ("secrets", secret_names(pod)),
        ("configmaps", configmap_names(pod)),
        ("persistentvolumeclaims", claim_names(pod)),
    ):
        for name in names:
            if name:
                vertices.add((resource, namespace, name))


def _attachment_edges(attachment: Any) -> tuple[str, set[_Vertex]]:
    return attachment.spec.node_name, {("volumeattachments", "", attachment.metadata.name)}
