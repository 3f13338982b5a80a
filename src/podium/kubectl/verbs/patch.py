"""``kubectl patch``."""

from __future__ import annotations

import json

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag
from podium.kubectl.targets import Target, resolve
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    each,
    manager_flag,
    printed,
    write_query,
)

_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    body = _patch(invocation)
    if values.type not in _TYPES:
        known = " ".join(sorted(_TYPES))
        raise CommandError(f"--type must be one of [{known}], not {json.dumps(values.type)}")
    query = write_query(values, validates=False)

    def patch(target: Target) -> None:
        if not target.name:
            raise CommandError("resource(s) were provided, but no name was specified")
        before = session.http.request(
            "GET", target.type.path(session.namespace, target.name, values.subresource)
        ).json()
        path = target.type.path(session.namespace, target.name, values.subresource)
        answer = session.http.request(
            "PATCH", path, query, body=body, content_type=_TYPES[values.type]
        )
        session.warn(answer)
        after = answer.json()
        same = before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
        unchanged = same and values.dry_run == "none"
        printed(invocation, target.type, after, "patched (no change)" if unchanged else "patched")

    if not invocation.words:
        raise CommandError("must specify one of -f and -k")
    return each(resolve(invocation.words, Discovery(session.http)), patch)


def _patch(invocation: Invocation) -> bytes:
    from podium.api import yaml_json

    values = invocation.values
    if bool(values.patch) == bool(values.patch_file):
        if values.patch:
            raise CommandError("cannot specify --patch and --patch-file together")
        raise CommandError("must specify --patch or --patch-file containing the contents of the "
                           "patch")  # fmt: skip
    text = values.patch
    if values.patch_file:
        try:
            with open(values.patch_file) as file:
                text = file.read()
        except OSError as exc:
            raise CommandError(f"unable to read patch file: {exc}") from exc
    try:
        return json.dumps(yaml_json.load(text)[0]).encode()
    except yaml_json.YamlFailure as exc:
        raise CommandError(f'unable to parse "{text}": {exc}') from exc


COMMAND = Command(
    usage="kubectl patch TYPE NAME [-p PATCH|--patch-file FILE] [options]",
    short="Update fields of a resource",
    long="Change fields of an object by a strategic merge patch, a JSON merge patch or a JSON "
    "patch.",
    examples="kubectl patch pod web -p '{\"metadata\":{\"labels\":{\"tier\":\"front\"}}}'",
    run=run,
    flags=(
        DRY_RUN_FLAG, OUTPUT_FLAG, MANAGED_FIELDS_FLAG, manager_flag("kubectl-patch"),
        Flag("patch", usage="The patch to be applied to the resource JSON file.", short="p"),
        Flag("patch-file", usage="A file containing a patch to be applied to the resource."),
        Flag("subresource", usage="If specified, patch will operate on the subresource of the "
             "requested object."),
        Flag("type", "strategic", "The type of patch being provided; one of [json merge "
             "strategic]"),
    ),
)  # fmt: skip
