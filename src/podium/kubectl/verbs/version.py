"""``kubectl version``."""

from __future__ import annotations

import json

from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind

#: The kubectl whose behaviour this one has, and the kustomize in it.
CLIENT = {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
KUSTOMIZE = "v5.8.1"


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise CommandError(f"extra arguments: [{' '.join(invocation.words)}]")
    if values.output not in ("", "yaml", "json"):
        raise CommandError("--output must be 'yaml' or 'json'")
    found: dict[str, object] = {"clientVersion": CLIENT, "kustomizeVersion": KUSTOMIZE}
    if not values.client:
        found["serverVersion"] = invocation.session.http.request("GET", "/version").json()
    if values.output == "json":
        print(json.dumps(found, indent=2))
    elif values.output == "yaml":
        from podium.kubectl.printing.yaml_text import dump

        print(dump(found), end="")
    else:
        print(f"Client Version: {CLIENT['gitVersion']}\nKustomize Version: {KUSTOMIZE}")
        server = found.get("serverVersion")
        if isinstance(server, dict):
            print(f"Server Version: {server['gitVersion']}")
    return 0


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
