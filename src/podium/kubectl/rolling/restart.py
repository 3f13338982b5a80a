"""``kubectl rollout restart``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.rolling.common import CHANGE_FLAGS, change_each, patch
from podium.kubectl.writing import check_output, printed

_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
_RESTARTED = ("DaemonSet", "Deployment", "StatefulSet")


def run(invocation: Invocation) -> int:
    check_output(invocation.values)

    def restart(found: tuple[Chosen, dict[str, Any]]) -> None:
        one, obj = found
        what = f'{one.type.qualified} "{one.name}"'
        if one.type.kind not in _RESTARTED:
            raise CommandError(f"error: {what} restarting is not supported")
        if one.type.kind == "Deployment" and obj["spec"].get("paused"):
            raise CommandError(
                f"error: {what} can't restart paused deployment (run rollout resume first)"
            )
        now = _now()
        annotations = obj["spec"]["template"]["metadata"].get("annotations") or {}
        if annotations.get(_ANNOTATION) == now:
            raise CommandError(
                f"error: failed to create patch for {one.name}: if restart has already been "
                "triggered within the past second, please wait before attempting to trigger another"
            )
        body = {"spec": {"template": {"metadata": {"annotations": {_ANNOTATION: now}}}}}
        printed(invocation, one.type, patch(invocation, one, body), "restarted", typed=True)

    return change_each(invocation, restart)


def _now() -> str:
    """The time to the second, in this place's zone, as RFC 3339 has it."""
    text = datetime.now().astimezone().isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


COMMAND = Command(
    usage="kubectl rollout restart RESOURCE [options]",
    short="Restart a resource",
    examples="kubectl rollout restart deployment/web\nkubectl rollout restart daemonset",
    run=run,
    flags=CHANGE_FLAGS,
)
