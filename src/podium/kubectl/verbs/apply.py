"""``kubectl apply -f``: by client (three-way patches) or by server."""

from __future__ import annotations

import json
import sys
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import StatusError
from podium.kubectl.files import FILE_FLAGS, Manifest, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    VALIDATE_FLAG,
    about_file,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MISSING = (
    "Warning: resource {} is missing the {} annotation which is required by kubectl apply. kubectl "
    "apply should only be used on resources created declaratively by either kubectl create "
    "--save-config or kubectl apply. The missing annotation will be patched automatically."
)


def run(invocation: Invocation) -> int:
    way = _Server(invocation) if invocation.values.server_side else _Client(invocation)
    return each(manifests(invocation, Discovery(invocation.session.http)), way.apply)


class _Server:
    def __init__(self, invocation: Invocation) -> None:
        self._invocation, self._session = invocation, invocation.session
        values = invocation.values
        if not values.changed("field-manager"):
            values.put(manager_flag(""), "kubectl")
        self._query = write_query(values)
        if values.force_conflicts:
            self._query.append(("force", "true"))

    def apply(self, manifest: Manifest) -> None:
        answer = self._session.http.request(
            "PATCH",
            manifest.path,
            self._query,
            body=json.dumps(manifest.document).encode(),
            content_type="application/apply-patch+yaml",
        )
        self._session.warn(answer)
        printed(self._invocation, manifest.type, answer.json(), "serverside-applied")


class _Client:
    def __init__(self, invocation: Invocation) -> None:
        self._invocation, self._session = invocation, invocation.session
        self._query = write_query(invocation.values)
        self._only_here = dry_run(invocation.values) == "client"

    def apply(self, manifest: Manifest) -> None:
        wanted = _with_last_applied(manifest.document)
        try:
            current = self._session.http.request("GET", manifest.path).json()
        except StatusError as error:
            if error.code != 404:
                raise about_file(error, "retrieving current configuration of", manifest.source) \
                    from error  # fmt: skip
            self._create(manifest, wanted)
            return
        self._patch(manifest, wanted, current)

    def _create(self, manifest: Manifest, wanted: dict[str, Any]) -> None:
        obj = wanted
        if not self._only_here:
            body = json.dumps(wanted).encode()
            try:
                answer = self._session.http.request(
                    "POST", manifest.collection, self._query, body=body
                )
            except StatusError as error:
                raise about_file(error, "creating", manifest.source) from error
            self._session.warn(answer)
            obj = answer.json()
        printed(self._invocation, manifest.type, obj, "created")

    def _patch(self, manifest: Manifest, wanted: dict[str, Any], current: dict[str, Any]) -> None:
        annotations = current["metadata"].get("annotations") or {}
        if LAST_APPLIED not in annotations:
            what = f"{manifest.type.plural}/{manifest.name}"
            print(_MISSING.format(what, LAST_APPLIED), file=sys.stderr)
        last = json.loads(annotations.get(LAST_APPLIED) or "{}")
        patch, content_type = _three_way(manifest, last, wanted, current)
        obj = current
        if patch and not self._only_here:
            try:
                answer = self._session.http.request(
                    "PATCH", manifest.path, self._query, body=json.dumps(patch).encode(),
                    content_type=content_type,
                )  # fmt: skip
            except StatusError as error:
                verb = f"applying patch:\n{json.dumps(patch, separators=(',', ':'))}\nto"
                raise about_file(error, verb, manifest.source) from error
            self._session.warn(answer)
            obj = answer.json()
        unchanged = not patch
        printed(self._invocation, manifest.type, obj, "unchanged" if unchanged else "configured")


def _with_last_applied(document: dict[str, Any]) -> dict[str, Any]:
    """Return the object as it is sent: with itself, as it stood in the file, in an annotation."""
    metadata = {**document["metadata"]}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    plain = {**document, "metadata": {**metadata, "annotations": annotations}}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    text = text.translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
    annotations = {**annotations, LAST_APPLIED: f"{text}\n"}
    return {**plain, "metadata": {**metadata, "annotations": annotations}}


def _three_way(
    manifest: Manifest, last: dict[str, Any], wanted: dict[str, Any], current: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    from podium.api import schema, scheme
    from podium.kubectl import three_way

    type_ = manifest.type
    known = scheme.find_kind(type_.group, type_.version, type_.kind)
    if known is None:
        return three_way.merge_patch(last, wanted, current), "application/merge-patch+json"
    definition = schema.definition_of(known.type)
    patch = three_way.strategic_patch(last, wanted, current, definition)
    return patch, "application/strategic-merge-patch+json"


COMMAND = Command(
    usage="kubectl apply (-f FILENAME | -k DIRECTORY) [options]",
    short="Apply a configuration to a resource by file name or stdin",
    long="Make objects what files say: create those that are not there, patch those that are.",
    examples="# What a file says\nkubectl apply -f pod.yaml\n\n"
    "# By the server, with owners of fields\nkubectl apply --server-side -f pod.yaml",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, OUTPUT_FLAG, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
        manager_flag("kubectl-client-side-apply"),
        Flag("server-side", False, "If true, apply runs in the server instead of the client.",
             kind=Kind.BOOL),
        Flag("force-conflicts", False, "If true, server-side apply will force the changes against "
             "conflicts.", kind=Kind.BOOL),
    ),
)  # fmt: skip
