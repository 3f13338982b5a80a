"""Which dead containers of a living Pod may be removed: all but the last dead run of each name.

That one is kept for ``kubectl logs --previous`` and ``lastState``.
"""

from __future__ import annotations

from podium.domain.pods.observed import Observed, RunState


def superfluous(observed: Observed) -> list[str]:
    """Return the IDs of containers to remove."""
    kept: set[str] = set()
    removable = []
    for record in observed.containers:
        if record.state is not RunState.EXITED:
            continue
        if record.name in kept:
            removable.append(record.id)
        kept.add(record.name)
    return removable


def superfluous_sandboxes(observed: Observed) -> list[str]:
    """Return the IDs of dead sandboxes that hold no container and are not the newest."""
    in_use = {record.sandbox_id for record in observed.containers}
    return [s.id for s in observed.sandboxes[1:] if not s.ready and s.id not in in_use]
