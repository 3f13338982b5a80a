"""``kubectl auth``: its subcommands are in ``authorization``."""

from __future__ import annotations

from podium.kubectl.command import Command


def _later(place: str, short: str) -> Command:
    module = f"podium.kubectl.authorization.{place}:COMMAND"
    return Command(usage="", short=short, module=module)


COMMAND = Command(
    usage="kubectl auth [flags] [options]",
    short="Inspect authorization",
    children={
        "can-i": _later("can_i", "Check whether an action is allowed"),
        "reconcile": _later(
            "reconcile",
            "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding "
            "objects",
        ),
        "whoami": _later("whoami", "Experimental: Check self subject attributes"),
    },
)
