"""Attaching to a container: what ``attach``, ``run`` and ``debug`` have in common."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.http import Http
from podium.kubectl.pods import every_container

_GREETING = """\
All commands and output from this session will be recorded in container logs, including \
credentials and sensitive information passed through the command prompt.
If you don't see a command prompt, try pressing enter."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to attach. *resume* is the command by which one would come back."""

    stdin: bool = False
    tty: bool = False
    quiet: bool = False
    detach_keys: str = ""
    resume: str = "kubectl attach"


def attach(http: Http, pod: dict[str, Any], container: str, manner: Manner) -> None:
    """Attach, until the container has ended or the user has left. Raises CommandError."""
    from podium.kubectl.streams import Wanted, connect
    from podium.kubectl.terminal import DetachKeys, usable

    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    _, spec = _container(pod, container)
    has_terminal = bool(spec.get("tty"))
    if manner.tty and not has_terminal and not manner.quiet:
        print(f"error: Unable to use a TTY - container {container} did not allocate one",
              file=sys.stderr)  # fmt: skip
    raw = usable(manner.stdin, has_terminal, quiet=manner.quiet)
    keys = DetachKeys.parse(manner.detach_keys) if raw else None
    wanted = Wanted(manner.stdin, raw, stderr=not raw, detach=keys, redraws=True)
    if not manner.quiet:
        print(_GREETING, file=sys.stderr, flush=True)
    path = Discovery(http).find("pods").path(namespace, name, "attach")
    connect(http, path, [("container", container)], wanted)
    if raw and not manner.quiet:
        print(_ending(pod, container, manner))


def _ending(pod: dict[str, Any], container: str, manner: Manner) -> str:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    again = f"'{manner.resume} {name} -c {container} -n {namespace} -i -t'"
    if _container(pod, container)[0] == "ephemeralContainers":
        return (
            "Session ended, the ephemeral container will not be restarted but may be reattached "
            f"using {again} if it is still running"
        )
    return f"Session ended, resume using {again} command"


def _container(pod: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """Return in which list of *pod* a container is, and its spec. Raises CommandError."""
    for kind, container in every_container(pod):
        if container["name"] == name:
            return kind, container
    raise CommandError(f"container {name} not found in pod {pod['metadata']['name']}")


def attach_or_log(
    http: Http, pod: dict[str, Any], container: str, manner: Manner, *, over: bool
) -> None:
    """Attach; where the container is *over* or cannot be attached to, show what it has said."""
    if not over:
        try:
            attach(http, pod, container, manner)
        except CommandError as exc:
            if exc.exit_code != 1:
                raise
            name = pod["metadata"]["name"]
            print(f"warning: couldn't attach to pod/{name}, falling back to streaming logs: {exc}",
                  file=sys.stderr, flush=True)  # fmt: skip
        else:
            return
    show_log(http, pod, container)


def show_log(http: Http, pod: dict[str, Any], container: str) -> None:
    """Print what a container has said until now."""
    metadata = pod["metadata"]
    path = Discovery(http).find("pods").path(metadata["namespace"], metadata["name"], "log")
    sys.stdout.flush()
    for piece in http.stream(path, [("container", container)], accept="*/*", lines=False):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def wait_for(
    http: Http,
    pod: dict[str, Any],
    found: Callable[[dict[str, Any]], bool],
    timeout: float | None = None,
) -> dict[str, Any]:
    """Return the Pod once *found* is true of it. Raises CommandError where *timeout* passes before,
    and StatusError where it is deleted."""
    metadata = pod["metadata"]
    path = Discovery(http).find("pods").path(metadata["namespace"])
    only = [("fieldSelector", f"metadata.name={metadata['name']}")]
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        listed = http.request("GET", path, only).json()
        for one in listed["items"]:
            if found(one):
                return dict(one)
        query = [*only, ("resourceVersion", listed["metadata"]["resourceVersion"])]
        query += [("watch", "true"), *_within(deadline)]
        for line in http.stream(path, query):
            event = json.loads(line)
            if event["type"] == "DELETED":
                raise StatusError(
                    {"reason": "NotFound", "code": 404, "message": 'pods "" not found'}
                )
            if event["type"] == "ERROR":
                break
            if found(event["object"]):
                return dict(event["object"])
        if deadline is not None and time.monotonic() >= deadline:
            raise CommandError("timed out waiting for the condition")


def _within(deadline: float | None) -> list[tuple[str, str]]:
    if deadline is None:
        return []
    left = max(round(deadline - time.monotonic()), 1)
    return [("timeoutSeconds", str(left))]
