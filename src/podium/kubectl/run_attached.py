"""``kubectl run`` that stays: until the container has ended, and with its exit code."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from podium.kubectl.attaching import Manner, attach_or_log, show_log, wait_for
from podium.kubectl.command import Invocation
from podium.kubectl.deleting import Doomed, wait_until_gone
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.pods import chosen_container

Json = dict[str, Any]
_OVER = ("Succeeded", "Failed")


def run_attached(
    invocation: Invocation, made: Sequence[tuple[ResourceType, Json]], removal: Json
) -> None:
    """Attach to the Pod that *made* begins with; *removal* is how it goes, if it is to go.

    Raises what is to be this program's end.
    """
    values, http = invocation.values, invocation.session.http
    try:
        _, pod = made[0]
        pod = wait_for(http, pod, _is_ready_or_over, values.pod_running_timeout)
        over = _phase(pod) in _OVER
        container = chosen_container(pod, "", quiet=values.quiet)
        if not over:
            show_log(http, pod, container)  # what it said before anybody could listen
        manner = Manner(values.stdin, values.tty, values.quiet, values.detach_keys)
        attach_or_log(http, pod, container, manner, over=over)
        policy = pod["spec"]["restartPolicy"]
        if policy != "Always" and not values.leave_stdin_open:
            done = _OVER if policy == "Never" else ("Succeeded",)
            timeout = values.pod_running_timeout
            _judge(wait_for(http, pod, lambda found: _phase(found) in done, timeout))
    finally:
        if values.rm:
            for type_, obj in made:
                _remove(invocation, type_, obj, removal)


def _phase(pod: Json) -> str:
    phase: str = (pod.get("status") or {}).get("phase", "")
    return phase


def _is_ready_or_over(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return _phase(pod) in _OVER or (_phase(pod) == "Running" and ready)


def _judge(pod: Json) -> None:
    """Raise what the Pod's end asks for."""
    if _phase(pod) == "Succeeded":
        return
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    statuses = pod["status"].get("containerStatuses") or [{}]
    ended = (statuses[0].get("state") or {}).get("terminated") or {}
    if not ended.get("exitCode"):
        raise CommandError(f"pod {name} failed with unknown exit code")
    text = f"pod {name} terminated ({ended.get('reason', '')})\n{ended.get('message', '')}"
    failure = Said(text.rstrip("\n"))
    failure.exit_code = int(ended["exitCode"])
    raise failure


def _remove(invocation: Invocation, type_: ResourceType, obj: Json, options: Json) -> None:
    values, http = invocation.values, invocation.session.http
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    doomed = Doomed(type_, namespace, name)
    try:
        http.request("DELETE", doomed.path, body=json.dumps(options).encode())
    except StatusError as exc:
        if exc.code != 404:
            raise
        return
    if not values.quiet:
        print(f'{type_.kind.lower()} "{name}" deleted from {namespace} namespace', flush=True)
    if values.wait:
        until = time.monotonic() + values.timeout if values.timeout else None
        wait_until_gone(http, doomed, obj["metadata"]["uid"], until)
