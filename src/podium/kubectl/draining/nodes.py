"""Nodes by name or label, made schedulable or not."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED, Chosen, listed
from podium.kubectl.command import Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.targets import resolve
from podium.kubectl.writing import dry_run, suffix

Map = dict[str, Any]


def nodes(invocation: Invocation, verb: str) -> list[Chosen]:
    """Return the nodes of the command, as the server has them. Raises CommandError."""
    values, session, words = invocation.values, invocation.session, invocation.words
    if not words and not values.changed("selector"):
        raise invocation.misused(f"USAGE: {verb} NODE [flags]")
    if words and values.selector:
        raise invocation.misused("cannot specify both a node name and a --selector option")
    discovery = Discovery(session.http)
    if values.selector:
        type_ = discovery.find("nodes")
        items = listed(session, type_, "", [("labelSelector", values.selector)])
        return [Chosen(type_, "", item["metadata"]["name"], None, item) for item in items]
    if not any("/" in word for word in words):
        words = ["nodes", *words]
    found = []
    for target in resolve(words, discovery):
        if not target.name:
            raise Said(NOTHING_NAMED)
        one = Chosen(target.type, session.namespace, target.name)
        found.append(Chosen(one.type, "", one.name, None, one.read(session)))
    for one in found:
        if one.type.kind != "Node":
            kind = f'"{one.type.group}/{one.type.version}, Resource={one.type.plural}"'
            raise CommandError(f"error: expected resource of type node, got {kind}")
    return found


def cordon(invocation: Invocation, found: list[Chosen], *, on: bool) -> None:
    """Make nodes unschedulable, or schedulable again, and say so."""
    session, done = invocation.session, "cordoned" if on else "uncordoned"
    mode = dry_run(invocation.values)
    query = [("dryRun", "All")] if mode == "server" else []
    for one in found:
        node = one.read(session)
        did = done
        if bool((node.get("spec") or {}).get("unschedulable")) == on:
            did = f"already {done}"
        elif mode != "client":
            patch = {"spec": {"unschedulable": True if on else None}}
            session.send("PATCH", one.path, query, patch, STRATEGIC)
        print(f"node/{one.name} {did}{suffix(invocation.values)}")
