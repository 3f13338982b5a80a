"""Pods and what a runtime holds for them, in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from podium.api.codec import from_plain
from podium.api.types.core_v1 import Pod
from podium.domain.pods.containers import find_container
from podium.domain.pods.identity import container_hash
from podium.domain.pods.observed import (
    ContainerRecord,
    Observed,
    RunState,
    SandboxRecord,
    newest_first,
)

NOW = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)
UID = "7c1f3c70-52d8-4f0a-8a3f-3f4a5d0f8f11"


def make_pod(*containers: str | dict[str, Any], deleted: int | None = None, **spec: Any) -> Pod:
    """A Pod ``kuard`` in ``default``; a container given as a name has the image ``kuard:1``."""
    listed = [{"name": c, "image": "kuard:1"} if isinstance(c, str) else c for c in containers]
    metadata: dict[str, Any] = {"name": "kuard", "namespace": "default", "uid": UID}
    metadata["generation"] = 1
    if deleted is not None:
        metadata["deletionTimestamp"] = (NOW + timedelta(seconds=deleted)).isoformat()[:19] + "Z"
        metadata["deletionGracePeriodSeconds"] = deleted
    body = {"restartPolicy": "Always", "containers": listed, **spec}
    plain = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body}
    pod: Pod = from_plain(Pod, plain)
    return pod


def sandbox(attempt: int = 0, *, ready: bool = True, ip: str = "10.42.0.2") -> SandboxRecord:
    return SandboxRecord(
        id=f"sandbox{attempt}",
        attempt=attempt,
        ready=ready,
        created_at=NOW + timedelta(seconds=attempt - 1000),
        ips=(ip,) if ready else (),
    )


def run(
    pod: Pod,
    name: str,
    exit_code: int | None = None,
    *,
    attempt: int = 0,
    back_off: float = 0.0,
    ended: float = 0.0,
    lasted: float = 1.0,
    sandbox_id: str = "sandbox0",
    **more: Any,
) -> ContainerRecord:
    """A run that goes on, or that ended *ended* seconds ago with *exit_code* after *lasted*."""
    container = find_container(pod, name)
    assert container is not None
    finished = NOW - timedelta(seconds=ended)
    started = finished - timedelta(seconds=lasted)
    state = RunState.RUNNING if exit_code is None else RunState.EXITED
    fields: dict[str, Any] = {
        "id": f"{name}{attempt}",
        "name": name,
        "sandbox_id": sandbox_id,
        "attempt": attempt,
        "state": state,
        "created_at": started,
        "started_at": started,
        "finished_at": None if exit_code is None else finished,
        "exit_code": exit_code or 0,
        "reason": "" if exit_code is None else "Error" if exit_code else "Completed",
        "image": "docker.io/library/kuard:1",
        "image_id": "sha256:abc",
        "hash": container_hash(container),
        "back_off": back_off,
    }
    return ContainerRecord(**{**fields, **more})


def observed(*records: SandboxRecord | ContainerRecord) -> Observed:
    return newest_first(
        [r for r in records if isinstance(r, SandboxRecord)],
        [r for r in records if isinstance(r, ContainerRecord)],
    )
