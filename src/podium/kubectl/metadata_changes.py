"""``kubectl label`` and ``annotate``: one command with two names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS, given, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import resolve
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)

_PAST = {"label": ("labeled", "unlabeled"), "annotation": ("annotated", "annotated")}


def command(verb: str, what: str, key: str) -> Command:
    """Return the command *verb* for ``metadata.<key>``; *what* is one of them."""

    def run(invocation: Invocation) -> int:
        return _run(invocation, what, key)

    return Command(
        usage=f"kubectl {verb} [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N "
        "[options]",
        short=f"Update the {key} on a resource",
        long=f"Set, change and remove (KEY-) {key} of objects.",
        examples=f"kubectl {verb} pod web tier=front\nkubectl {verb} pod web tier-",
        run=run,
        flags=(
            *FILE_FLAGS, DRY_RUN_FLAG, OUTPUT_FLAG, MANAGED_FIELDS_FLAG,
            manager_flag(f"kubectl-{verb}"),
            Flag("all", False, "Select all resources, in the namespace of the specified resource "
                 "types", kind=Kind.BOOL),
            Flag("overwrite", False, f"If true, allow {key} to be overwritten, otherwise reject "
                 f"{what} updates that overwrite existing {key}.", kind=Kind.BOOL),
            Flag("selector", usage="Selector (label query) to filter on.", short="l"),
        ),
    )  # fmt: skip


def _run(invocation: Invocation, what: str, key: str) -> int:
    words, changes, removals = _split(invocation.words, what)
    if not words and not given(invocation.values):
        raise CommandError("one or more resources must be specified as <resource> <name> or "
                           "<resource>/<name>")  # fmt: skip
    if not changes and not removals:
        raise CommandError(f"at least one {what} update is required")
    for name in removals:
        if name in changes:
            raise CommandError(f"can not both modify and remove a{'n' * (what[0] == 'a')} {what} "
                               "in the same command")  # fmt: skip
    query = write_query(invocation.values, validates=False)

    def change(found: tuple[ResourceType, dict[str, Any]]) -> None:
        type_, obj = found
        _change(invocation, type_, obj, what, key, changes, removals, query)

    return each(_objects(invocation, words), change)


def _change(
    invocation: Invocation,
    type_: ResourceType,
    obj: dict[str, Any],
    what: str,
    key: str,
    changes: dict[str, str],
    removals: Sequence[str],
    query: Sequence[tuple[str, str]],
) -> None:
    there = obj["metadata"].get(key) or {}
    if not invocation.values.overwrite:
        for name, value in changes.items():
            if name in there and there[name] != value:
                raise CommandError(
                    f"'{name}' already has a value ({there[name]}), and --overwrite is false"
                )
    for name in removals:
        if name not in there:
            print(f'{what} "{name}" not found.')
    new: dict[str, str | None] = {k: v for k, v in changes.items() if there.get(k) != v}
    new |= {name: None for name in removals if name in there}
    did, undid = _PAST[what]
    if not new:
        printed(invocation, type_, obj, f"not {did}")
        return
    if dry_run(invocation.values) != "client":
        metadata = obj["metadata"]
        path = type_.path(metadata.get("namespace", ""), metadata["name"])
        body = json.dumps({"metadata": {key: new}}).encode()
        kind = "application/merge-patch+json"
        answer = invocation.session.http.request("PATCH", path, query, body=body, content_type=kind)
        invocation.session.warn(answer)
        obj = answer.json()
    only_removed = all(value is None for value in new.values())
    printed(invocation, type_, obj, undid if only_removed else did)


def _split(words: Sequence[str], what: str) -> tuple[list[str], dict[str, str], list[str]]:
    """Return what names objects, what is to be set and what is to be removed."""
    named, changes, removals = list[str](), dict[str, str](), list[str]()
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            if "=" in value and what == "label":
                raise CommandError(f"invalid label spec: {word}")
            changes[key] = value
        elif word.endswith("-") and named:
            removals.append(word[:-1])
        elif changes or removals:
            raise CommandError(f"all resources must be specified before changes: {word}")
        else:
            named.append(word)
    return named, changes, removals


def _objects(
    invocation: Invocation, words: Sequence[str]
) -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    values, session = invocation.values, invocation.session
    discovery = Discovery(session.http)
    if given(values):
        for manifest in manifests(invocation, discovery):
            yield manifest.type, session.http.request("GET", manifest.path).json()
        return
    for target in resolve(words, discovery):
        if target.name:
            path = target.type.path(session.namespace, target.name)
            yield target.type, session.http.request("GET", path).json()
            continue
        if not (values.all or values.selector):
            raise CommandError("resource(s) were provided, but no name was specified")
        query = [("labelSelector", values.selector)] if values.selector else []
        listed = session.http.request("GET", target.type.path(session.namespace), query).json()
        for item in listed["items"] or ():
            yield target.type, item
