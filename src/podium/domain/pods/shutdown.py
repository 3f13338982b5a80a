"""A node that shuts down: which Pods end together, and how long each of them is given.

Follows ``pkg/kubelet/nodeshutdown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from podium.api.types.core_v1 import Pod

#: The priority from which on Pods are critical to the cluster.
CRITICAL = 2_000_000_000
TERMINATED = "Terminated"
MESSAGE = "Pod was terminated in response to imminent node shutdown."
NOT_ADMITTED = "NodeShutdown"
NOT_ADMITTED_MESSAGE = "Pod was rejected as the node is shutting down."


class ShutdownGrace(msgspec.Struct, frozen=True):
    """What a shutdown gives to Pods of *priority* and above, in seconds."""

    priority: int
    seconds: int


class ShutdownGroup(msgspec.Struct, frozen=True):
    """Pods that end together, each in its grace period; others wait *seconds* for them."""

    seconds: int
    graces: tuple[tuple[Pod, float], ...]


def by_criticality(whole: float, critical: float) -> tuple[ShutdownGrace, ...]:
    """Return the two classes that a grace period and its part for critical Pods make."""
    if not whole:
        return ()
    return ShutdownGrace(0, int(whole - critical)), ShutdownGrace(CRITICAL, int(critical))


def shutdown_groups(classes: Sequence[ShutdownGrace], pods: Iterable[Pod]) -> list[ShutdownGroup]:
    """Return which of the *pods* end when, the least important first.

    *classes* are in the order of their priorities. A Pod below all of them is in the first. Its own
    grace period holds where it is the shorter one.
    """
    members: dict[ShutdownGrace, list[tuple[Pod, float]]] = {found: [] for found in classes}
    for pod in pods:
        priority = pod.spec.priority or 0
        reached = [found for found in classes if found.priority <= priority]
        found = reached[-1] if reached else classes[0]
        own = pod.spec.termination_grace_period_seconds
        seconds = found.seconds if own is None else min(own, found.seconds)
        members[found].append((pod, float(seconds)))
    return [ShutdownGroup(found.seconds, tuple(those)) for found, those in members.items() if those]
