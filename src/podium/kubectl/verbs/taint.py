"""``kubectl taint``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podium.kubectl import taints
from podium.kubectl.choosing import SELECTOR_FLAG, Chosen, listed
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.taints import Taint
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    VALIDATE_FLAG,
    check_output,
    dry_run,
    each,
    manager_flag,
    named,
    printed,
    write_query,
)


def run(invocation: Invocation) -> int:
    values = invocation.values
    words, changes = _split(invocation.words)
    if not words:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not changes:
        raise CommandError("at least one taint update is required")
    try:
        added, removed = taints.parse(changes)
    except taints.TaintError as exc:
        raise invocation.misused(str(exc)) from exc
    found = _nodes(invocation, words, added, removed)
    check_output(values)
    query = write_query(values, validates=False)

    def change(one: Chosen) -> None:
        obj = one.read(invocation.session)
        there = (obj.get("spec") or {}).get("taints") or []
        already = taints.existing(there, added)
        if already and not values.overwrite:
            raise CommandError(
                f"node {one.name} already has {','.join(already)} taint(s) with same effect(s) and "
                "--overwrite is false"
            )
        new, did, missing = taints.changed(there, added, removed, overwrite=values.overwrite)
        if missing:
            raise Said("\n".join(missing) if len(missing) > 1 else f"error: {missing[0]}")
        obj = _patched(invocation, one, obj, new, query)
        if values.output or values.template:
            printed(invocation, one.type, obj, did, parts=True)
        else:
            print(f"{named(one.type)}/{one.name} {did}")

    return each(found, change)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what names nodes and what changes them. Raises CommandError."""
    objects, changes = list[str](), list[str]()
    for word in words:
        if "=" in word or ":" in word or word.endswith("-"):
            changes.append(word)
        elif changes:
            raise CommandError(f"all resources must be specified before taint changes: {word}")
        else:
            objects.append(word)
    return objects, changes


def _nodes(
    invocation: Invocation, words: list[str], added: list[Taint], removed: list[Taint]
) -> list[Chosen]:
    values, session = invocation.values, invocation.session
    try:
        type_: ResourceType = Discovery(session.http).find(words[0])
    except CommandError as exc:
        raise Said(str(exc)) from exc
    if type_.kind != "Node":
        raise CommandError(f"invalid resource type {words[0]}, only node types are supported")
    if both := taints.contradictions(added, removed):
        raise CommandError(
            "can not both modify and remove the following taint(s) in the same command: "
            f"{', '.join(both)}"
        )
    if values.all and values.selector:
        raise CommandError("setting 'all' parameter with a non empty selector is prohibited")
    if values.all or values.selector:
        query = [("labelSelector", values.selector)] if values.selector else []
        items = listed(session, type_, "", query)
        return [Chosen(type_, "", item["metadata"]["name"], None, item) for item in items]
    if len(words) < 2:
        raise CommandError(
            "at least one resource name must be specified since 'all' parameter is not set"
        )
    return [Chosen(type_, "", name) for name in words[1:]]


def _patched(
    invocation: Invocation, one: Chosen, obj: dict[str, Any], new: list[Taint], query: Any
) -> dict[str, Any]:
    if dry_run(invocation.values) == "client":
        return {**obj, "spec": {**obj.get("spec", {}), "taints": new}}
    patch = {"spec": {"taints": new or None}}
    return invocation.session.send("PATCH", one.path, query, patch, STRATEGIC)


COMMAND = Command(
    usage="kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N "
    "[options]",
    short="Update the taints on one or more nodes",
    long="Add, change and remove (KEY-, KEY:EFFECT-) taints of nodes; effects are NoSchedule, "
    "PreferNoSchedule and NoExecute.",
    examples="kubectl taint nodes worker dedicated=database:NoSchedule\n"
    "kubectl taint nodes worker dedicated-",
    run=run,
    flags=(
        DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, VALIDATE_FLAG, SELECTOR_FLAG,
        manager_flag("kubectl-taint"),
        Flag("all", False, "Select all nodes in the cluster", kind=Kind.BOOL),
        Flag("overwrite", False, "If true, allow taints to be overwritten, otherwise reject taint "
             "updates that overwrite existing taints.", kind=Kind.BOOL),
    ),
)  # fmt: skip
