"""``kubectl rollout pause`` and ``rollout resume``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.rolling.common import CHANGE_FLAGS, change_each, patch
from podium.kubectl.writing import check_output, printed


def pause(invocation: Invocation) -> int:
    return _run(invocation, paused=True)


def resume(invocation: Invocation) -> int:
    return _run(invocation, paused=False)


def _run(invocation: Invocation, *, paused: bool) -> int:
    check_output(invocation.values)

    def change(found: tuple[Chosen, dict[str, Any]]) -> None:
        one, obj = found
        what = f'{one.type.qualified} "{one.name}"'
        if one.type.kind != "Deployment":
            doing = "pausing" if paused else "resuming"
            raise CommandError(f"error: {what} {doing} is not supported")
        if bool(obj["spec"].get("paused")) == paused:
            raise CommandError(f"error: {what} is {'already paused' if paused else 'not paused'}")
        obj = patch(invocation, one, {"spec": {"paused": True if paused else None}})
        printed(invocation, one.type, obj, "paused" if paused else "resumed", typed=True)

    return change_each(invocation, change)


PAUSE = Command(
    usage="kubectl rollout pause RESOURCE [options]",
    short="Mark the provided resource as paused",
    examples="kubectl rollout pause deployment/web",
    run=pause,
    flags=CHANGE_FLAGS,
)
RESUME = Command(
    usage="kubectl rollout resume RESOURCE [options]",
    short="Resume a paused resource",
    examples="kubectl rollout resume deployment/web",
    run=resume,
    flags=CHANGE_FLAGS,
)
