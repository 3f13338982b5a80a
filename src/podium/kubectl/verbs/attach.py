"""``kubectl attach``."""

from __future__ import annotations

from podium.kubectl.attachable import attachable_pod, checked_timeout, named_object, timeout_flag
from podium.kubectl.attaching import Manner, attach
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.pods import chosen_container

DETACH_FLAG = Flag("detach-keys", "ctrl-p,ctrl-q",
                   "Override the key sequence for detaching a container")  # fmt: skip


def run(invocation: Invocation) -> int:
    values, words = invocation.values, list(invocation.words)
    timeout = checked_timeout(invocation)
    if not words:
        raise CommandError("at least 1 argument is required for attach")
    if len(words) > 2:
        raise CommandError(
            "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw "
            f"{len(words)}: [{' '.join(words)}]"
        )
    http = invocation.session.http
    type_, obj = named_object(invocation, Discovery(http), words)
    pod = attachable_pod(invocation, type_, obj, timeout)
    phase = pod.get("status", {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(
            f"cannot attach a container in a completed pod; current phase is {phase}"
        )
    try:
        container = chosen_container(pod, values.container, quiet=values.quiet)
    except CommandError as exc:
        raise CommandError(f"cannot attach to the container: {exc}") from exc
    keys = values.detach_keys
    attach(http, pod, container, Manner(values.stdin, values.tty, values.quiet, keys))
    return 0


COMMAND = Command(
    usage="kubectl attach (POD | TYPE/NAME) -c CONTAINER [options]",
    short="Attach to a running container",
    long="Join the input and output of a process that runs in a container.",
    examples="""
# See what a Pod writes from now on
kubectl attach web

# Type to a container's process, at a terminal
kubectl attach web -c main -i -t

# A Pod of a Deployment
kubectl attach deploy/web
""",
    run=run,
    flags=(
        Flag("container", usage="Container name. If omitted, use the "
             "kubectl.kubernetes.io/default-container annotation for selecting the container to be "
             "attached or the first container in the pod will be chosen", short="c"),
        DETACH_FLAG,
        timeout_flag(60.0),
        Flag("quiet", False, "Only print output from the remote session", short="q",
             kind=Kind.BOOL),
        Flag("stdin", False, "Pass stdin to the container", short="i", kind=Kind.BOOL),
        Flag("tty", False, "Stdin is a TTY", short="t", kind=Kind.BOOL),
    ),
)  # fmt: skip
