"""Who owns whom, and what a change to one object gives the garbage collector to do (pure).

After ``pkg/controller/garbagecollector/graph_builder.go``. Where upstream keeps virtual nodes for
owners that it has not seen, here the dependent itself is looked at: its references say where each
owner has to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec import field as struct_field

from podium.api.types.meta_v1 import ObjectMeta, OwnerReference

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"


class OwnedMetadata(Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """The part of an object's metadata that garbage collection is about."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    finalizers: list[str] = struct_field(default_factory=list)
    owner_references: list[OwnerReference] = struct_field(default_factory=list)


def owned(metadata: ObjectMeta | OwnedMetadata) -> OwnedMetadata:
    """That part of the whole metadata."""
    if isinstance(metadata, OwnedMetadata):
        return metadata
    at = metadata.deletion_timestamp
    return OwnedMetadata(
        name=metadata.name,
        namespace=metadata.namespace,
        uid=metadata.uid,
        resource_version=metadata.resource_version,
        deletion_timestamp=None if at is None else str(at),
        finalizers=metadata.finalizers,
        owner_references=metadata.owner_references,
    )


class Owned(Struct, kw_only=True, rename="camel"):
    """Any object."""

    metadata: OwnedMetadata


class Identity(NamedTuple):
    """Where an object is, and which one of that name it is; printed as upstream's events do."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return (
            f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, "
            f"name: {self.name}, uid: {self.uid}]"
        )


class Node(NamedTuple):
    """An object that exists."""

    identity: Identity
    metadata: OwnedMetadata

    @property
    def is_being_deleted(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def waits_for_dependents(self) -> bool:
        """Whether it is being deleted in the foreground."""
        return self.is_being_deleted and FOREGROUND in self.metadata.finalizers

    def blocks(self, owner_uid: str) -> bool:
        """Whether the deletion of that owner in the foreground has to wait for this object."""
        return any(
            ref.uid == owner_uid and bool(ref.block_owner_deletion)
            for ref in self.metadata.owner_references
        )


class Steps(msgspec.Struct):
    """What a change has led to: uids to look at, and references to tell of."""

    attempt_delete: list[str] = msgspec.field(default_factory=list)
    orphan: list[str] = msgspec.field(default_factory=list)
    #: Dependents whose owner lives in another namespace, each with the owner as it put it.
    misplaced: list[tuple[Identity, Identity]] = msgspec.field(default_factory=list)


class Graph:
    """All objects, by uid, and their dependents."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        """Return the objects that name *uid* as an owner, whether that one exists or not."""
        found = (self._nodes.get(each) for each in self._dependents.get(uid, ()))
        return [node for node in found if node is not None]

    def blocking_dependents(self, uid: str) -> list[Node]:
        return [node for node in self.dependents(uid) if node.blocks(uid)]

    def has_in_place(self, dependent: Identity, reference: OwnerReference) -> Node | None:
        """Return the owner if it is known and is where *reference* has it."""
        owner = self._nodes.get(reference.uid)
        if owner is None or _misplaced(dependent, owner.identity):
            return None
        return owner if _matches(reference, owner.identity) else None

    def put(self, identity: Identity, metadata: OwnedMetadata) -> Steps:
        """Note that an object is there, or has changed."""
        steps = Steps()
        node = Node(identity, metadata)
        old = self._nodes.get(identity.uid)
        self._nodes[identity.uid] = node
        self._relate(node, old, steps)
        if old is None:
            self._recognised(node, steps)
        self._transitions(node, old, steps)
        return steps

    def remove(self, uid: str) -> Steps:
        """Note that an object is gone."""
        steps = Steps()
        node = self._nodes.pop(uid, None)
        if node is None:
            return steps
        for owner_uid in {ref.uid for ref in node.metadata.owner_references}:
            self._unrelate(uid, owner_uid)
            owner = self._nodes.get(owner_uid)
            if owner is not None and owner.waits_for_dependents:
                steps.attempt_delete.append(owner_uid)
        steps.attempt_delete += self._dependents.get(uid, ())
        return steps

    def _relate(self, node: Node, old: Node | None, steps: Steps) -> None:
        """Follow the owner references from how they were to how they are."""
        uid = node.identity.uid
        before = _by_uid(old.metadata.owner_references if old else ())
        behind = _by_uid(node.metadata.owner_references)
        suspicious = False
        for owner_uid, reference in behind.items():
            if owner_uid not in before:
                self._dependents.setdefault(owner_uid, {})[uid] = None
                suspicious |= self._is_suspicious(node.identity, reference, steps)
        for owner_uid, reference in before.items():
            present = behind.get(owner_uid)
            if present is None:
                self._unrelate(uid, owner_uid)
            unblocked = present is None or not present.block_owner_deletion
            if reference.block_owner_deletion and unblocked and owner_uid in self._nodes:
                steps.attempt_delete.append(owner_uid)
        if suspicious:
            steps.attempt_delete.append(uid)

    def _is_suspicious(self, node: Identity, reference: OwnerReference, steps: Steps) -> bool:
        """Whether the owner may be absent, or is on its way out and takes its dependents along."""
        owner = self._nodes.get(reference.uid)
        if owner is None:
            return True
        if _misplaced(node, owner.identity):
            steps.misplaced.append((node, identity_of(reference, node.namespace)))
            return True
        return not _matches(reference, owner.identity) or owner.waits_for_dependents

    def _recognised(self, owner: Node, steps: Steps) -> None:
        """An owner has turned up; look at those dependents that had expected it elsewhere."""
        for dependent in self.dependents(owner.identity.uid):
            references = _by_uid(dependent.metadata.owner_references)
            reference = references[owner.identity.uid]
            if _misplaced(dependent.identity, owner.identity):
                named = identity_of(reference, dependent.identity.namespace)
                steps.misplaced.append((dependent.identity, named))
                steps.attempt_delete.append(dependent.identity.uid)
            elif not _matches(reference, owner.identity):
                steps.attempt_delete.append(dependent.identity.uid)

    def _transitions(self, node: Node, old: Node | None, steps: Steps) -> None:
        uid = node.identity.uid
        if _begins(node, old, ORPHAN):
            steps.orphan.append(uid)
        elif _begins(node, old, FOREGROUND):
            steps.attempt_delete += self._dependents.get(uid, ())
            steps.attempt_delete.append(uid)

    def _unrelate(self, uid: str, owner_uid: str) -> None:
        there = self._dependents.get(owner_uid)
        if there is not None:
            there.pop(uid, None)
            if not there:
                del self._dependents[owner_uid]


def identity_of(reference: OwnerReference, namespace: str) -> Identity:
    """Return the owner as *reference* describes it to a dependent in *namespace*."""
    return Identity(reference.api_version, reference.kind, namespace, reference.name, reference.uid)


def _by_uid(references: Iterable[OwnerReference]) -> dict[str, OwnerReference]:
    return {reference.uid: reference for reference in references}


def _misplaced(dependent: Identity, owner: Identity) -> bool:
    """Whether the owner is out of the dependent's reach: in a namespace, and in another one."""
    return bool(owner.namespace) and owner.namespace != dependent.namespace


def _matches(reference: OwnerReference, owner: Identity) -> bool:
    named: Sequence[str] = (reference.api_version, reference.kind, reference.name)
    return named == (owner.api_version, owner.kind, owner.name)


def _begins(node: Node, old: Node | None, finalizer: str) -> bool:
    """Whether the deletion that *finalizer* stands for begins with this change."""
    if not (node.is_being_deleted and finalizer in node.metadata.finalizers):
        return False
    if old is None:
        return True
    return not (old.is_being_deleted and finalizer in old.metadata.finalizers)
