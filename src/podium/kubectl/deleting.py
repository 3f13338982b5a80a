"""Deleting objects, and waiting until they are gone: for ``delete``, ``replace`` and ``apply``."""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from podium.kubectl.command import Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.http import Http
from podium.kubectl.writing import about_file, dry_run, named, suffix, together

_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been "
    "terminated. The resource may continue to run on the cluster indefinitely."
)
_CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
_OLD_CASCADES = {"true": "background", "false": "orphan"}

#: Flags that say how to delete, but for whether the end is waited for.
HOW_FLAGS = (
    Flag("cascade", "background", 'Must be "background", "orphan", or "foreground". Selects the '
         "deletion cascading strategy for the dependents (e.g. Pods created by a "
         "ReplicationController). Defaults to background.", bare="background"),
    Flag("force", False, "If true, immediately remove resources from API and bypass graceful "
         "deletion. Note that immediate deletion of some resources may result in inconsistency or "
         "data loss and requires confirmation.", kind=Kind.BOOL),
    Flag("grace-period", -1, "Period of time in seconds given to the resource to terminate "
         "gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 "
         "when --force is true (force deletion).", kind=Kind.INT),
    Flag("timeout", 0.0, "The length of time to wait before giving up on a delete, zero means "
         "determine a timeout from the size of the object", kind=Kind.DURATION),
)  # fmt: skip


def wait_flag(default: bool) -> Flag:
    return Flag("wait", default, "If true, wait for resources to be gone before returning. This "
                "waits for finalizers.", kind=Kind.BOOL)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object to delete; *source* is the file that names it."""

    type: ResourceType
    namespace: str
    name: str
    source: str = ""

    @property
    def path(self) -> str:
        return self.type.path(self.namespace, self.name)


def grace_period(values: Values) -> int:
    """Return the seconds that are given, -1 for the object's own. Raises CommandError."""
    if getattr(values, "now", False):
        if values.grace_period != -1:
            raise CommandError("--now and --grace-period cannot be specified together")
        return 1
    grace: int = values.grace_period
    if grace == 0 and not values.force:
        return 1  # to be gone at once is asked for with --force
    return 0 if grace < 0 and values.force else grace


def delete_options(values: Values, grace: int | None = None) -> dict[str, Any]:
    """Return the body of the requests; *grace* is what the flags say by themselves. Raises
    CommandError."""
    cascade = str(values.cascade)
    if cascade in _OLD_CASCADES:
        cascade = _OLD_CASCADES[cascade]
        print(f"warning: --cascade={values.cascade} is deprecated (boolean value) and can be "
              f"replaced with --cascade={cascade}.", file=sys.stderr)  # fmt: skip
    if cascade not in _CASCADES:
        raise CommandError(
            f'invalid cascade value ({values.cascade}). Must be "background", "foreground", or '
            '"orphan"'
        )
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1",
                               "propagationPolicy": _CASCADES[cascade]}  # fmt: skip
    grace = grace_period(values) if grace is None else grace
    if grace >= 0:
        options["gracePeriodSeconds"] = grace
    if dry_run(values) == "server":
        options["dryRun"] = ["All"]
    return options


def check_force(values: Values) -> None:
    """Warn of a forced deletion. Raises CommandError for one that gives time."""
    grace = grace_period(values)
    if grace == 0 and values.force:
        print(_FORCED, file=sys.stderr)
    elif grace > 0 and values.force:
        raise CommandError("--force and --grace-period greater than 0 cannot be specified together")


def delete_all(
    invocation: Invocation,
    doomed: Iterable[Doomed],
    *,
    ignore_missing: bool,
    options: Any = None,
    waits: bool = False,
    after: Sequence[CommandError] = (),
) -> int:
    """Delete objects, say so, and wait until they are gone if that is asked for, by flag or by
    *waits*; return the exit code. What has failed before is told *after* what fails here."""
    values, http = invocation.values, invocation.session.http
    options = options or delete_options(values)
    failed, waiting = list[CommandError](), list[tuple[Doomed, str]]()
    found = 0
    for one in doomed:
        found += 1
        if dry_run(values) == "client":
            say(values, one, options)
            continue
        try:
            answer = http.request("DELETE", one.path, body=json.dumps(options).encode())
        except StatusError as error:
            if not (error.code == 404 and ignore_missing):
                failed.append(about_file(error, "deleting", one.source) if one.source else error)
            continue
        say(values, one, options)
        waiting.append((one, _uid(answer.json())))
    failed += after
    if not found and not failed:
        print("No resources found")
    sys.stdout.flush()
    if failed:
        raise together(failed)
    if (values.wait or waits) and dry_run(values) == "none":
        until = time.monotonic() + values.timeout if values.timeout else None
        for one, uid in waiting:
            wait_until_gone(http, one, uid, until)
    return 0


def say(values: Values, doomed: Doomed, options: dict[str, Any]) -> None:
    if values.output:
        print(f"{named(doomed.type)}/{doomed.name}")
        return
    forced = "force deleted" if options.get("gracePeriodSeconds") == 0 else "deleted"
    where = f" from {doomed.namespace} namespace" if doomed.type.namespaced else ""
    print(f'{named(doomed.type)} "{doomed.name}" {forced}{where}{suffix(values)}')


def _uid(answer: dict[str, Any]) -> str:
    uid: str = (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get(
        "uid", ""
    )
    return uid


def wait_until_gone(http: Http, doomed: Doomed, uid: str, until: float | None) -> None:
    """Return when the object is gone, or another has its name. Raises CommandError."""
    pause = 0.02
    while True:
        try:
            metadata = http.request("GET", doomed.path).json()["metadata"]
        except StatusError as error:
            if error.code in (403, 404, 405):
                return
            raise
        if uid and metadata["uid"] != uid:
            return
        if until is not None and time.monotonic() > until:
            raise CommandError(
                f"timed out waiting for the condition on {doomed.type.plural}/{doomed.name}"
            )
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.5)
