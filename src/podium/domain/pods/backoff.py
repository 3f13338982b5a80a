"""Back-off of container restarts: at once, then 10 s doubling to 5 min; forgotten after 10 min.

That is upstream's curve, and the default; a node may have another (:class:`RestartBackOff`), and so
may a Pod, by an annotation. Each run carries the wait that follows its end
(:attr:`ContainerRecord.back_off`), so that the sequence survives a restart of the kubelet: it is
read from the runtime, not remembered.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from podium.api.types.core_v1 import Pod
from podium.domain.pods.durations import seconds_of
from podium.domain.pods.observed import ContainerRecord

ANNOTATION = "podium.io/back-off"
#: What a clock may be set back by without being noticed.
_SKEW = timedelta(minutes=1)
#: Bounds of what an annotation may ask for, in seconds.
SHORTEST, LONGEST = 0.1, 86400.0


class RestartBackOff(msgspec.Struct, frozen=True):
    """Seconds: the first wait, the longest, and how long a run has to last for the sequence to
    begin afresh; *least* is the least of each that a Pod gets by its annotation."""

    start: float = 10.0
    maximum: float = 300.0
    reset: float = 600.0
    least: float = 1.0

    @property
    def initial(self) -> float:
        return min(self.start, self.maximum)


UPSTREAM = RestartBackOff()


def pod_back_off(pod: Pod, node: RestartBackOff) -> RestartBackOff:
    """Return what counts for *pod*: its annotation (``start=1s,maximum=30s,reset=2m``, or a part of
    that), but no less than the node allows, else what counts on the *node*. Raises ValueError,
    which says what is wrong."""
    given: dict[str, float] = {}
    for entry in pod.metadata.annotations.get(ANNOTATION, "").split(","):
        name, equals, duration = entry.strip().partition("=")
        if not name:
            continue
        if not equals or name not in ("start", "maximum", "reset"):
            raise ValueError(f"{entry.strip()!r} is not start=, maximum= or reset=DURATION")
        seconds = seconds_of(duration)
        given[name] = max(seconds, node.least)
        if not SHORTEST <= seconds <= LONGEST:
            raise ValueError(f"{duration!r} is not between 100ms and a day")
    return replace(node, **given)


def first_back_off() -> float:
    """The wait after the first run: none; the first restart is immediate."""
    return 0.0


def next_back_off(
    ended: ContainerRecord, spec_hash: str, curve: RestartBackOff = UPSTREAM
) -> float:
    """The wait that will follow the run that replaces *ended*, for a spec of hash *spec_hash*."""
    if ended.hash != spec_hash or _ran_long(ended, curve) or not ended.back_off:
        return curve.initial
    return min(ended.back_off * 2, curve.maximum)


def back_off_until(
    ended: ContainerRecord,
    spec_hash: str,
    curve: RestartBackOff = UPSTREAM,
    *,
    killed_since: datetime | None = None,
) -> datetime | None:
    """When the run that replaces *ended* may start; None when at once.

    A changed spec does not wait for what the old one did, nor does a run that lasted; nor one that
    was killed to be replaced, where *killed_since*, when the one before had ended, is as long
    before its end as its own back-off.
    """
    if ended.finished_at is None or not ended.back_off:
        return None
    if killed_since is not None:
        passed = (ended.finished_at - killed_since).total_seconds()
        if passed >= ended.back_off:
            return None
    if ended.hash != spec_hash or _ran_long(ended, curve):
        return None
    return ended.finished_at + timedelta(seconds=waited(ended, curve))


def from_the_future(ended: ContainerRecord, now: datetime) -> bool:
    """Whether the clock has been set back since, so that nothing can be said of how long ago it is
    that *ended* did."""
    return ended.finished_at is not None and ended.finished_at > now + _SKEW


def waited(ended: ContainerRecord, curve: RestartBackOff) -> float:
    """How long is waited after *ended*; a maximum that was lowered since counts at once."""
    return min(ended.back_off, curve.maximum)


def _ran_long(ended: ContainerRecord, curve: RestartBackOff) -> bool:
    if ended.finished_at is None:
        return False
    return (ended.finished_at - ended.created_at).total_seconds() > curve.reset


#: Failed pulls that are longer ago than this (seconds) do not count.
FORGET_AFTER = 600.0


def image_back_off(failures: int) -> float:
    """The wait after the *failures*-th failed pull in a row: 10 s doubling to 5 min."""
    return float(min(10.0 * 2.0 ** min(failures - 1, 16), 300.0))
