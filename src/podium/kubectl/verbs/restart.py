"""``podium restart``: containers of Pods start again in place. Not one of kubectl's commands."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind

_USAGE = """\
expected 'restart (POD | pod/NAME)... [-c CONTAINER]'.
See 'podium restart -h' for help and examples"""


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    names = [_name(word) for word in invocation.words]
    if not names:
        raise CommandError(_USAGE)
    pods = Discovery(session.http).find("pods")
    query = [("container", container) for container in values.container]
    for name in names:
        path = pods.path(session.namespace, name, "restart")
        session.warn(session.http.request("POST", path, query, body=b""))
        print(f"pod/{name} restarted")
    return 0


def _name(word: str) -> str:
    kind, slash, name = word.partition("/")
    if not slash:
        return word
    if kind not in ("pod", "pods", "po") or not name:
        raise CommandError(f"cannot restart {word}: this command is for Pods")
    return name


COMMAND = Command(
    usage="podium restart (POD | pod/NAME)... [-c CONTAINER]... [options]",
    short="Restart containers of pods in place",
    long="Restart containers where they are: the Pod keeps its name, its address and its volumes. "
    "Each container gets its grace period, its preStop hook and its stop signal, and starts again "
    "without back-off; its restart count goes up by one. Without -c all of a Pod's containers "
    "restart, sidecars included.",
    examples="podium restart web\npodium restart pod/web -c main",
    run=run,
    flags=(
        Flag("container", (), "Restart this container only; may be repeated", short="c",
             kind=Kind.ARRAY),
    ),
)  # fmt: skip
