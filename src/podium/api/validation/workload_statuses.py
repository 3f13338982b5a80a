"""Checks of the statuses that controllers write. Follows ``pkg/apis/apps/validation``."""

from __future__ import annotations

from typing import Any

from podium.api.field import Path, invalid
from podium.api.types.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from podium.api.types.core_v1 import ReplicationController
from podium.api.validation.common import Errors, non_negative

STATUS = Path("status")
_DAEMONS = (
    "current_number_scheduled",
    "number_misscheduled",
    "desired_number_scheduled",
    "number_ready",
    "observed_generation",
    "updated_number_scheduled",
    "number_available",
    "number_unavailable",
    "collision_count",
)


def validate_deployment_status(new: Deployment, old: Deployment) -> Errors:
    status = new.status
    yield from _counted(
        status,
        "observed_generation",
        "replicas",
        "updated_replicas",
        "ready_replicas",
        "available_replicas",
        "unavailable_replicas",
        "terminating_replicas",
        "collision_count",
    )
    yield from _within(status, "updated_replicas", "ready_replicas", "available_replicas")
    yield from _available(status, "readyReplicas")
    yield from _not_decremented(new, old)


def validate_replicas_status(new: ReplicaSet | ReplicationController) -> Errors:
    parts = ("fully_labeled_replicas", "ready_replicas", "available_replicas")
    yield from _counted(
        new.status, "replicas", *parts, "terminating_replicas", "observed_generation"
    )
    yield from _within(new.status, *parts)
    yield from _available(new.status, "readyReplicas")


def validate_stateful_set_status(new: StatefulSet, old: StatefulSet) -> Errors:
    parts = ("ready_replicas", "current_replicas", "updated_replicas", "available_replicas")
    yield from _counted(new.status, "replicas", *parts, "observed_generation", "collision_count")
    yield from _within(new.status, *parts)
    yield from _available(new.status, "status.readyReplicas")
    yield from _not_decremented(new, old)


def validate_daemon_set_status(new: DaemonSet, old: DaemonSet) -> Errors:
    yield from _counted(new.status, *_DAEMONS)
    yield from _not_decremented(new, old)


def _counted(status: Any, *attributes: str) -> Errors:
    for attribute in attributes:
        yield from non_negative(_at(attribute), getattr(status, attribute, None) or 0)


def _within(status: Any, *attributes: str) -> Errors:
    for attribute in attributes:
        count = getattr(status, attribute)
        if count > status.replicas:
            yield invalid(_at(attribute), count, "cannot be greater than status.replicas")


def _available(status: Any, ready: str) -> Errors:
    """Require that no more are available than are ready; *ready* is how upstream names those."""
    if status.available_replicas > status.ready_replicas:
        text = f"cannot be greater than {ready}"
        yield invalid(_at("available_replicas"), status.available_replicas, text)


def _not_decremented(new: Any, old: Any) -> Errors:
    before, now = old.status.collision_count, new.status.collision_count
    if before is not None and (now is None or now < before):
        yield invalid(_at("collision_count"), now or 0, "cannot be decremented")


def _at(attribute: str) -> Path:
    head, *words = attribute.split("_")
    return STATUS.child(head + "".join(word.capitalize() for word in words))
