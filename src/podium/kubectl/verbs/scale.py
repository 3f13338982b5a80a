"""``kubectl scale``."""

from __future__ import annotations

import select
import time
from typing import Any

from podium.kubectl.choosing import ALL_FLAG, SELECTOR_FLAG, Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.manifests import gathered
from podium.kubectl.patches import MERGE
from podium.kubectl.recording import ANNOTATION, RECORD_FLAG, cause
from podium.kubectl.session import Session
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    printed,
    together,
)

Map = dict[str, Any]


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    mode = dry_run(values)
    check_output(values)
    if values.replicas < 0:
        raise CommandError(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"
        )
    if values.current_replicas < -1:
        raise CommandError("The --current-replicas must specify an integer of -1 or greater")
    found, missing = _found(invocation)
    if values.resource_version and len(found) > 1:
        raise CommandError("cannot use --resource-version with multiple resources")
    if not found:
        raise missing or CommandError("no objects passed to scale")
    for one, obj in found:
        if mode != "client":
            _scale(invocation, one, server_dry_run=mode == "server")
        if values.timeout and mode == "none":
            _wait(session, one, values.replicas, values.timeout)
        if values.record and mode != "client":
            patch = {"metadata": {"annotations": {ANNOTATION: cause(invocation)}}}
            session.send("PATCH", one.path, (), patch, MERGE)
        if one.type.group in ("", "apps"):
            obj = {**obj, "spec": {**obj["spec"], "replicas": values.replicas}}
        printed(invocation, one.type, obj, "scaled", parts=True)
    if missing is not None:
        raise missing
    return 0


def _found(invocation: Invocation) -> tuple[list[tuple[Chosen, Map]], CommandError | None]:
    """Return the objects, and why others are missing."""
    found: list[tuple[Chosen, Map]] = []
    missing: list[CommandError] = []
    chosen, unread = gathered(choose(invocation, invocation.words, latest=False))
    for one in chosen:
        try:
            found.append((one, one.read(invocation.session)))
        except StatusError as error:
            missing.append(error)
    missing += unread
    return found, together(missing) if missing else None


def _scale(invocation: Invocation, one: Chosen, *, server_dry_run: bool) -> None:
    values, session = invocation.values, invocation.session
    path = one.type.path(one.namespace, one.name, "scale")
    query = [("dryRun", "All")] if server_dry_run else []
    if values.current_replicas == -1 and not values.resource_version:
        patch = {"spec": {"replicas": values.replicas}}
        session.send("PATCH", path, query, patch, MERGE)
        return
    scale = session.http.one(path).json()
    now = (scale.get("spec") or {}).get("replicas", 0)
    if values.current_replicas not in (-1, now):
        raise CommandError(f"Expected replicas to be {values.current_replicas}, was {now}")
    version = scale["metadata"]["resourceVersion"]
    if values.resource_version not in ("", version):
        raise CommandError(
            f"Expected resource version to be {values.resource_version}, was {version}"
        )
    scale["spec"] = {"replicas": values.replicas}
    session.send("PUT", path, query, scale)


def _wait(session: Session, one: Chosen, replicas: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    path = one.type.path(one.namespace, one.name, "scale")
    while True:
        scale = session.http.one(path).json()
        wanted = (scale.get("spec") or {}).get("replicas", 0)
        if wanted != replicas or (scale.get("status") or {}).get("replicas", 0) == replicas:
            return
        if time.monotonic() > until:
            raise CommandError(f'timed out waiting for "{one.name}" to be synced')
        select.select([], [], [], 0.2)


COMMAND = Command(
    usage="kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT "
    "(-f FILENAME | TYPE NAME) [options]",
    short="Set a new size for a deployment, replica set, or replication controller",
    long="Set how many Pods there are to be of a Deployment, ReplicaSet, StatefulSet or "
    "ReplicationController.",
    examples="kubectl scale deployment/web --replicas=3",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, ALL_FLAG, SELECTOR_FLAG,
        RECORD_FLAG,
        Flag("current-replicas", -1, "Precondition for current size. Requires that the current "
             "size of the resource match this value in order to scale. -1 (default) for no "
             "condition.", kind=Kind.INT),
        Flag("replicas", 0, "The new desired number of replicas. Required.", kind=Kind.INT,
             required=True),
        Flag("resource-version", usage="Precondition for resource version. Requires that the "
             "current resource version match this value in order to scale."),
        Flag("timeout", 0.0, "The length of time to wait before giving up on a scale operation, "
             "zero means don't wait. Any other values should contain a corresponding time unit "
             "(e.g. 1s, 2m, 3h).", kind=Kind.DURATION),
    ),
)  # fmt: skip
