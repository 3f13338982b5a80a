"""``kubectl events``: what has happened, the latest last."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from podium.kubectl import formats
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, FellSilent, Said, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.lists import items
from podium.kubectl.printing.describe import interval
from podium.kubectl.printing.table import Aligner, escaped
from podium.kubectl.writing import MISSING_KEYS_FLAG, check_output, printed, text_of, whole

Event = dict[str, Any]

#: What an event has in Go's type, whether there is anything in it or not.
BLANK: Event = {"eventTime": None, "firstTimestamp": None, "lastTimestamp": None,
                 "reportingComponent": "", "reportingInstance": "", "source": {}}  # fmt: skip
_EVENTS = ResourceType("", "v1", "events", "Event", True)
_TYPES = {"normal": "Normal", "warning": "Warning"}


def run(invocation: Invocation) -> int:
    values, http = invocation.values, invocation.session.http
    wanted = [_TYPES.get(name.lower()) for name in values.types]
    if None in wanted:
        raise CommandError("valid --types are Normal or Warning")
    check_output(values)
    query = _query(invocation)
    namespace = "" if values.all_namespaces else invocation.session.namespace
    path = _EVENTS.path(namespace)
    if values.watch:
        return _watch(invocation, path, query)
    found = list(items(http, path, query, chunk=values.chunk_size))
    found = [one for one in found if not wanted or one.get("type") in wanted]
    if not found:
        where = f" in {namespace} namespace" if namespace else ""
        print(f"No events found{where}.", file=sys.stderr)
        return 0
    found.sort(key=_last)
    if whole(values):
        plain = [formats.without_managers(_typed(one), values) for one in found]
        listed = {"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": plain}
        print(text_of(values, listed, typed=True), end="")
    elif values.output != "name":
        _print(invocation, found, Aligner(), headed=not values.no_headers)
    return 0


def _typed(event: Event) -> Event:
    """Return an event with what Go's type always has."""
    return {"apiVersion": "v1", "kind": "Event", **BLANK, **event}


def _query(invocation: Invocation) -> list[tuple[str, str]]:
    """Choose the events of one object."""
    text = invocation.values.__getattr__("for")
    if not text:
        return []
    kind, slash, name = text.partition("/")
    if "/" in name:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if not slash or not kind:
        raise CommandError("--for must be in resource/name form")
    try:
        type_ = Discovery(invocation.session.http).find(kind)
    except CommandError as exc:
        raise Said(str(exc)) from exc
    if not name:  # of whatever kind then, as upstream's
        return []
    fields = [f"involvedObject.kind={type_.kind}",
              f"involvedObject.apiVersion={type_.group_version}",
              f"involvedObject.name={name}"]  # fmt: skip
    return [("fieldSelector", ",".join(fields))]


def _last(event: Event) -> str:
    """When it was seen last."""
    series = event.get("series") or {}
    text = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return str(text or "")


def _watch(invocation: Invocation, path: str, query: list[tuple[str, str]]) -> int:
    """Print what there is, in the server's order, then what comes; each event by itself."""
    values, aligner, headed = invocation.values, Aligner(), not invocation.values.no_headers
    wanted = [_TYPES[name.lower()] for name in values.types]
    with contextlib.suppress(FellSilent):  # --request-timeout ends a watch as its end does
        for line in invocation.session.http.stream(path, [*query, ("watch", "true")]):
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise StatusError(event["object"])
            seen = event["object"]
            passed_over = wanted and seen.get("type") not in wanted
            if event["type"] in ("BOOKMARK", "DELETED") or passed_over:
                continue
            if values.output or values.template:
                printed(invocation, _EVENTS, _typed(seen), "", typed=True, parts=True)
            else:
                _print(invocation, [seen], aligner, headed=headed)
            headed = False
            sys.stdout.flush()
    return 0


def _print(
    invocation: Invocation, found: Sequence[Event], aligner: Aligner, *, headed: bool
) -> None:
    everywhere, now = invocation.values.all_namespaces, datetime.now(UTC)
    rows: list[list[str]] = []
    if headed:
        first = ["NAMESPACE"] if everywhere else []
        rows.append([*first, "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
    for one in found:
        involved = one.get("involvedObject") or {}
        target = f"{involved.get('kind', '')}/{involved.get('name', '')}"
        first = [one["metadata"].get("namespace", "")] if everywhere else []
        cells = [interval(one, now), one.get("type", ""), one.get("reason", ""), target]
        rows.append([*first, *cells, escaped(str(one.get("message", "")).strip())])
    for line in aligner.lines(rows):
        print(line)


COMMAND = Command(
    usage="kubectl events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|"
    "template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] "
    "[--types=Normal,Warning] [options]",
    short="List events",
    long="Show what has happened in a namespace, or to one object, the latest last.",
    examples="""
# Of the namespace
kubectl events

# Of one Pod, and what comes
kubectl events --for pod/web --watch

# Only what is wrong, everywhere
kubectl events -A --types=Warning
""",
    run=run,
    flags=(
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces. Namespace in current context is ignored even if specified with "
             "--namespace.", short="A", kind=Kind.BOOL),
        MISSING_KEYS_FLAG,
        Flag("chunk-size", 500, "Return large lists in chunks rather than all at once. Pass 0 to "
             "disable.", kind=Kind.INT),
        Flag("for", usage="Filter events to only those pertaining to the specified resource."),
        Flag("no-headers", False, "When using the default output format, don't print headers.",
             kind=Kind.BOOL),
        Flag("output", usage="Output format. One of: (json, yaml, kyaml, name, go-template, "
             "go-template-file, template, templatefile, jsonpath, jsonpath-as-json, "
             "jsonpath-file).", short="o", kind=Kind.FORMAT),
        Flag("show-managed-fields", False, "If true, keep the managedFields when printing objects "
             "in JSON or YAML format.", kind=Kind.BOOL),
        Flag("template", usage="Template string or path to template file to use when "
             "-o=go-template, -o=go-template-file."),
        Flag("types", [], "Output only events of given types.", kind=Kind.LIST),
        Flag("watch", False, "After listing the requested events, watch for more events.",
             short="w", kind=Kind.BOOL),
    ),
)  # fmt: skip
