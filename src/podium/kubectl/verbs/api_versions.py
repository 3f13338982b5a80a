"""``kubectl api-versions``."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Unreachable


def run(invocation: Invocation) -> int:
    if invocation.words:
        raise invocation.misused(f"unexpected arguments: [{' '.join(invocation.words)}]")
    http = invocation.session.http
    try:
        types = Discovery(http).types
    except Unreachable as exc:
        from podium.kubectl.network_words import words

        address = http.address("/api", [("timeout", "32s")])
        raise CommandError(
            f'couldn\'t get available api versions from server: Get "{address}": '
            f"{words(http.server, exc.cause)}"
        ) from exc
    for version in sorted({type_.group_version for type_ in types}):
        print(version)
    return 0


COMMAND = Command(
    usage="kubectl api-versions [options]",
    short='Print the supported API versions on the server, in the form of "group/version"',
    run=run,
)
