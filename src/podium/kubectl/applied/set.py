"""``kubectl apply set-last-applied``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import FILENAME_FLAG, given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import ANNOTATION, compact
from podium.kubectl.manifests import Manifest, manifests
from podium.kubectl.patches import MERGE
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    printed,
)

Map = dict[str, Any]


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    check_output(values)
    mode = dry_run(values)
    if not given(values):
        raise Said(NOTHING_NAMED)
    found = manifests(invocation, Discovery(session.http), goes_on=False)
    changes: list[tuple[Manifest, Map, str]] = []
    for manifest in found:
        live: Map = session.http.request("GET", manifest.path).json()
        text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
        if text is None and not values.create_annotation:
            raise CommandError(
                "no last-applied-configuration annotation found on resource: "
                f"{manifest.name}, to create the annotation, run the command with "
                "--create-annotation"
            )
        wanted = f"{compact(manifest.document)}\n"
        if text == wanted:
            print(f"set-last-applied {manifest.name}: no changes required.")
        else:
            changes.append((manifest, live, wanted))
    for manifest, obj, wanted in changes:
        if mode != "client":
            patch = {"metadata": {"annotations": {ANNOTATION: wanted}}}
            query = [("dryRun", "All")] if mode == "server" else []
            obj = session.send("PATCH", manifest.path, query, patch, MERGE)
        printed(invocation, manifest.type, obj, "configured", parts=True)
    return 0


COMMAND = Command(
    usage="kubectl apply set-last-applied -f FILENAME [options]",
    short="Set the last-applied-configuration annotation on a live object to match the contents of "
    "a file",
    run=run,
    flags=(
        FILENAME_FLAG, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        Flag("create-annotation", False, "Will create 'last-applied-configuration' annotations if "
             "current objects doesn't have one", kind=Kind.BOOL),
    ),
)  # fmt: skip
