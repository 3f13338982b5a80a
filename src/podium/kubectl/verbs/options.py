"""``kubectl options``."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.help import options


def run(_invocation: Invocation) -> int:
    print("The following options can be passed to any command:\n")
    print(f"{options(flag for flag in GLOBAL_FLAGS if not flag.hidden)}\n")
    return 0


COMMAND = Command(
    usage="kubectl options [flags] [options]",
    short="Print the list of flags inherited by all commands",
    run=run,
)
