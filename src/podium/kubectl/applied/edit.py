"""``kubectl apply edit-last-applied``."""

from __future__ import annotations

from typing import Any

from podium.kubectl import formats
from podium.kubectl.choosing import choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.editing import Item, edit
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import ANNOTATION, compact, last_applied
from podium.kubectl.patches import MERGE
from podium.kubectl.recording import RECORD_FLAG
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    VALIDATE_FLAG,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]
_HEADER = """\
# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    formats.printer(values, formats.PLAIN)
    query = write_query(values)
    discovery = Discovery(session.http)
    items = []
    for one in choose(invocation, invocation.words, discovery=discovery, every=True, reads=True):
        applied = last_applied(one.read(session))
        if applied is not None:
            items.append(Item(one.type, one.namespace, one.name, applied))
    if not items:
        raise CommandError(
            "no last-applied-configuration annotation found on resources, to create the "
            "annotation, use command `kubectl apply set-last-applied --create-annotation`"
        )

    def change(item: Item, after: Map) -> None:
        if item.obj == after:
            printed(invocation, item.type, after, "skipped")
            return
        patch = {"metadata": {"annotations": {ANNOTATION: f"{compact(after)}\n"}}}
        path = item.type.path(item.namespace, item.name)
        session.send("PATCH", path, query, patch, MERGE)
        printed(invocation, item.type, after, "edited")

    edit(items, change, discovery, values.output, _HEADER)
    return 0


COMMAND = Command(
    usage="kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME) [options]",
    short="Edit latest last-applied-configuration annotations of a resource/object",
    run=run,
    flags=(
        *FILE_FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, VALIDATE_FLAG,
        manager_flag("kubectl-client-side-apply"), RECORD_FLAG,
        Flag("windows-line-endings", False, "Defaults to the line ending native to your platform.",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
