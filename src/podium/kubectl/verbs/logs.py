"""``kubectl logs``: of one container, or of all of a Pod's."""

from __future__ import annotations

import sys
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.pods import default_container, named_container

_ACCEPT = "*/*"
_USAGE = """\
expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    name, container = _named(invocation)
    pods = Discovery(session.http).find("pods")
    try:
        pod = session.http.request("GET", pods.path(session.namespace, name)).json()
    except StatusError as error:
        if error.code == 404:
            raise CommandError(
                f'error from server (NotFound): pods "{name}" not found in namespace '
                f'"{session.namespace}"'
            ) from error
        raise
    path = pods.path(session.namespace, name, "log")
    for one in _containers(pod, container, everything=values.all_containers):
        query = [*_query(invocation), ("container", one)]
        prefix = f"[pod/{name}/{one}] ".encode() if values.prefix else b""
        for line in session.http.stream(path, query, accept=_ACCEPT):
            sys.stdout.buffer.write(prefix + line)
            sys.stdout.buffer.flush()
    return 0


def _named(invocation: Invocation) -> tuple[str, str]:
    """Return the Pod and the container that were named, "" for none."""
    words, container = list(invocation.words), invocation.values.container
    if not words or len(words) > 2:
        raise CommandError(_USAGE)
    if len(words) == 2:
        if container:
            raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
        container = words[1]
    kind, slash, name = words[0].partition("/")
    if slash and kind not in ("pod", "pods", "po"):
        raise CommandError(f"cannot get the logs from {kind}: this kubectl shows logs of Pods only")
    return (name if slash else words[0]), container


def _containers(pod: dict[str, Any], container: str, *, everything: bool) -> list[str]:
    if everything:
        spec = pod["spec"]
        listed = [*spec.get("initContainers", ()), *spec["containers"],
                  *spec.get("ephemeralContainers", ())]  # fmt: skip
        return [one["name"] for one in listed]
    if container:
        return [named_container(pod, container)]
    chosen = default_container(pod)
    chosen.announce()
    return [chosen.name]


def _query(invocation: Invocation) -> list[tuple[str, str]]:
    values = invocation.values
    query = [(name, "true") for name in ("follow", "previous", "timestamps")
             if getattr(values, name)]  # fmt: skip
    if values.tail >= 0:
        query.append(("tailLines", str(values.tail)))
    elif values.tail < -1:
        raise CommandError("--tail must be greater than or equal to -1")
    if values.limit_bytes:
        query.append(("limitBytes", str(values.limit_bytes)))
    if values.since and values.since_time:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if values.since:
        query.append(("sinceSeconds", str(max(round(values.since), 1))))
    if values.since_time:
        query.append(("sinceTime", values.since_time))
    return query


COMMAND = Command(
    usage="kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
    short="Print the logs for a container in a pod",
    long="Print what a container has written, and with -f what it writes from now on.",
    examples="kubectl logs web\nkubectl logs -f web -c main\nkubectl logs -p web",
    run=run,
    flags=(
        Flag("all-containers", False, "Get all containers' logs in the pod(s).", kind=Kind.BOOL),
        Flag("container", usage="Print the logs of this container", short="c"),
        Flag("follow", False, "Specify if the logs should be streamed.", short="f",
             kind=Kind.BOOL),
        Flag("limit-bytes", 0, "Maximum bytes of logs to return. Defaults to no limit.",
             kind=Kind.INT),
        Flag("prefix", False, "Prefix each log line with the log source (pod name and container "
             "name)", kind=Kind.BOOL),
        Flag("previous", False, "If true, print the logs for the previous instance of the "
             "container in a pod if it exists.", short="p", kind=Kind.BOOL),
        Flag("since", 0.0, "Only return logs newer than a relative duration like 5s, 2m, or 3h.",
             kind=Kind.DURATION),
        Flag("since-time", usage="Only return logs after a specific date (RFC3339)."),
        Flag("tail", -1, "Lines of recent log file to display. Defaults to -1, showing all log "
             "lines.", kind=Kind.INT),
        Flag("timestamps", False, "Include timestamps on each line in the log output",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
