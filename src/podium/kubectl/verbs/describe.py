"""``kubectl describe``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from podium.api.annotations import MIRROR
from podium.kubectl.choosing import NAME_WITH_SELECTOR, SLASHED_WITH_SELECTOR
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, StatusError, Unread
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.http import Http
from podium.kubectl.lists import items
from podium.kubectl.manifests import gathered, manifests, selected
from podium.kubectl.printing import describe
from podium.kubectl.targets import Target, resolve
from podium.kubectl.verbs.describe_kinds import KINDS, Described

#: Kinds without a description of their own.
_OTHERS = Described("describe_generic", "generic")


def run(invocation: Invocation) -> int:
    if not invocation.words and not given(invocation.values):
        raise CommandError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a '
            "complete list of supported resources."
        )
    refused: list[CommandError] = []
    found = list(_objects(invocation, refused))
    missing = refused and isinstance(refused[0], StatusError) and refused[0].code == 404
    if len(invocation.words) == 2 and missing:
        found, beginning = [], list(_beginning(invocation))
        if beginning:
            for type_, obj in beginning:
                print(_described(invocation, type_, obj, alone=False))
            return 0
    _print_all(invocation, found, refused)
    if not found and not refused:
        where = invocation.session.namespace
        everywhere = invocation.values.all_namespaces
        text = "No resources found" + ("" if everywhere else f" in {where} namespace.")
        print(text, file=sys.stderr)
    sys.stdout.flush()
    for error in refused:
        text = error.lines()
        if isinstance(error, Unread):
            text = error.each() if len(refused) == 1 else error.among_others()
        print(text, file=sys.stderr)
    return 1 if refused else 0


_Found = tuple[ResourceType, dict[str, Any]]


def _print_all(
    invocation: Invocation, found: Sequence[_Found], refused: list[CommandError]
) -> None:
    """Print what was found; what its description needs and the server refuses goes to *refused*."""
    alone, printed = len(found) + len(refused) == 1, False
    for type_, obj in found:
        try:
            text = _described(invocation, type_, obj, alone=alone)
        except StatusError as error:
            if str(error) not in map(str, refused):
                refused.append(error)
            continue
        print(f"\n\n{text}" if printed else text, end="")
        printed = True


def _objects(invocation: Invocation, refused: list[CommandError]) -> Iterator[_Found]:
    """Yield what was asked for, as it is on the server; what it refuses goes to *refused*."""
    http, values = invocation.session.http, invocation.values
    discovery = Discovery(http)
    if given(values):
        found, unread = gathered(selected(manifests(invocation, discovery), values.selector))
        targets = [Target(one.type, one.name, one.namespace) for one in found]
        refused += unread
    else:
        targets = resolve(invocation.words, discovery)
        if values.selector and any(target.name for target in targets):
            slashed = any("/" in word for word in invocation.words)
            raise CommandError(SLASHED_WITH_SELECTOR if slashed else NAME_WITH_SELECTOR)
    for target in targets:
        try:
            yield from _of_target(invocation, target)
        except StatusError as error:
            refused.append(error)


def _of_target(invocation: Invocation, target: Target) -> Iterator[_Found]:
    values, http = invocation.values, invocation.session.http
    everywhere = values.all_namespaces and not given(values)
    namespace = "" if everywhere else target.namespace or invocation.session.namespace
    if target.name:
        if everywhere and target.type.namespaced:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        path = target.type.path(namespace, target.name)
        answer = http.request("GET", path) if given(values) else http.one(path)
        yield target.type, answer.json()
        return
    yield from _listed(invocation, target.type, namespace)


def _listed(invocation: Invocation, type_: ResourceType, namespace: str) -> Iterator[_Found]:
    values = invocation.values
    query = [("labelSelector", values.selector)] if values.selector else []
    path = type_.path(namespace)
    session = invocation.session
    for item in items(session.http, path, query, chunk=values.chunk_size, warn=session.warn):
        yield type_, {"apiVersion": type_.group_version, "kind": type_.kind, **item}


def _beginning(invocation: Invocation) -> Iterator[_Found]:
    """What has a name that begins as the second word."""
    kinds, name = invocation.words
    if "/" in kinds:
        return
    namespace = "" if invocation.values.all_namespaces else invocation.session.namespace
    for target in resolve([kinds], Discovery(invocation.session.http)):
        for type_, obj in _listed(invocation, target.type, namespace):
            if obj["metadata"]["name"].startswith(name):
                yield type_, obj


def _described(
    invocation: Invocation, type_: ResourceType, obj: dict[str, Any], *, alone: bool
) -> str:
    values = invocation.values
    told = values.show_events if values.changed("show-events") else alone
    http, now, lines = invocation.session.http, datetime.now(UTC), describe.Lines()
    kind = KINDS.get((type_.group, type_.kind), _OTHERS)
    kind.load()(lines, obj, now, *(need(http, obj) for need in kind.needs))
    if kind.events and told:
        describe.events(lines, _events(http, type_, obj, must=kind.needs_events), now)
    return lines.aligned()


def _events(
    http: Http, type_: ResourceType, obj: dict[str, Any], *, must: bool
) -> list[dict[str, Any]]:
    """Return what is told of an object; the kubelet knows a Node by its name instead of its uid,
    and a mirror Pod by that of the static one. Who may not see events sees none, unless he *must*.
    """
    metadata = obj["metadata"]
    shown = (metadata.get("annotations") or {}).get(MIRROR) if type_.kind == "Pod" else ""
    uids = [shown or metadata["uid"]]
    if type_.kind == "Node":
        uids.append(metadata["name"])
    fields = {
        "involvedObject.name": metadata["name"],
        "involvedObject.namespace": metadata.get("namespace", ""),
    }
    namespace = metadata.get("namespace")
    path = f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"
    found: list[dict[str, Any]] = []
    for uid in uids:
        chosen = ",".join(f"{name}={text}" for name, text in
                          {**fields, "involvedObject.uid": uid}.items())  # fmt: skip
        try:
            found += items(http, path, [("fieldSelector", chosen)])
        except StatusError:
            if must:
                raise
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
        Flag("chunk-size", 500, "Return large lists in chunks rather than all at once. Pass 0 to "
             "disable.", kind=Kind.INT),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects "
             "must satisfy all of the specified label constraints.", short="l"),
        Flag("show-events", True, "If true, display events related to the described object. "
             "Defaults to true for a single object, false for multiple objects and prefix "
             "matching.", kind=Kind.BOOL),
    ),
)  # fmt: skip
