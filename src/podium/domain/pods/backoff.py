"""Back-off of container restarts: at once, then 10 s doubling to 5 min; forgotten after 10 min.

Each run carries the wait that follows its end (:attr:`ContainerRecord.back_off`), so that the
sequence survives a restart of the kubelet: it is read from the runtime, not remembered.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from podium.domain.pods.observed import ContainerRecord

INITIAL = 10.0
MAXIMUM = 300.0
#: A run that lasted longer than this starts the sequence afresh.
FORGET_AFTER = 2 * MAXIMUM


def first_back_off() -> float:
    """The wait after the first run: none; the first restart is immediate."""
    return 0.0


def next_back_off(ended: ContainerRecord, spec_hash: str) -> float:
    """The wait that will follow the run that replaces *ended*, for a spec of hash *spec_hash*."""
    if ended.hash != spec_hash or _ran_long(ended) or not ended.back_off:
        return INITIAL
    return min(ended.back_off * 2, MAXIMUM)


def back_off_until(
    ended: ContainerRecord, spec_hash: str, *, killed: bool = False
) -> datetime | None:
    """When the run that replaces *ended* may start; None when at once.

    A changed spec does not wait for what the old one did, nor does a run that lasted; one that
    was *killed* to be replaced need only have lasted as long as its own back-off.
    """
    if ended.finished_at is None or not ended.back_off:
        return None
    if killed and (ended.finished_at - ended.created_at).total_seconds() >= ended.back_off:
        return None
    if ended.hash != spec_hash or _ran_long(ended):
        return None
    return ended.finished_at + timedelta(seconds=ended.back_off)


def _ran_long(ended: ContainerRecord) -> bool:
    if ended.finished_at is None:
        return False
    return (ended.finished_at - ended.created_at).total_seconds() > FORGET_AFTER


def image_back_off(failures: int) -> float:
    """The wait after the *failures*-th failed pull in a row: 10 s doubling to 5 min."""
    return float(min(INITIAL * 2.0 ** min(failures - 1, 16), MAXIMUM))
