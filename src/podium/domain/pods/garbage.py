"""Which dead containers of a living Pod may be removed: all but the last run of each name.

The last dead run is kept for ``kubectl logs --previous`` and ``lastState``; when the container runs
no more, the last two are, so that both can still be told.
"""

from __future__ import annotations

from podium.domain.pods.observed import Observed, RunState


def superfluous(observed: Observed) -> list[str]:
    """Return the IDs of containers to remove."""
    seen: dict[str, int] = {}
    removable = []
    for record in observed.containers:
        rank = seen.get(record.name, 0)
        seen[record.name] = rank + 1
        if rank >= 2 and record.state is RunState.EXITED:
            removable.append(record.id)
    return removable


def superfluous_sandboxes(observed: Observed) -> list[str]:
    """Return the IDs of dead sandboxes that hold no container and are not the newest."""
    in_use = {record.sandbox_id for record in observed.containers}
    return [s.id for s in observed.sandboxes[1:] if not s.ready and s.id not in in_use]
