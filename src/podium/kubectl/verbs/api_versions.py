"""``kubectl api-versions``."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import Said


def run(invocation: Invocation) -> int:
    if invocation.words:
        raise Said(
            f"error: unexpected arguments: [{' '.join(invocation.words)}]\n"
            f"See '{invocation.path} -h' for help and examples"
        )
    types = Discovery(invocation.session.http).types
    for version in sorted({type_.group_version for type_ in types}):
        print(version)
    return 0


COMMAND = Command(
    usage="kubectl api-versions [options]",
    short='Print the supported API versions on the server, in the form of "group/version"',
    run=run,
)
