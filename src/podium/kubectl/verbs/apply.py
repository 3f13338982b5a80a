"""``kubectl apply -f``: by client (three-way patches) or by server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podium.kubectl.applying import ClientSide, ServerSide
from podium.kubectl.choosing import SELECTOR_FLAG
from podium.kubectl.command import Command, Invocation
from podium.kubectl.deleting import HOW_FLAGS, delete_options, wait_flag
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.formats import without_managers
from podium.kubectl.manifests import Manifest, gathered, manifests, selected
from podium.kubectl.recording import RECORD_FLAG, recorded
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    VALIDATE_FLAG,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    text_of,
    whole,
)


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise invocation.misused(f"Unexpected args: [{' '.join(invocation.words)}]")
    _check(values)
    discovery = Discovery(invocation.session.http)
    found, unread = gathered(_wanted(invocation, discovery))
    prunable = _prunable(invocation, discovery) if values.prune else []
    _check_pruning(values)
    check_output(values)
    if not found and not unread:
        raise CommandError("no objects passed to apply")
    way = ServerSide(invocation) if values.server_side else ClientSide(invocation)
    objects: list[dict[str, Any]] = []
    uids: set[str] = set()

    def apply(manifest: Manifest) -> None:
        manifest.document = recorded(invocation, manifest.document)
        obj, did = way.apply(manifest)
        uids.add(obj["metadata"].get("uid", ""))
        if whole(values):
            objects.append(without_managers(obj, values))
        else:
            printed(invocation, _type(manifest, obj), obj, did)

    if code := each(found, apply, before=unread):
        return code
    _print_whole(values, objects)
    if values.prune:
        from podium.kubectl.pruning import prune

        namespaces = {one.namespace for one in found if one.namespace}
        prune(invocation, prunable, namespaces, uids)
    return 0


def _type(manifest: Manifest, obj: dict[str, Any]) -> ResourceType:
    """Return the type of what is told: a subresource may be of another than its object."""
    if obj.get("kind") == manifest.type.kind:
        return manifest.type
    from podium.kubectl.updating import type_of

    return type_of(obj)


def _prunable(invocation: Invocation, discovery: Discovery) -> list[ResourceType]:
    from podium.kubectl.pruning import prunable

    return list(prunable(invocation, discovery))


def _print_whole(values: Values, objects: list[dict[str, Any]]) -> None:
    if len(objects) == 1:
        print(text_of(values, objects[0]), end="")
    elif objects:
        listed = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": objects}
        print(text_of(values, listed, typed=True), end="")


def _check(values: Values) -> None:
    delete_options(values)  # what --force may need of them
    mode = dry_run(values)
    if values.force_conflicts and not values.server_side:
        raise CommandError("--force-conflicts only works with --server-side")
    if mode == "client" and values.server_side:
        raise CommandError(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
            "instead?)"
        )
    if values.server_side and values.force:
        raise CommandError("--force cannot be used with --server-side")
    if mode == "server" and values.force:
        raise CommandError("--dry-run=server cannot be used with --force")
    if values.subresource and not values.server_side:
        raise CommandError("--subresource can only be specified for --server-side")


def _check_pruning(values: Values) -> None:
    if values.all and values.selector:
        raise CommandError("cannot set --all and --selector at the same time")
    if values.prune and not values.all and not values.selector:
        raise CommandError(
            "all resources selected for prune without explicitly passing --all. To prune all "
            "resources, pass the --all flag. If you did not mean to prune all resources, specify a "
            "label selector"
        )


def _wanted(invocation: Invocation, discovery: Discovery) -> Iterator[Manifest]:
    """Yield the objects of the files, those of a selector's labels alone."""
    found = manifests(invocation, discovery, nameless=True, validates=True)
    return selected(found, invocation.values.selector)


def _later(place: str, short: str) -> Command:
    return Command(usage="", short=short, module=f"podium.kubectl.applied.{place}")


COMMAND = Command(
    usage="kubectl apply (-f FILENAME | -k DIRECTORY) [options]",
    short="Apply a configuration to a resource by file name or stdin",
    long="Make objects what files say: create those that are not there, patch those that are.",
    examples="# What a file says\nkubectl apply -f pod.yaml\n\n"
    "# By the server, with owners of fields\nkubectl apply --server-side -f pod.yaml\n\n"
    "# And delete what an earlier version of the files had\n"
    "kubectl apply -f directory --prune -l app=web",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
        manager_flag("kubectl-client-side-apply"), SELECTOR_FLAG,
        RECORD_FLAG, *HOW_FLAGS, wait_flag(False),
        Flag("all", False, "Select all resources in the namespace of the specified resource "
             "types.", kind=Kind.BOOL),
        Flag("force-conflicts", False, "If true, server-side apply will force the changes against "
             "conflicts.", kind=Kind.BOOL),
        Flag("openapi-patch", True, "If true, use openapi to calculate diff when the openapi "
             "presents and the resource can be found in the openapi spec. Otherwise, fall back to "
             "use baked-in types.", kind=Kind.BOOL),
        Flag("overwrite", True, "Automatically resolve conflicts between the modified and live "
             "configuration by using values from the modified configuration", kind=Kind.BOOL),
        Flag("prune", False, "Automatically delete resource objects, that do not appear in the "
             "configs and are created by either apply or create --save-config. Should be used with "
             "either -l or --all.", kind=Kind.BOOL),
        Flag("prune-allowlist", [], "Overwrite the default allowlist with <group/version/kind> for "
             "--prune", kind=Kind.ARRAY),
        Flag("subresource", usage="If specified, apply will operate on the subresource of the "
             "requested object.  Only allowed when using --server-side."),
        Flag("server-side", False, "If true, apply runs in the server instead of the client.",
             kind=Kind.BOOL),
    ),
    children={
        "edit-last-applied": _later(
            "edit:COMMAND", "Edit latest last-applied-configuration annotations of a "
            "resource/object"
        ),
        "set-last-applied": _later(
            "set:COMMAND", "Set the last-applied-configuration annotation on a live object to "
            "match the contents of a file"
        ),
        "view-last-applied": _later(
            "view:COMMAND", "View the latest last-applied-configuration annotations of a "
            "resource/object"
        ),
    },
)  # fmt: skip
