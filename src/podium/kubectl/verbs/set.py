"""``kubectl set``: its subcommands are in ``setting``."""

from __future__ import annotations

from podium.kubectl.command import Command


def _later(place: str, short: str, *aliases: str) -> Command:
    module = f"podium.kubectl.setting.{place}:COMMAND"
    return Command(usage="", short=short, aliases=aliases, module=module)


COMMAND = Command(
    usage="kubectl set SUBCOMMAND [options]",
    short="Set specific features on objects",
    long="Change parts of objects that are there.",
    children={
        "env": _later("environment", "Update environment variables on a pod template"),
        "image": _later("image", "Update the image of a pod template"),
        "resources": _later(
            "resources", "Update resource requests/limits on objects with pod templates"
        ),
        "selector": _later("selector", "Set the selector on a resource"),
        "serviceaccount": _later(
            "service_account", "Update the service account of a resource", "sa"
        ),
        "subject": _later(
            "subject",
            "Update the user, group, or service account in a role binding or cluster role binding",
        ),
    },
)
