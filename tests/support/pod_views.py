"""A Pod's status as few comparable words: the way recorded lives tell it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Conditions that Pods have gained since the recording.
_NEWER = ("PodReadyToStartContainers", "PodResizePending", "PodResizeInProgress")
_GROUPS = {
    "initContainerStatuses": "init",
    "containerStatuses": "containers",
    "ephemeralContainerStatuses": "ephemeral",
}


def tokens(name: str, pod: Any) -> Iterator[tuple[str, str]]:
    status = pod.get("status", {})
    words = [status.get("phase", ""), "deleting" * ("deletionTimestamp" in pod["metadata"])]
    text = " ".join(filter(None, [*words, status.get("reason", "")]))
    yield name, text + (f" | {status['message']}" if status.get("message") else "")
    for group in _GROUPS:
        for container in status.get(group, ()):
            yield f"{name}/{container['name']}", _container_token(container)


def _container_token(container: Any) -> str:
    state = _state(container.get("state"))
    words = [state.get("is", "none"), state.get("reason", "")]
    if state.get("is") == "terminated":
        words.append(f"exit {state.get('exitCode', 0)}")
        words.append(f"signal {state['signal']}" if state.get("signal") else "")
    if state.get("is") == "running":
        words.append("ready" if container.get("ready") else "not-ready")
        if "started" in container:
            words.append("started" if container["started"] else "not-started")
    words.append(f"restarts={container.get('restartCount', 0)}")
    text = " ".join(filter(None, words))
    return text + (f" | {state['message']}" if state.get("message") else "")


def canonical(pod: Any) -> dict[str, Any]:
    status = pod.get("status", {})
    result = {"phase": status.get("phase", "")}
    result |= {key: status[key] for key in ("reason", "message") if status.get(key)}
    if "deletionTimestamp" in pod["metadata"]:
        result["deleting"] = True
    result["conditions"] = {
        condition["type"]: " ".join(filter(None, (condition["status"], condition.get("reason"))))
        + (f": {condition['message']}" if condition.get("message") else "")
        for condition in status.get("conditions", ())
        if condition["type"] not in _NEWER
    }
    for group, short in _GROUPS.items():
        if status.get(group):
            result[short] = {entry["name"]: _container(entry) for entry in status[group]}
    return result


def _container(status: Any) -> dict[str, Any]:
    result = {
        "state": _state(status.get("state")),
        "ready": bool(status.get("ready")),
        "restartCount": status.get("restartCount", 0),
    }
    if "started" in status:
        result["started"] = status["started"]
    if status.get("lastState"):
        result["lastState"] = _state(status["lastState"])
    return result


def _state(state: Any) -> dict[str, Any]:
    for kind, body in (state or {}).items():
        told = {
            key: body[key]
            for key in ("reason", "exitCode", "signal", "message")
            if body.get(key) not in (None, "")
        }
        return {"is": kind, **told}
    return {}


def satisfied(pod: Any, wish: Any) -> Iterator[bool]:
    status = pod.get("status", {})
    if "deleting" in wish:
        yield ("deletionTimestamp" in pod["metadata"]) == wish["deleting"]
    if "phase" in wish:
        yield status.get("phase") in _listed(wish["phase"])
    if "condition" in wish:
        kind, _, value = wish["condition"].partition("=")
        yield any(c["type"] == kind and c["status"] == value for c in status.get("conditions", ()))
    if "container" not in wish:
        if "reason" in wish:
            yield status.get("reason") in _listed(wish["reason"])
        return
    every = [entry for group in _GROUPS for entry in status.get(group, ())]
    found = next((entry for entry in every if entry["name"] == wish["container"]), None)
    yield found is not None
    if found is not None:
        state = _state(found.get("state"))
        yield wish.get("state", state.get("is")) == state.get("is")
        yield "reason" not in wish or state.get("reason") in _listed(wish["reason"])
        yield wish.get("message", "") in state.get("message", "")
        yield found.get("restartCount", 0) >= wish.get("restarts", 0)
        yield bool(found.get("ready")) == wish.get("ready", bool(found.get("ready")))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
