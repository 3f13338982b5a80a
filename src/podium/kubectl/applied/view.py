"""``kubectl apply view-last-applied``."""

from __future__ import annotations

import json

from podium.kubectl.choosing import (
    ALL_FLAG,
    NAME_WITH_SELECTOR,
    SELECTOR_FLAG,
    SLASHED_WITH_SELECTOR,
    choose,
)
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag
from podium.kubectl.last_applied import last_applied
from podium.kubectl.writing import ESCAPED, as_text


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    output = values.output.lower()
    found = []
    if values.all:
        _refuse_all(invocation)
    # With --namespace, upstream's takes a type alone for all of it, and --all for a contradiction.
    for one in choose(invocation, invocation.words, every=session.enforces_namespace):
        applied = last_applied(one.read(session))
        if applied is not None:
            found.append(applied)
    if output not in ("yaml", "json", ""):
        raise invocation.misused(
            f"Unexpected -o output mode: {values.output}, the flag 'output' must be one of "
            "yaml|json"
        )
    for applied in found:
        if output == "json":
            text = json.dumps(applied, indent=2, sort_keys=True, ensure_ascii=False)
            print(text.translate(ESCAPED))
        else:
            print(as_text(applied, "yaml"), end="")
    return 0


def _refuse_all(invocation: Invocation) -> None:
    """Raise CommandError where ``--all`` may not stand."""
    if not invocation.words and not given(invocation.values):
        raise CommandError("at least one resource must be specified to use a selector")
    if any("/" in word for word in invocation.words):
        raise CommandError(SLASHED_WITH_SELECTOR)
    if len(invocation.words) > 1:
        raise CommandError(NAME_WITH_SELECTOR)
    if invocation.words and invocation.session.enforces_namespace:
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    if selector := invocation.values.selector:
        raise CommandError(
            f"found non-empty label selector \"{selector}\" with previously set 'all' parameter. "
        )


COMMAND = Command(
    usage="kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME) "
    "[options]",
    short="View the latest last-applied-configuration annotations of a resource/object",
    run=run,
    flags=(
        *FILE_FLAGS, ALL_FLAG, SELECTOR_FLAG,
        Flag("output", "yaml", "Output format. Must be one of (yaml, json)", short="o"),
    ),
)  # fmt: skip
