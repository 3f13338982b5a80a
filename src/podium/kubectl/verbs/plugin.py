"""``kubectl plugin list``: programs on PATH that are commands of kubectl."""

from __future__ import annotations

import os
import sys

from podium.kubectl import commands
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, Failed
from podium.kubectl.flags import Flag, Kind

_PREFIX = "kubectl-"


def run(invocation: Invocation) -> int:
    found, warnings = _search()
    if not found:
        raise CommandError("unable to find any kubectl plugins in your PATH")
    print("The following compatible plugins are available:\n")
    for path in found:
        print(os.path.basename(path) if invocation.values.name_only else path)
        sys.stdout.flush()
        for warning in warnings.get(path, ()):
            print(f"  - warning: {warning}", file=sys.stderr)
    count = sum(map(len, warnings.values()))
    if count:
        many = f"{count} plugin warnings were" if count > 1 else "one plugin warning was"
        print(f"error: {many} found", file=sys.stderr)
        raise Failed
    return 0


def _search() -> tuple[list[str], dict[str, list[str]]]:
    """Return the plugins in the order of PATH, and what is wrong with some."""
    found: list[str] = []
    warnings: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for directory in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        if not os.path.isdir(directory):
            continue
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if not name.startswith(_PREFIX) or os.path.isdir(path):
                continue
            found.append(path)
            said = warnings.setdefault(path, [])
            if not os.access(path, os.X_OK):
                said.append(f"{path} identified as a kubectl plugin, but it is not executable")
            if name in seen:
                said.append(f"{path} is overshadowed by a similarly named plugin: {seen[name]}")
            seen.setdefault(name, path)
            first = name.removeprefix(_PREFIX).partition("-")[0]
            if first in commands.NAMES:
                said.append(f'{name} overwrites existing command: "kubectl {first}"')
    return found, warnings


COMMAND = Command(
    usage="kubectl plugin [flags] [options]",
    short="Provides utilities for interacting with plugins",
    long="Programs on PATH whose names begin with kubectl- are commands: kubectl-foo-bar is "
    "`kubectl foo bar`.",
    children={
        "list": Command(
            "kubectl plugin list [flags] [options]",
            "List all visible plugin executables on a user's PATH",
            run,
            flags=(
                Flag("name-only", False, "If true, display only the binary name of each plugin, "
                     "rather than its full path", kind=Kind.BOOL),
            ),
        )
    },
)  # fmt: skip
