"""``kubectl version``."""

from __future__ import annotations

import json
import sys

from podium.kubectl import versions
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise CommandError(f"extra arguments: [{' '.join(invocation.words)}]")
    if values.output not in ("", "yaml", "json"):
        raise CommandError("--output must be 'yaml' or 'json'")
    own = versions.own()
    found: dict[str, object] = {"clientVersion": own, "kustomizeVersion": versions.KUSTOMIZE}
    refused = None
    if values.match_server_version and not values.client:
        versions.check_server(invocation.session.http)
    if not values.client:
        try:
            found["serverVersion"] = invocation.session.http.request("GET", "/version").json()
        except CommandError as exc:
            refused = exc
    _print(found, values.output)
    server = found.get("serverVersion")
    if isinstance(server, dict):
        _compare(own, server)
    if refused is not None:
        raise refused
    return 0


def _compare(own: dict[str, str], server: dict[str, str]) -> None:
    """Say where the versions are too far apart."""
    digits = "".join(character for character in server.get("minor", "") if character.isdigit())
    if digits and abs(int(digits) - int(own["minor"])) > 1:
        theirs = f"{server.get('major')}.{digits}"
        print(
            f"WARNING: version difference between client ({own['major']}.{own['minor']}) and "
            f"server ({theirs}) exceeds the supported minor version skew of +/-1",
            file=sys.stderr,
        )


def _print(found: dict[str, object], output: str) -> None:
    if output == "json":
        print(json.dumps(found, indent=2))
    elif output == "yaml":
        from podium.kubectl.printing.yaml_text import dump

        print(dump(found))
    else:
        print(f"Client Version: {versions.GIT_VERSION}\nKustomize Version: {versions.KUSTOMIZE}")
        server = found.get("serverVersion")
        if isinstance(server, dict):
            print(f"Server Version: {server['gitVersion']}")
    sys.stdout.flush()


COMMAND = Command(
    usage="kubectl version [flags] [options]",
    short="Print the client and server version information",
    long="Print the client and server version information for the current context.",
    examples="# Both versions\nkubectl version\n\n# This program's alone\nkubectl version --client",
    run=run,
    flags=(
        Flag("client", False, "If true, shows client version only (no server required).",
             kind=Kind.BOOL),
        Flag("output", usage="One of 'yaml' or 'json'.", short="o"),
    ),
)  # fmt: skip
