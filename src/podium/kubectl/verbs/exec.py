"""``kubectl exec``."""

from __future__ import annotations

from podium.kubectl.attachable import attachable_pod, checked_timeout, named_object, timeout_flag
from podium.kubectl.command import Command
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.pods import chosen_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import ResourceType


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    before, command = _words(invocation)
    timeout = checked_timeout(invocation)
    if not before and not values.filename:
        raise CommandError("pod, type/name or --filename must be specified")
    if not command:
        raise CommandError("you must specify at least one command for the container")
    discovery = Discovery(session.http)
    type_, obj = _named(invocation, discovery, before)
    pod = attachable_pod(invocation, type_, obj, timeout)
    metadata = pod["metadata"]
    phase = pod.get("status", {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(
            f"cannot exec into a container in a completed pod; current phase is {phase}"
        )
    container = chosen_container(pod, values.container, quiet=values.quiet)
    from podium.kubectl.streams import Wanted, connect
    from podium.kubectl.terminal import usable

    query = [("command", word) for word in command] + [("container", container)]
    path = discovery.find("pods").path(metadata["namespace"], metadata["name"], "exec")
    tty = usable(values.stdin, values.tty, quiet=values.quiet)
    connect(session.http, path, query, Wanted(values.stdin, tty))
    return 0


def _words(invocation: Invocation) -> tuple[list[str], list[str]]:
    """Return what stands before ``--`` and behind it. Raises CommandError."""
    words, dash = list(invocation.words), invocation.dash
    before, command = (words, []) if dash is None else (words[:dash], words[dash:])
    if len(before) > 1 or (dash is None and before and invocation.values.filename):
        raise CommandError(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
            "See 'kubectl exec -h' for help and examples"
        )
    return before, command


def _named(
    invocation: Invocation, discovery: Discovery, before: list[str]
) -> tuple[ResourceType, dict[str, Any]]:
    if before:
        return named_object(invocation, discovery, before)
    from podium.kubectl.manifests import manifests

    found = list(manifests(invocation, discovery, goes_on=False))
    if len(found) != 1:
        raise CommandError("cannot exec into multiple objects at a time")
    path = found[0].path
    return found[0].type, invocation.session.http.one(path).json()


COMMAND = Command(
    usage="kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]",
    short="Execute a command in a container",
    long="Run a command in a container of a Pod.",
    examples="""
# In a Pod
kubectl exec web -- date

# A shell, in one of several containers
kubectl exec -it web -c main -- sh

# In a Pod of a Deployment, or of a Service
kubectl exec deploy/web -- date
kubectl exec svc/web -- date
""",
    run=run,
    flags=(
        Flag("container", usage="Container name. If omitted, use the "
             "kubectl.kubernetes.io/default-container annotation for selecting the container to be "
             "attached or the first container in the pod will be chosen", short="c"),
        Flag("filename", [], "to use to exec into the resource", short="f", kind=Kind.LIST),
        timeout_flag(60.0),
        Flag("quiet", False, "Only print output from the remote session", short="q",
             kind=Kind.BOOL),
        Flag("recursive", False, kind=Kind.BOOL, hidden=True),
        Flag("stdin", False, "Pass stdin to the container", short="i", kind=Kind.BOOL),
        Flag("tty", False, "Stdin is a TTY", short="t", kind=Kind.BOOL),
    ),
)  # fmt: skip
