"""Which dead containers and sandboxes may be removed.

Of each container of a living Pod the last run stays, whatever the policy: ``kubectl logs``, its
restart count and its back-off need it. Follows ``pkg/kubelet/kuberuntime/kuberuntime_gc.go``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta

import msgspec

from podium.domain.pods.observed import ContainerRecord, Observed, RunState


class DeadContainerPolicy(msgspec.Struct, frozen=True):
    """How many dead runs stay: of one container beside those that run, and on the whole node.

    Negative numbers mean any number. Younger ones than ``minimum_age`` (seconds) stay anyway.
    """

    per_container: int = 1
    on_node: int = -1
    minimum_age: float = 0.0


DEFAULT = DeadContainerPolicy()


def superfluous(
    observed: Observed, now: datetime, policy: DeadContainerPolicy = DEFAULT
) -> tuple[list[str], datetime | None]:
    """Return the IDs of a living Pod's containers to remove, and when there may be more."""
    removable: list[ContainerRecord] = []
    seen: set[str] = set()
    dead: Counter[str] = Counter()
    for record in observed.containers:  # the newest first
        newest = record.name not in seen
        seen.add(record.name)
        if record.state is not RunState.EXITED:
            continue
        if not newest and 0 <= policy.per_container <= dead[record.name]:
            removable.append(record)
        dead[record.name] += 1
    due, later = [], []
    for record in removable:
        old_enough = (record.finished_at or now) + timedelta(seconds=policy.minimum_age)
        if old_enough <= now:
            due.append(record.id)
        else:
            later.append(old_enough)
    return due, min(later, default=None)


class DeadContainer(msgspec.Struct, frozen=True):
    """``owner`` is the same for all runs of one container."""

    id: str
    owner: Hashable
    created_at: int


def beyond(dead: Iterable[DeadContainer], most: int) -> list[str]:
    """Return the IDs of those of the *dead* to remove for *most* to stay, the oldest of each owner
    first: each keeps the same number, and if that is still too many, the oldest of all go."""
    if most < 0:
        return []
    owners: dict[Hashable, list[DeadContainer]] = {}
    for container in sorted(dead, key=lambda found: found.created_at, reverse=True):
        owners.setdefault(container.owner, []).append(container)
    if sum(map(len, owners.values())) <= most:
        return []
    share = max(most // len(owners), 1)
    gone = [container for runs in owners.values() for container in runs[share:]]
    left = sorted(
        (container for runs in owners.values() for container in runs[:share]),
        key=lambda found: found.created_at,
        reverse=True,
    )
    return [container.id for container in (*gone, *left[most:])]


def superfluous_sandboxes(observed: Observed) -> list[str]:
    """Return the IDs of dead sandboxes that hold no container and are not the newest."""
    in_use = {record.sandbox_id for record in observed.containers}
    return [s.id for s in observed.sandboxes[1:] if not s.ready and s.id not in in_use]
