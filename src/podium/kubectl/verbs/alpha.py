"""``kubectl alpha``: there is nothing in it, as there is not in upstream's 1.37."""

from __future__ import annotations

import sys

from podium.kubectl.command import Command, Invocation


def run(_invocation: Invocation) -> int:
    print("No alpha commands are available in this version of kubectl", file=sys.stderr)
    return 0


COMMAND = Command(
    usage="kubectl alpha [flags] [options]",
    short="Commands for features in alpha",
    run=run,
)
