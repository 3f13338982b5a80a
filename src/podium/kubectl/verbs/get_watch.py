"""``get -w``: what there is, then each change as it comes."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from podium.kubectl import formats
from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError, FellSilent, StatusError
from podium.kubectl.formats import Printer
from podium.kubectl.targets import Target
from podium.kubectl.verbs.get_reading import TABLE, objects, place, read
from podium.kubectl.verbs.get_tables import Tables

#: Prints a list or an object, and what has happened to it.
_Out = Callable[[dict[str, Any], str], None]


def watch(invocation: Invocation, targets: Sequence[Target], show: Printer | None) -> int:
    """Print what there is, unless --watch-only, and then each change until the server ends."""
    values, session = invocation.values, invocation.session
    if len({(target.type.group, target.type.plural) for target in targets}) > 1:
        raise CommandError("you may only specify a single resource type")
    if values.sort_by:
        print("warning: --watch requested, --sort-by will be ignored for watch events received",
              file=sys.stderr)  # fmt: skip
    target, tabular = targets[0], show is None and values.output != "name"
    accept = TABLE if tabular else "application/json"
    out = _tables(invocation, target) if tabular else _printed(invocation, target, show)
    version, documents = "", list[dict[str, Any]]()
    try:
        for one in targets:
            documents += read(invocation, one, accept)
    except StatusError as error:
        if values.ignore_not_found and error.code == 404:
            return 0
        raise
    for document in documents:
        # One object may not have changed for longer than the server remembers: its watch begins
        # now, with an event of what has just been read.
        version = "0" if target.name else document["metadata"]["resourceVersion"]
        if not values.watch_only:
            out(document, "ADDED")
    if len(targets) != 1:
        raise CommandError("you may only watch a single resource or type of resource at a time")
    fields = [f"metadata.name={target.name}"] if target.name else []
    fields += [values.field_selector] if values.field_selector else []
    query = [("watch", "true"), ("resourceVersion", version), ("fieldSelector", ",".join(fields))]
    query += [("labelSelector", values.selector)] if values.selector else []
    sys.stdout.flush()
    path = target.type.path(place(invocation, target))
    known = _version(documents[0]) if target.name else ""
    with contextlib.suppress(FellSilent):  # --request-timeout ends a watch as its end does
        events = map(json.loads, session.http.stream(path, query, accept=accept))
        for obj, happened in news(events, known):
            out(obj, happened)
            sys.stdout.flush()
    return 0


def news(events: Iterable[dict[str, Any]], known: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what *events* tell, and what of it has happened. Raises StatusError.

    The watch of one object begins with an event of what there is. Where that is still the version
    that is *known* it is no news; where it has changed since, it is.
    """
    for event in events:
        obj, happened = event["object"], event["type"]
        if happened == "ERROR":
            raise StatusError(obj)
        if happened == "BOOKMARK":
            continue
        before, known = known, ""
        if before and happened == "ADDED":
            if _version(obj) == before:
                continue
            happened = "MODIFIED"
        yield obj, happened


def _version(document: dict[str, Any]) -> str:
    """Return the version of an object, or of the one that a table has."""
    obj = (document.get("rows") or [{"object": document}])[0].get("object") or {}
    version: str = (obj.get("metadata") or {}).get("resourceVersion", "")
    return version


def _tables(invocation: Invocation, target: Target) -> _Out:
    tables, told = Tables(invocation, [target]), invocation.values.output_watch_events
    return lambda document, event: tables.follow(target.type, document, event if told else "")


def _printed(invocation: Invocation, target: Target, show: Printer | None) -> _Out:
    from podium.kubectl.writing import name_of

    values, first = invocation.values, True

    def out(document: dict[str, Any], event: str) -> None:
        nonlocal first
        for obj in objects(target, document):
            if show is None:
                print(name_of(obj))
                continue
            shown = formats.without_managers(obj, values)
            if values.output_watch_events:
                shown = {"type": event, "object": shown}
            print("---\n" if values.output == "yaml" and not first else "", end="")
            in_line = values.output_watch_events and values.output == "json"
            print(_event(shown) if in_line else show(shown), end="")
            first = False

    return out


def _event(shown: dict[str, Any]) -> str:
    """Events are printed in one line each."""
    from podium.kubectl.writing import ESCAPED

    inner = json.dumps(shown["object"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"{shown["type"]}","object":{inner.translate(ESCAPED)}}}\n'
