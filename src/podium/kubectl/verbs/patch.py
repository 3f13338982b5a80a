"""``kubectl patch``."""

from __future__ import annotations

import json
from typing import Any

from podium.kubectl.choosing import Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, unreadable
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.patches import MERGE, WAYS, check_says, definition_of, patched
from podium.kubectl.recording import ANNOTATION, RECORD_FLAG, cause
from podium.kubectl.updating import from_files
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    each,
    manager_flag,
    name_of,
    printed,
    whole,
    write_query,
)

Map = dict[str, Any]


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    body = _patch(invocation)
    if values.type not in WAYS:
        known = " ".join(sorted(WAYS))
        raise CommandError(f"--type must be one of [{known}], not {json.dumps(values.type)}")
    check_output(values)
    query = write_query(values, validates=False)
    here = values.local or dry_run(values) == "client"
    if values.local and invocation.words:
        raise CommandError("cannot specify --local and server resources")
    if not invocation.words and not given(values):
        raise CommandError("must specify one of -f and -k")

    def patch(one: Chosen) -> None:
        if here and one.said is not None:
            before = one.said  # whatever the server has
        else:
            before = one.read(session, values.subresource)
        if here:
            after = _applied(one, before, body, values.type)
        else:
            path = one.type.path(one.namespace, one.name, values.subresource)
            after = session.requested("PATCH", path, query, body, WAYS[values.type]).json()
            if values.record:
                own = {"metadata": {"annotations": {ANNOTATION: cause(invocation)}}}
                after = session.send("PATCH", path, query, own, MERGE)
        same = before == after if here else _version(before) == _version(after)
        unchanged = same and dry_run(values) != "server"
        did = "patched (no change)" if unchanged else "patched"
        if whole(values):
            printed(invocation, one.type, after, did)
        else:
            print(name_of(after) if values.output else f"{name_of(after)} {did}")

    words = invocation.words
    return each(from_files(invocation) if values.local else choose(invocation, words), patch)


def _version(obj: Map) -> str:
    version: str = obj["metadata"].get("resourceVersion", "")
    return version


def _applied(one: Chosen, obj: Map, body: bytes, way: str) -> Map:
    """Return *obj* with the patch, made here. Raises CommandError."""
    type_ = one.type
    definition = definition_of(type_.group, type_.version, type_.kind)
    if way == "strategic" and not definition:
        raise CommandError(
            f"strategic merge patch is not supported for {type_.group_version}, "
            f"Kind={type_.kind} locally, try --type merge"
        )
    from podium.api import go_json
    from podium.kubectl.go_order import sorted_keys

    result = patched(sorted_keys(obj), body, way, definition)
    if not isinstance(result, dict):
        what = f"{go_json.kind(result)} into Go value of type unstructured.detector"
        raise CommandError(f"json: cannot unmarshal {what}")
    check_says(result, "kind")
    return result


def _patch(invocation: Invocation) -> bytes:
    """Return the patch as JSON; what looks like JSON is for the server to judge."""
    from podium.api import yaml_json

    values = invocation.values
    if bool(values.patch) == bool(values.patch_file):
        if values.patch:
            raise CommandError("cannot specify --patch and --patch-file together")
        raise CommandError("must specify --patch or --patch-file containing the contents of the "
                           "patch")  # fmt: skip
    text: bytes = values.patch.encode(errors="surrogateescape")
    if values.patch_file:
        text = _content(values.patch_file)
    if text.lstrip().startswith(b"{"):
        return text
    try:
        return json.dumps(yaml_json.load(text)[0]).encode()
    except yaml_json.YamlFailure as exc:
        shown = text.decode(errors="replace")
        raise CommandError(f'unable to parse "{shown}": {exc}') from exc


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as exc:
        raise CommandError(f"unable to read patch file: {unreadable(exc, path)}") from exc


COMMAND = Command(
    usage="kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
    short="Update fields of a resource",
    long="Change fields of an object by a strategic merge patch, a JSON merge patch or a JSON "
    "patch.",
    examples="kubectl patch pod web -p '{\"metadata\":{\"labels\":{\"tier\":\"front\"}}}'",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        manager_flag("kubectl-patch"), RECORD_FLAG,
        Flag("local", False, "If true, patch will operate on the content of the file, not the "
             "server-side resource.", kind=Kind.BOOL),
        Flag("patch", usage="The patch to be applied to the resource JSON file.", short="p"),
        Flag("patch-file", usage="A file containing a patch to be applied to the resource."),
        Flag("subresource", usage="If specified, patch will operate on the subresource of the "
             "requested object."),
        Flag("type", "strategic", "The type of patch being provided; one of [json merge "
             "strategic]"),
    ),
)  # fmt: skip
