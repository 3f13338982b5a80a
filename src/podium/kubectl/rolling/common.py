"""What the verbs of ``kubectl rollout`` have in common."""

from __future__ import annotations

import sys
from typing import Any

from podium.kubectl.choosing import SELECTOR_FLAG, Chosen, choose
from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    manager_flag,
    write_query,
)

Map = dict[str, Any]

FLAGS = (*FILE_FLAGS, SELECTOR_FLAG)
CHANGE_FLAGS = (*FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, manager_flag("kubectl-rollout"))


def chosen(invocation: Invocation) -> list[tuple[Chosen, Map]]:
    """Return the objects of the command, as the server has them. Raises CommandError."""
    if not invocation.words and not given(invocation.values):
        raise CommandError("required resource not specified")
    found = choose(invocation, invocation.words, every=True)
    if not found:
        namespace = invocation.session.namespace
        print(f"No resources found in {namespace} namespace.", file=sys.stderr)
    return [(one, one.read(invocation.session)) for one in found]


def patch(invocation: Invocation, one: Chosen, body: Map) -> Map:
    """Patch an object strategically; return what it is then."""
    query = write_query(invocation.values, validates=False)
    return invocation.session.send("PATCH", one.path, query, body, STRATEGIC)


def check_revision(number: int) -> None:
    if number < 0:
        raise CommandError(f"revision must be a positive integer: {number}")
