"""What the verbs of ``kubectl rollout`` have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from podium.kubectl.choosing import SELECTOR_FLAG, Chosen, choose
from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError, Said, StatusError, Unread
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.manifests import gathered
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    each,
    manager_flag,
    write_query,
)

Map = dict[str, Any]

#: Kinds with Pods of whose rollouts upstream's knows, but not what they were before.
WITHOUT_HISTORY = frozenset("CronJob Job Pod ReplicaSet ReplicationController".split())

FLAGS = (*FILE_FLAGS, SELECTOR_FLAG)
CHANGE_FLAGS = (*FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, manager_flag("kubectl-rollout"))


def chosen(invocation: Invocation, *, tells: bool = True) -> Iterator[tuple[Chosen, Map]]:
    """Yield the objects of the command, as the server has them; where there are none it *tells*.

    Raises CommandError.
    """
    if not invocation.words and not given(invocation.values):
        raise CommandError("required resource not specified")
    found = choose(invocation, invocation.words, every=True, reads=True, typed=True)
    empty = True
    missing: list[CommandError] = []
    for one in found:
        empty = False
        try:
            yield one, one.read(invocation.session)
        except StatusError as error:
            missing.append(error)
    if missing:
        raise Unread(missing)
    if empty and tells:
        namespace = invocation.session.namespace
        print(f"No resources found in {namespace} namespace.", file=sys.stderr)


def change_each(invocation: Invocation, change: Callable[[tuple[Chosen, Map]], None]) -> int:
    """Change the objects of the command; what cannot be read of them is told first."""
    found, unread = gathered(chosen(invocation))
    if unread and not found:
        raise Said(unread[0].each())
    return each(found, change, before=unread)


def patch(invocation: Invocation, one: Chosen, body: Map) -> Map:
    """Patch an object strategically; return what it is then."""
    query = write_query(invocation.values, validates=False)
    return invocation.session.send("PATCH", one.path, query, body, STRATEGIC)


def check_revision(number: int) -> None:
    if number < 0:
        raise CommandError(f"revision must be a positive integer: {number}")
