"""What the runtime holds for one Pod, in the terms that decisions are made in.

The kubelet translates CRI messages into these; nothing here knows the runtime.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum

import msgspec


class RunState(Enum):
    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


class RunUser(msgspec.Struct, frozen=True):
    """What a run's first process began as."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class RunCgroup(msgspec.Struct, frozen=True):
    """What a run's cgroup was last set to; 0 for what was not."""

    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    memory_limit: int = 0


class ContainerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a container, as the runtime tells it.

    ``attempt`` is the restart count of that run, ``hash`` that of the spec it was made from
    (:func:`podium.domain.pods.identity.container_hash`), ``back_off`` the seconds that have to pass
    after its end before the next run.
    """

    id: str
    name: str
    sandbox_id: str
    attempt: int
    state: RunState
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    image: str = ""
    image_id: str = ""
    hash: str = ""
    back_off: float = 0.0
    log_path: str = ""
    user: RunUser | None = None
    cgroup: RunCgroup | None = None

    @property
    def is_running(self) -> bool:
        return self.state is RunState.RUNNING

    @property
    def may_run(self) -> bool:
        """Whether it has, or may come to have, a process."""
        return self.state in (RunState.RUNNING, RunState.CREATED, RunState.UNKNOWN)


class SandboxRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    attempt: int
    ready: bool
    created_at: datetime
    ips: tuple[str, ...] = ()


class Observed(msgspec.Struct, frozen=True):
    """Sandboxes and containers of one Pod, the newest first."""

    sandboxes: tuple[SandboxRecord, ...] = ()
    containers: tuple[ContainerRecord, ...] = ()

    @property
    def sandbox(self) -> SandboxRecord | None:
        """The one sandbox to work with: the newest, if it is ready."""
        return self.sandboxes[0] if self.sandboxes and self.sandboxes[0].ready else None

    @property
    def ips(self) -> tuple[str, ...]:
        sandbox = self.sandbox
        return sandbox.ips if sandbox else ()

    def latest(self, name: str) -> ContainerRecord | None:
        return next(self.runs(name), None)

    def runs(self, name: str) -> Iterator[ContainerRecord]:
        """Runs of the container *name*, the newest first."""
        return (record for record in self.containers if record.name == name)

    @property
    def anything_runs(self) -> bool:
        return any(record.may_run for record in self.containers)


def newest_first(sandboxes: list[SandboxRecord], containers: list[ContainerRecord]) -> Observed:
    """Order what was found; runs made within the same instant are told apart by their attempt."""
    return Observed(
        tuple(sorted(sandboxes, key=lambda s: (s.created_at, s.attempt), reverse=True)),
        tuple(sorted(containers, key=lambda c: (c.created_at, c.attempt), reverse=True)),
    )
