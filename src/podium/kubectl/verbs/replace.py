"""``kubectl replace``: whole objects in the place of others, also by deleting those first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from podium.kubectl import raw
from podium.kubectl.command import Command, Invocation
from podium.kubectl.deleting import HOW_FLAGS, Doomed, delete_all, delete_options, wait_flag
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag
from podium.kubectl.last_applied import annotated
from podium.kubectl.manifests import Manifest, gathered, manifests
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    SAVE_CONFIG_FLAG,
    VALIDATE_FLAG,
    about_file,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    _check(invocation)
    if values.raw:
        return raw.send(invocation, "PUT")
    check_output(values)
    query = write_query(values)
    found = manifests(invocation, Discovery(session.http), validates=not values.force)
    if values.force:
        return _by_force(invocation, found, query)

    def replace(manifest: Manifest) -> None:
        obj = annotated(manifest.document) if values.save_config else manifest.document
        if dry_run(values) != "client":
            path = manifest.type.path(manifest.namespace, manifest.name, values.subresource)
            try:
                obj = session.send("PUT", path, query, _of_this_version(invocation, path, obj))
            except StatusError as error:
                raise about_file(error, "replacing", manifest.source) from error
        printed(invocation, manifest.type, obj, "replaced", parts=True)

    return each(found, replace)


def _check(invocation: Invocation) -> None:
    values = invocation.values
    if not given(values):
        raise CommandError("must specify one of -f and -k")
    if values.grace_period >= 0 and not values.force:
        raise CommandError("--grace-period must have --force specified")
    if values.timeout and not values.force:
        raise CommandError("--timeout must have --force specified")
    if values.raw and len(values.filename) != 1:
        raise CommandError("--raw can only use a single local file or stdin")
    if values.force and dry_run(values) != "none":
        raise CommandError("--dry-run can not be used when --force is set")
    if values.raw:
        raw.check_path(values.raw)


def _of_this_version(invocation: Invocation, path: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Return the object as one that replaces whatever is there, unless it says what it replaces."""
    if obj["metadata"].get("resourceVersion"):
        return obj
    try:
        there = invocation.session.http.request("GET", path).json()
    except StatusError:
        return obj  # the server says so again, of the replacement
    version = there["metadata"].get("resourceVersion", "")
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}}


def _by_force(
    invocation: Invocation, found: Iterable[Manifest], query: list[tuple[str, str]]
) -> int:
    values, session = invocation.values, invocation.session
    wanted, unread = gathered(found)
    doomed = [Doomed(one.type, one.namespace, one.name) for one in wanted]
    options = delete_options(values, values.grace_period or 1)
    delete_all(invocation, doomed, ignore_missing=True, options=options, waits=True, after=unread)

    def create(manifest: Manifest) -> None:
        obj = annotated(manifest.document) if values.save_config else manifest.document
        obj = session.send("POST", manifest.collection, query, obj)
        printed(invocation, manifest.type, obj, "replaced", parts=True)

    return each(wanted, create)


COMMAND = Command(
    usage="kubectl replace -f FILENAME [options]",
    short="Replace a resource by file name or stdin",
    long="Put objects of files, whole, in the place of those that are there.",
    examples="kubectl replace -f pod.yaml\n\n# What cannot be changed: delete it, and create it "
    "again\nkubectl replace --force -f pod.yaml",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
        SAVE_CONFIG_FLAG, manager_flag("kubectl-replace"),
        *HOW_FLAGS, wait_flag(False),
        Flag("raw", usage="Raw URI to PUT to the server.  Uses the transport specified by the "
             "kubeconfig file."),
        Flag("subresource", usage="If specified, replace will operate on the subresource of the "
             "requested object."),
    ),
)  # fmt: skip
