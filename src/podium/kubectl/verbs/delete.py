"""``kubectl delete``: by name, by label, by file; returns when what was deleted is gone."""

from __future__ import annotations

import sys

from podium.kubectl import raw
from podium.kubectl.choosing import NAME_WITH_SELECTOR, SLASHED_WITH_SELECTOR, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.deleting import (
    HOW_FLAGS,
    Doomed,
    check_force,
    delete_all,
    delete_options,
    wait_flag,
)
from podium.kubectl.errors import CommandError, Unread
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.manifests import gathered
from podium.kubectl.writing import DRY_RUN_FLAG, named

_NOTHING = """\
You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""

_OUTPUT_FLAG = Flag(
    "output", usage='Output mode. Use "-o name" for shorter output (resource/name).', short="o"
)
_NO_TYPE = "at least one resource must be specified to use a selector"


def run(invocation: Invocation) -> int:
    values = invocation.values
    options = delete_options(values)
    selected = bool(values.all or values.selector or values.field_selector)
    doomed, unread = ([], []) if values.raw else _doomed(invocation)
    if values.output not in ("", "name"):
        raise CommandError(f"unexpected -o output mode: {values.output}. We only support '-o name'")
    check_force(values)
    if values.raw:
        _check_raw(values)
        return raw.send(invocation, "DELETE")
    scoped = values.namespace and not values.all_namespaces
    if scoped and any(not one.type.namespaced for one in doomed):
        print("Warning: deleting cluster-scoped resources, not scoped to the provided namespace",
              file=sys.stderr)  # fmt: skip
    if values.interactive and doomed and not _confirmed(doomed):
        print("deletion is cancelled")
        return 0
    ignores = values.ignore_not_found
    if selected and not values.changed("ignore-not-found"):
        ignores = True
    return delete_all(invocation, doomed, ignore_missing=ignores, options=options, after=unread)


def _doomed(invocation: Invocation) -> tuple[list[Doomed], list[Unread]]:
    """Return what is to be deleted, and what of it could not be read."""
    values = invocation.values
    if values.all and (values.selector or values.field_selector):
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    if not invocation.words and not given(values):
        selects = values.all or values.selector or values.field_selector
        raise CommandError(_NO_TYPE if selects else _NOTHING)
    if values.all and any("/" in word for word in invocation.words):
        raise CommandError(SLASHED_WITH_SELECTOR)
    if values.all and len(invocation.words) > 1:
        raise CommandError(NAME_WITH_SELECTOR)
    found, unread = gathered(choose(invocation, invocation.words))
    return [Doomed(one.type, one.namespace, one.name, one.source) for one in found], unread


def _check_raw(values: Values) -> None:
    if len(values.filename) > 1:
        raise CommandError("--raw can only use a single local file or stdin")
    if values.filename and values.filename[0].startswith(("http://", "https://")):
        raise CommandError("--raw cannot read from a url")
    if values.recursive:
        raise CommandError("--raw and --recursive are mutually exclusive")
    if values.output:
        raise CommandError("--raw and --output are mutually exclusive")
    raw.check_path(values.raw)


def _confirmed(doomed: list[Doomed]) -> bool:
    print(f"You are about to delete the following {len(doomed)} resource(s):")
    for one in doomed:
        print(f"{named(one.type)}/{one.name}")
    print("Do you want to continue? (y/N): ", end="", flush=True)
    return sys.stdin.readline().strip() in ("y", "Y")


COMMAND = Command(
    usage="kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) "
    "[options]",
    short="Delete resources by file names, stdin, resources and names, or by resources and label "
    "selector",
    long="Delete objects, and return when they are gone.",
    examples="kubectl delete pod web\nkubectl delete -f pod.yaml\nkubectl delete pods -l app=web\n"
    "kubectl delete pod web --grace-period=0 --force",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, _OUTPUT_FLAG, *HOW_FLAGS, wait_flag(True),
        Flag("all", False, "Delete all resources, in the namespace of the specified resource "
             "types.", kind=Kind.BOOL),
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces. Namespace in current context is ignored even if specified with "
             "--namespace.", short="A", kind=Kind.BOOL),
        Flag("field-selector", usage="Selector (field query) to filter on, supports '=', '==', and "
             "'!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a "
             "limited number of field queries per type."),
        Flag("ignore-not-found", False, 'Treat "resource not found" as a successful delete. '
             'Defaults to "true" when --all is specified.', kind=Kind.BOOL),
        Flag("interactive", False, "If true, delete resource only when user confirms.", short="i",
             kind=Kind.BOOL),
        Flag("now", False, "If true, resources are signaled for immediate shutdown (same as "
             "--grace-period=1).", kind=Kind.BOOL),
        Flag("raw", usage="Raw URI to DELETE to the server.  Uses the transport specified by the "
             "kubeconfig file."),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects "
             "must satisfy all of the specified label constraints.", short="l"),
    ),
)  # fmt: skip
