"""``kubectl describe``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import Target, resolve


def run(invocation: Invocation) -> int:
    if not invocation.words and not invocation.values.filename:
        raise CommandError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a '
            "complete list of supported resources."
        )
    printed, refused = 0, list[StatusError]()
    for type_, obj in _objects(invocation, refused):
        if printed:
            print("\n")
        sys.stdout.write(_described(invocation, type_, obj))
        printed += 1
    if not printed and not refused:
        where = invocation.session.namespace
        everywhere = invocation.values.all_namespaces
        text = "No resources found" + ("" if everywhere else f" in {where} namespace.")
        print(text, file=sys.stderr)
    sys.stdout.flush()
    for error in refused:
        print(error.lines(), file=sys.stderr)
    return 1 if refused else 0


def _objects(
    invocation: Invocation, refused: list[StatusError]
) -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    http, values = invocation.session.http, invocation.values
    discovery = Discovery(http)
    if values.filename:
        for manifest in manifests(invocation, discovery):
            yield manifest.type, http.request("GET", manifest.path).json()
        return
    for target in resolve(invocation.words, discovery):
        try:
            yield from _found(invocation, target)
        except StatusError as error:
            refused.append(error)


def _found(invocation: Invocation, target: Target) -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    values, http = invocation.values, invocation.session.http
    namespace = "" if values.all_namespaces else invocation.session.namespace
    path = target.type.path(namespace)
    if target.name and not values.all_namespaces:
        try:
            yield target.type, http.request("GET", target.type.path(namespace, target.name)).json()
            return
        except StatusError as error:
            if error.code != 404:
                raise
            missing = error
    query = [("labelSelector", values.selector)] if values.selector else []
    listed = http.request("GET", path, query).json().get("items") or ()
    chosen = [one for one in listed if one["metadata"]["name"].startswith(target.name)]
    if target.name and not chosen:
        raise missing
    for item in chosen:  # a name may also be the beginning of several
        yield target.type, {"apiVersion": target.type.group_version, "kind": target.type.kind,
                            **item}  # fmt: skip


def _described(invocation: Invocation, type_: ResourceType, obj: dict[str, Any]) -> str:
    now = datetime.now(UTC)
    events = _events(invocation, obj) if invocation.values.show_events else []
    if type_.plural == "pods" and not type_.group:
        from podium.kubectl.printing.describe_pod import pod

        return pod(obj, events, now)
    from podium.kubectl.printing.describe_generic import generic

    return generic(obj, events, now)


def _events(invocation: Invocation, obj: dict[str, Any]) -> list[dict[str, Any]]:
    metadata = obj["metadata"]
    selector = (
        f"involvedObject.name={metadata['name']},involvedObject.namespace="
        f"{metadata.get('namespace', '')},involvedObject.uid={metadata['uid']}"
    )
    namespace = metadata.get("namespace") or "default"
    path = f"/api/v1/namespaces/{namespace}/events"
    answer = invocation.session.http.request("GET", path, [("fieldSelector", selector)])
    found: list[dict[str, Any]] = answer.json().get("items") or []
    return found


COMMAND = Command(
    usage="kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
    short="Show details of a specific resource or group of resources",
    long="Show objects in detail, with what has happened to them.",
    examples="kubectl describe pod web\nkubectl describe pods -l app=web",
    run=run,
    flags=(
        *FILE_FLAGS,
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces.", short="A", kind=Kind.BOOL),
        Flag("selector", usage="Selector (label query) to filter on.", short="l"),
        Flag("show-events", True, "If true, display events related to the described object.",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
