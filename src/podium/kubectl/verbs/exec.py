"""``kubectl exec``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.pods import default_container, named_container


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    before = invocation.words[: invocation.dash] if invocation.dash is not None else []
    command = list(invocation.words[invocation.dash :]) if invocation.dash is not None else []
    if invocation.dash is None and len(invocation.words) > 1:
        raise CommandError(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            "See 'kubectl exec -h' for help and examples"
        )
    if not before:
        if not invocation.words:
            raise CommandError("pod, type/name or --filename must be specified")
        raise CommandError("you must specify at least one command for the container")
    if len(before) > 1 or not command:
        raise CommandError("you must specify at least one command for the container")
    kind, slash, name = before[0].partition("/")
    if slash and kind not in ("pod", "pods", "po"):
        raise CommandError(f"cannot execute commands in {kind}: this kubectl does so in Pods only")
    name = name if slash else before[0]
    pods = Discovery(session.http).find("pods")
    pod = session.http.request("GET", pods.path(session.namespace, name)).json()
    phase = pod.get("status", {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(
            f"cannot exec into a container in a completed pod; current phase is {phase}"
        )
    container = _container(pod, values.container, quiet=values.quiet)
    from podium.kubectl.streams import connect, settle

    query = [("command", word) for word in command] + [("container", container)]
    path = pods.path(session.namespace, name, "exec")
    return connect(session.http, path, query, settle(values.stdin, values.tty))


def _container(pod: dict[str, Any], named: str, *, quiet: bool) -> str:
    if named:
        return named_container(pod, named)
    chosen = default_container(pod)
    if not quiet:
        chosen.announce()
    return chosen.name


COMMAND = Command(
    usage="kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
    short="Execute a command in a container",
    long="Run a command in a container of a Pod.",
    examples="kubectl exec web -- date\nkubectl exec -it web -c main -- sh",
    run=run,
    flags=(
        Flag("container", usage="Container name. If omitted, use the "
             "kubectl.kubernetes.io/default-container annotation for selecting the container to be "
             "attached or the first container in the pod will be chosen", short="c"),
        Flag("quiet", False, "Only print output from the remote session", short="q",
             kind=Kind.BOOL),
        Flag("stdin", False, "Pass stdin to the container", short="i", kind=Kind.BOOL),
        Flag("tty", False, "Stdin is a TTY", short="t", kind=Kind.BOOL),
    ),
)  # fmt: skip
