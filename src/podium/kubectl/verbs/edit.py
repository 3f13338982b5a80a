"""``kubectl edit``: objects in an editor; what was changed is patched."""

from __future__ import annotations

from typing import Any

from podium.kubectl import formats
from podium.kubectl.choosing import choose, read_all
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.editing import HEADER, Item, bare, edit
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import annotated, compact
from podium.kubectl.patches import difference
from podium.kubectl.recording import RECORD_FLAG, recorded
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    SAVE_CONFIG_FLAG,
    VALIDATE_FLAG,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]
_CHANGED = "At least one of apiVersion, kind and name was changed"


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    query = write_query(values)
    discovery = Discovery(session.http)
    chosen = list(choose(invocation, invocation.words, discovery=discovery, every=True, reads=True))
    chosen = chosen if values.subresource else read_all(session, chosen)
    items = [
        Item(one.type, one.namespace, one.name, one.read(session, values.subresource))
        for one in chosen
    ]
    formats.printer(values, formats.PLAIN)
    if not items:
        raise Said("error: edit cancelled, no objects found")

    def change(item: Item, after: Map) -> None:
        before = bare(item.obj)
        after = bare(annotated(after) if values.save_config else after)
        if before == after:
            printed(invocation, item.type, after, "skipped")
            return
        after = recorded(invocation, after)
        patch, kind = _patch(item, before, after)
        if values.output_patch:
            print(f"Patch: {compact(patch)}")
        path = item.type.path(item.namespace, item.name, values.subresource)
        printed(invocation, item.type, session.send("PATCH", path, query, patch, kind), "edited")

    edit(items, change, discovery, values.output, HEADER)
    return 0


def _patch(item: Item, before: Map, after: Map) -> tuple[Map, str]:
    """Return what makes *after* of *before*, and its content type. Raises CommandError."""
    for one in ("apiVersion", "kind"):
        if before.get(one) != after.get(one):
            raise CommandError(_CHANGED)
    if before["metadata"].get("name") != after["metadata"].get("name"):
        raise CommandError(_CHANGED)
    return difference(item.type, before, after)


COMMAND = Command(
    usage="kubectl edit (RESOURCE/NAME | -f FILENAME) [options]",
    short="Edit a resource on the server",
    long="Edit objects of the server with the editor of KUBE_EDITOR, EDITOR, or vi.",
    examples="kubectl edit deployment/web\n\n# As JSON\nkubectl edit service/web -o json",
    run=run,
    flags=(
        *FILE_FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, VALIDATE_FLAG, SAVE_CONFIG_FLAG,
        manager_flag("kubectl-edit"), RECORD_FLAG,
        Flag("output-patch", False, "Output the patch if the resource is edited.", kind=Kind.BOOL),
        Flag("subresource", usage="If specified, edit will operate on the subresource of the "
             "requested object."),
        Flag("windows-line-endings", False, "Defaults to the line ending native to your platform.",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
