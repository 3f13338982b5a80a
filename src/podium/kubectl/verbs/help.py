"""``kubectl help``."""

from __future__ import annotations

import sys

from podium.kubectl import commands
from podium.kubectl.command import Command, Invocation
from podium.kubectl.help import command_help, overview, usage
from podium.kubectl.main import child_of


def run(invocation: Invocation) -> int:
    """Print the help of the command that the words lead to, as far as they do."""
    if not invocation.words:
        print(overview())
        return 0
    name, *rest = invocation.words
    command = commands.load(name)
    if command is None:
        topics = " ".join(f"`{word}`" for word in invocation.words)
        print(f"Unknown help topic [{topics}]\n\n\n{usage()}", file=sys.stderr)
        return 0
    path = f"kubectl {name}"
    for word in rest:
        found = child_of(command, word)
        if found is None:
            break
        name, command = found
        path = f"{path} {name}"
    print(command_help(path, command))
    return 0


COMMAND = Command(
    usage="kubectl help [command] [flags] [options]",
    short="Help about any command",
    long="Help provides help for any command in the application.\n"
    "Simply type kubectl help [path to command] for full details.",
    run=run,
)
