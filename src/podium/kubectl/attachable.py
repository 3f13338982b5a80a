"""Which Pod is reached into by a command that may name something else, such as a Service."""

from __future__ import annotations

import json
import time

from podium.kubectl import selectors
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import Target, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import Discovery, ResourceType
    from podium.kubectl.flags import Values

#: Kinds whose selector has the labels alone, and those that have it with expressions.
_PLAIN = (("", "Service"), ("", "ReplicationController"))
_WITH_EXPRESSIONS = (
    ("apps", "ReplicaSet"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"),
    ("batch", "Job"),
)  # fmt: skip
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def timeout_flag(default: float) -> Flag:
    usage = (
        "The length of time (like 5s, 2m, or 3h, higher than zero) to wait until at least one pod "
        "is running"
    )
    return Flag("pod-running-timeout", default, usage, kind=Kind.DURATION)


def checked_timeout(invocation: Invocation, *, usage: bool = True) -> float:
    """Return ``--pod-running-timeout`` in seconds. Raises CommandError."""
    return checked_timeout_of(invocation.values, invocation.path if usage else "")


def checked_timeout_of(values: Values, path: str) -> float:
    seconds: float = values.pod_running_timeout
    if seconds <= 0:
        text = "--pod-running-timeout must be higher than zero"
        if path:
            text += f"\nSee '{path} -h' for help and examples"
        raise CommandError(text)
    return seconds


def named_object(
    invocation: Invocation, discovery: Discovery, words: Sequence[str]
) -> tuple[ResourceType, dict[str, Any]]:
    """Return what ``NAME`` (a Pod's), ``TYPE/NAME`` or ``TYPE NAME`` is for, with its type."""
    if len(words) == 1 and "/" not in words[0]:
        target = Target(discovery.find("pods"), words[0])
    else:
        target = resolve(words, discovery)[0]
    session = invocation.session
    path = target.type.path(session.namespace, target.name)
    return target.type, session.http.one(path).json()


def attachable_pod(
    invocation: Invocation, type_: ResourceType, obj: dict[str, Any], timeout: float
) -> dict[str, Any]:
    """Return the Pod that an object stands for, itself or the most active one of its own.

    Raises CommandError where an object has no Pods, or none appears within *timeout* seconds.
    """
    if type_.kind == "Pod":
        return obj
    from podium.kubectl.discovery import Discovery

    selector = selector_of(type_, obj, "cannot attach to")
    pods = Discovery(invocation.session.http).find("pods")
    return first_pod(invocation, pods, selector, timeout)


def first_pod(
    invocation: Invocation, pods: ResourceType, selector: str, timeout: float
) -> dict[str, Any]:
    """Return the most active Pod with *selector*; wait for one where there is none."""
    http = invocation.session.http
    path, query = pods.path(invocation.session.namespace), [("labelSelector", selector)]
    listed = http.request("GET", path, query).json()
    if listed["items"]:
        return most_active(listed["items"])
    deadline = time.monotonic() + timeout
    version = listed["metadata"]["resourceVersion"]
    query += [("resourceVersion", version), ("watch", "true")]
    query += [("timeoutSeconds", str(max(round(timeout), 1)))]
    for line in http.stream(path, query):
        event = json.loads(line)
        if event["type"] in ("ADDED", "MODIFIED"):
            found: dict[str, Any] = event["object"]
            return found
        if time.monotonic() > deadline:
            break
    raise CommandError("timed out waiting for the condition")


def selector_of(type_: ResourceType, obj: Mapping[str, Any], doing: str) -> str:
    """Return the selector of an object's Pods as a query has it. Raises CommandError."""
    found = (obj.get("spec") or {}).get("selector")
    kind = f"*{type_.version}.{type_.kind}"
    if (type_.group, type_.kind) in _PLAIN:
        if not found:
            name = obj["metadata"]["name"]
            raise CommandError(
                f"{doing} {kind}: invalid service '{name}': Service is defined without a selector"
            )
        return ",".join(f"{key}={found[key]}" for key in sorted(found))
    if (type_.group, type_.kind) in _WITH_EXPRESSIONS:
        return selectors.as_text(found)
    raise CommandError(f"{doing} {kind}: selector for {kind} not implemented")


def most_active(pods: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the Pod that has run longest and best: the one to be shown, or to be entered."""
    return min(pods, key=activity)


def activity(pod: Mapping[str, Any], *, restarts_first: bool = False) -> tuple[Any, ...]:
    """A key that sorts Pods, the most active first."""
    status = pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready", {})
    is_ready = ready.get("status") == "True"
    restarts = sum(one.get("restartCount", 0) for one in status.get("containerStatuses") or ())
    return (
        not pod["spec"].get("nodeName"),
        -_PHASES.get(status.get("phase", ""), 0),
        not is_ready,
        ready.get("lastTransitionTime") or "~" if is_ready else "",
        -restarts if restarts_first else restarts,
        pod["metadata"].get("creationTimestamp") or "~",
    )
