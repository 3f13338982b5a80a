"""``kubectl delete``: by name, by label, by file; returns when what was deleted is gone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import resolve
from podium.kubectl.writing import DRY_RUN_FLAG, OUTPUT_FLAG, dry_run, named, suffix

_NOTHING = """\
You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been "
    "terminated. The resource may continue to run on the cluster indefinitely."
)
_CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan",
             "true": "Background", "false": "Orphan"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Doomed:
    type: ResourceType
    namespace: str
    name: str

    @property
    def path(self) -> str:
        return self.type.path(self.namespace, self.name)


def run(invocation: Invocation) -> int:
    values, http = invocation.values, invocation.session.http
    options = _options(invocation)
    if values.grace_period == 0 and values.force:
        print(_FORCED, file=sys.stderr)
    failed, waiting = list[StatusError](), list[tuple[_Doomed, str]]()
    found = False
    for doomed in _doomed(invocation):
        found = True
        if dry_run(values) == "client":
            _say(invocation, doomed)
            continue
        try:
            answer = http.request("DELETE", doomed.path, body=json.dumps(options).encode())
        except StatusError as error:
            if not (error.code == 404 and _ignores_missing(invocation)):
                failed.append(error)
            continue
        _say(invocation, doomed)
        waiting.append((doomed, _uid(answer.json())))
    if not found and not failed:
        print("No resources found")
    sys.stdout.flush()
    if values.wait and dry_run(values) == "none":
        _wait(invocation, waiting)
    for failure in failed:
        print(failure.lines(), file=sys.stderr)
    return 1 if failed else 0


def _options(invocation: Invocation) -> dict[str, Any]:
    values = invocation.values
    if values.now and values.grace_period >= 0:
        raise CommandError("--now and --grace-period cannot be specified together")
    grace = 1 if values.now else values.grace_period
    if grace == 0 and not values.force:
        grace = 1  # to be gone at once is asked for with --force
    if values.force and grace > 0 and values.changed("grace-period"):
        raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
    if values.force and not values.changed("grace-period") and not values.now:
        grace = 0
        values.put(_GRACE, "0")
        print(_FORCED, file=sys.stderr)
    cascade = _CASCADES.get(values.cascade)
    if cascade is None:
        raise CommandError(
            f'invalid cascade value ({values.cascade}). Must be "background", "foreground", or '
            '"orphan"'
        )
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1",
                               "propagationPolicy": cascade}  # fmt: skip
    if grace >= 0:
        options["gracePeriodSeconds"] = grace
    if dry_run(values) == "server":
        options["dryRun"] = ["All"]
    return options


def _doomed(invocation: Invocation) -> Iterator[_Doomed]:
    values, session = invocation.values, invocation.session
    if values.filename:
        for manifest in manifests(invocation, Discovery(session.http)):
            yield _Doomed(manifest.type, manifest.namespace, manifest.name)
        return
    if not invocation.words:
        raise CommandError(_NOTHING)
    targets = resolve(invocation.words, Discovery(session.http))
    chosen = values.all or values.selector or values.field_selector
    for target in targets:
        namespace = "" if values.all_namespaces else session.namespace
        if target.name:
            if chosen:
                raise CommandError("name cannot be provided when a selector is specified")
            yield _Doomed(target.type, namespace, target.name)
            continue
        if not chosen:
            raise CommandError("resource(s) were provided, but no name was specified")
        query = [("labelSelector", values.selector)] if values.selector else []
        query += [("fieldSelector", values.field_selector)] if values.field_selector else []
        listed = session.http.request("GET", target.type.path(namespace), query).json()
        for item in listed["items"] or ():
            metadata = item["metadata"]
            yield _Doomed(target.type, metadata.get("namespace", ""), metadata["name"])


def _ignores_missing(invocation: Invocation) -> bool:
    values = invocation.values
    return bool(values.ignore_not_found or values.all or values.selector)


def _say(invocation: Invocation, doomed: _Doomed) -> None:
    values = invocation.values
    if values.output == "name":
        print(f"{named(doomed.type)}/{doomed.name}")
        return
    if values.output:
        raise CommandError(f'unexpected -o output mode: {values.output}. We only support "-o name"')
    forced = "force deleted" if values.grace_period == 0 and values.force else "deleted"
    where = f" from {doomed.namespace} namespace" if doomed.type.namespaced else ""
    print(f'{named(doomed.type)} "{doomed.name}" {forced}{where}{suffix(values)}')


def _uid(answer: dict[str, Any]) -> str:
    uid: str = (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get(
        "uid", ""
    )
    return uid


def _wait(invocation: Invocation, waiting: list[tuple[_Doomed, str]]) -> None:
    """Return when all are gone, or others have their names."""
    http, until = invocation.session.http, None
    if invocation.values.timeout:
        until = time.monotonic() + invocation.values.timeout
    for doomed, uid in waiting:
        pause = 0.02
        while True:
            try:
                metadata = http.request("GET", doomed.path).json()["metadata"]
            except StatusError as error:
                if error.code == 404:
                    break
                raise
            if uid and metadata["uid"] != uid:
                break
            if until is not None and time.monotonic() > until:
                raise CommandError(
                    f"timed out waiting for the condition on {doomed.type.plural}/{doomed.name}"
                )
            _pause(pause)
            pause = min(pause * 1.5, 0.5)


def _pause(seconds: float) -> None:
    import select

    select.select([], [], [], seconds)


_GRACE = Flag("grace-period", -1, "Period of time in seconds given to the resource to terminate "
              "gracefully. Ignored if negative.", kind=Kind.INT)  # fmt: skip

COMMAND = Command(
    usage="kubectl delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [options]",
    short="Delete resources by file names, stdin, resources and names, or by resources and label "
    "selector",
    long="Delete objects, and return when they are gone.",
    examples="kubectl delete pod web\nkubectl delete -f pod.yaml\nkubectl delete pods -l app=web\n"
    "kubectl delete pod web --grace-period=0 --force",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, OUTPUT_FLAG, _GRACE,
        Flag("all", False, "Delete all resources, in the namespace of the specified resource "
             "types.", kind=Kind.BOOL),
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces.", short="A", kind=Kind.BOOL),
        Flag("cascade", "background", 'Must be "background", "orphan", or "foreground". Selects '
             "the deletion cascading strategy for the dependents.", bare="background"),
        Flag("field-selector", usage="Selector (field query) to filter on."),
        Flag("force", False, "If true, immediately remove resources from API and bypass graceful "
             "deletion.", kind=Kind.BOOL),
        Flag("ignore-not-found", False, 'Treat "resource not found" as a successful delete.',
             kind=Kind.BOOL),
        Flag("now", False, "If true, resources are signaled for immediate shutdown (same as "
             "--grace-period=1).", kind=Kind.BOOL),
        Flag("selector", usage="Selector (label query) to filter on.", short="l"),
        Flag("timeout", 0.0, "The length of time to wait before giving up on a delete, zero means "
             "determine a timeout from the size of the object", kind=Kind.DURATION),
        Flag("wait", True, "If true, wait for resources to be gone before returning. This waits "
             "for finalizers.", kind=Kind.BOOL),
    ),
)  # fmt: skip
