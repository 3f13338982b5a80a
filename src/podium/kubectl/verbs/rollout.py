"""``kubectl rollout``: its subcommands are in ``rolling``."""

from __future__ import annotations

from podium.kubectl.command import Command


def _later(place: str, short: str) -> Command:
    return Command(usage="", short=short, module=f"podium.kubectl.rolling.{place}")


COMMAND = Command(
    usage="kubectl rollout SUBCOMMAND [options]",
    short="Manage the rollout of a resource",
    long="Follow, pause, repeat and undo rollouts of Deployments, DaemonSets and StatefulSets.",
    tells_on_stdout=True,
    children={
        "history": _later("history:COMMAND", "View rollout history"),
        "pause": _later("pause:PAUSE", "Mark the provided resource as paused"),
        "restart": _later("restart:COMMAND", "Restart a resource"),
        "resume": _later("pause:RESUME", "Resume a paused resource"),
        "status": _later("status:COMMAND", "Show the status of the rollout"),
        "undo": _later("undo:COMMAND", "Undo a previous rollout"),
    },
)
