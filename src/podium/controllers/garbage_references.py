"""What becomes of an object, given the state of each of its owners (pure).

After ``classifyReferences`` and ``attemptToDeleteItem`` of
``pkg/controller/garbagecollector/garbagecollector.go``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from podium.api.types.meta_v1 import OwnerReference
from podium.controllers.garbage_graph import FOREGROUND, ORPHAN, Node, OwnedMetadata

#: ``solid``: there, and to stay; ``dangling``: not there; ``waiting``: being deleted in the
#: foreground, so it waits for its dependents.
OwnerState = Literal["solid", "dangling", "waiting"]


class Keep(msgspec.Struct, frozen=True):
    """Leave the object alone."""


class Release(msgspec.Struct, frozen=True):
    """Take the references to these owners off the object, which has another one."""

    owner_references: list[OwnerReference]


class Delete(msgspec.Struct, frozen=True):
    """Delete the object; *unblock* says that its own references must stop blocking first."""

    policy: str
    unblock: bool = False


Verdict = Keep | Release | Delete


def decide(metadata: OwnedMetadata, states: list[OwnerState], dependents: list[Node]) -> Verdict:
    """Return what to do; *states* are those of ``metadata.owner_references``, in their order."""
    if not states:
        return Keep()
    if "solid" in states:
        kept = [
            reference
            for reference, state in zip(metadata.owner_references, states, strict=True)
            if state == "solid"
        ]
        return Keep() if len(kept) == len(states) else Release(kept)
    if "waiting" in states and dependents:
        # A dependent that is being deleted in the foreground, too, may be an owner of ours in
        # turn: in a circle nobody may wait for the next.
        circular = any(dependent.waits_for_dependents for dependent in dependents)
        return Delete("Foreground", unblock=circular)
    return Delete(_policy_of(metadata.finalizers))


def _policy_of(finalizers: list[str]) -> str:
    """What the object itself asks for by its finalizers."""
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
