"""The end of a Pod on its node as steps: which comes next, how long it may take, what is told.

A step that takes longer than its limit is told in an event. Where nothing can come to harm from
what is left, the end then goes on without it, and the node removes it later; where something could,
the Pod stays:

- A process that SIGKILL does not end uses the Pod's volumes and addresses; so does one in its
  cgroup that belongs to no container.
- What cannot be seen may run.
- What was begun for the Pod (its sandbox, a pull) and is not undone yet may still make something.
- The API's part and finalizers are others' to see to.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from datetime import datetime

import msgspec


class Step(enum.Enum):
    """Steps in their order, as an event names them."""

    LOOK = "the runtime to tell what runs"
    WORK = "what was begun to be undone"
    CONTAINERS = "containers to end"
    SANDBOX = "its sandbox to stop"
    VOLUMES = "its volumes to go"
    CGROUP = "its cgroup to go"
    STATUS = "the API to take its last status"
    REMAINS = "its files and dead containers to go"
    OBJECT = "the API to delete it"
    FINALIZERS = "its finalizers"


#: Seconds that containers get to be gone after their grace period: SIGKILL, then other ways.
KILL = 12.0
#: Seconds that containers get to be removed first that were never started.
UNSTARTED = 5.0
#: Seconds that a step may take before its end goes on without it.
LIMITS = {Step.SANDBOX: 10.0, Step.VOLUMES: 10.0, Step.CGROUP: 5.0, Step.REMAINS: 15.0}
#: Seconds after which a step is told of that has no limit.
ENOUGH = 28.0
#: Seconds after a Pod's grace period by when it is gone from the node and, where nobody else holds
#: it up, from the API.
BOUND = UNSTARTED + KILL + sum(LIMITS.values())


class Ending(msgspec.Struct, frozen=True):
    """How far the end of a Pod has come.

    *settled* are the steps that are over, done or given up. *deleted*: the object is to go, not
    only what runs of it; *gone*: it is no longer in the API.
    """

    runs: bool = False
    sandbox: bool = False
    settled: Collection[Step] = ()
    deleted: bool = True
    gone: bool = False
    finalizers: bool = False


def next_step(ending: Ending) -> Step | None:
    """What is to be done now; None when nothing is left to do."""
    if ending.runs:
        return Step.CONTAINERS
    if ending.sandbox and Step.SANDBOX not in ending.settled:
        return Step.SANDBOX
    steps = [Step.VOLUMES, Step.CGROUP]
    if ending.gone:
        steps += [Step.REMAINS]
    elif ending.deleted:
        steps += [Step.STATUS, Step.REMAINS, Step.OBJECT]
        if ending.finalizers:
            steps += [Step.FINALIZERS]
    return next((step for step in steps if step not in ending.settled), None)


def may_be_left(step: Step, processes: int) -> bool:
    """Whether the end may go on without *step* when its time is over, with that many *processes*
    left in the Pod's cgroup."""
    return step in LIMITS and not (step is Step.CGROUP and processes)


def waiting(step: Step, since: datetime, why: str) -> str:
    """What an event says of a step that takes longer than it should."""
    text = f"Deletion waits for {step.value} since {since:%Y-%m-%dT%H:%M:%SZ}"
    return f"{text}: {why}" if why else text


def left(step: Step, why: str) -> str:
    """What an event says of a step that the end goes on without."""
    limit = f"{LIMITS[step]:g} s"
    return f"Deletion no longer waits for {step.value}, after {limit}: {why}; the node tries again"
