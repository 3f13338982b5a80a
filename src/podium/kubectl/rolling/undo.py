"""``kubectl rollout undo``: the template of an earlier revision again."""

from __future__ import annotations

import json
import sys
from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import ANNOTATION
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.rolling.common import FLAGS, WITHOUT_HISTORY, chosen
from podium.kubectl.rolling.history import described
from podium.kubectl.rolling.progress import REVISION
from podium.kubectl.rolling.revisions import revisions, template_of
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    each,
    named,
    printed,
    suffix,
)

Map = dict[str, Any]
_HASH = "pod-template-hash"
_APPLIED = (
    "Warning: resource {} was previously managed with 'kubectl apply'. Rolling back will not "
    "update the kubectl.kubernetes.io/last-applied-configuration annotation, which may cause "
    "unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with "
    "your previous configuration file instead."
)
#: Annotations that are the Deployment's own, whatever its ReplicaSets have.
_KEPT = frozenset((
    ANNOTATION, REVISION, "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
))  # fmt: skip


def run(invocation: Invocation) -> int:
    check_output(invocation.values)

    def undo(found: tuple[Chosen, Map]) -> None:
        one, obj = found
        if ANNOTATION in (obj["metadata"].get("annotations") or {}):
            print(_APPLIED.format(f"{one.type.plural}/{one.name}"), file=sys.stderr)
        did = _undo(invocation, one, obj)
        if invocation.values.output or invocation.values.template:
            printed(invocation, one.type, obj, did, typed=True)
        else:
            print(f"{named(one.type)}/{one.name} {did}{suffix(invocation.values)}")

    return each(chosen(invocation, tells=False), undo)


def _undo(invocation: Invocation, one: Chosen, obj: Map) -> str:
    """Go back; return how that is called."""
    values, kind = invocation.values, one.type.kind
    if kind not in ("DaemonSet", "Deployment", "StatefulSet"):
        what = f"{kind}.{one.type.group}".removesuffix(".")
        if kind in WITHOUT_HISTORY:
            raise CommandError(f'no rollbacker has been implemented for "{what}"')
        raise CommandError(
            f'error retrieving rollbacker for "{what}", no visitor method exists for '
            f"{{{one.type.group} {kind}}}"
        )
    number = values.to_revision
    if number < 0:
        raise CommandError(f"unable to find specified revision {number} in history")
    revision = _revision(one, revisions(invocation.session, one, obj), number)
    template = template_of(revision, obj, kind)
    if dry_run(values) == "client":
        text = described(template)
        return text if kind == "Deployment" else f"will roll back to {text}"
    if kind == "Deployment" and obj["spec"].get("paused"):
        raise CommandError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume "
            f"deployment/{one.name}' and try again"
        )
    if _plain(template) == _plain(obj["spec"]["template"]):
        return f"skipped rollback (current template already matches revision {number})"
    _send(invocation, one, obj, revision, template)
    return "rolled back"


def _revision(one: Chosen, history: dict[int, Map], number: int) -> Map:
    """Return the revision to go back to: *number*, or with 0 the one before the last."""
    if number:
        if number not in history:
            raise CommandError(f"unable to find specified revision {number} in history")
        return history[number]
    if len(history) < 2:
        if one.type.kind == "Deployment":
            raise CommandError(f'no rollout history found for deployment "{one.name}"')
        raise CommandError("no last revision to roll back to")
    return history[sorted(history)[-2]]


def _plain(template: Map) -> Map:
    """A template without the label that its ReplicaSet gave it."""
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != _HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _send(invocation: Invocation, one: Chosen, obj: Map, revision: Map, template: Map) -> None:
    if one.type.kind == "Deployment":
        own = obj["metadata"].get("annotations") or {}
        theirs = revision["metadata"].get("annotations") or {}
        annotations = {k: v for k, v in own.items() if k in _KEPT}
        annotations |= {k: v for k, v in theirs.items() if k not in _KEPT}
        body: Any = [
            {"op": "replace", "path": "/spec/template", "value": _plain(template)},
            {"op": "add", "path": "/metadata/annotations", "value": annotations},
        ]
        kind = "application/json-patch+json"
    else:
        body, kind = revision["data"], STRATEGIC
    query = [("dryRun", "All")] if dry_run(invocation.values) == "server" else []
    http = invocation.session.http
    try:
        http.request("PATCH", one.path, query, body=json.dumps(body).encode(), content_type=kind)
    except StatusError as error:
        number = invocation.values.to_revision
        raise CommandError(f"failed restoring revision {number}: {error}") from error


COMMAND = Command(
    usage="kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags] [options]",
    short="Undo a previous rollout",
    examples="kubectl rollout undo deployment/web\n"
    "kubectl rollout undo daemonset/agent --to-revision=3",
    run=run,
    flags=(
        *FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        Flag("to-revision", 0, "The revision to rollback to. Default to 0 (last revision).",
             kind=Kind.INT),
    ),
)  # fmt: skip
