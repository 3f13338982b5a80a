"""How ``kubectl apply`` makes one object what its file says: by the client, or by the server."""

from __future__ import annotations

import json
import sys
from typing import Any

from podium.kubectl import last_applied, migration
from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.last_applied import ANNOTATION, compact
from podium.kubectl.manifests import Manifest
from podium.kubectl.patches import MERGE, STRATEGIC, definition_of
from podium.kubectl.writing import about_file, dry_run, manager_flag, write_query

Map = dict[str, Any]

_MISSING = (
    "Warning: resource {} is missing the {} annotation which is required by kubectl apply. kubectl "
    "apply should only be used on resources created declaratively by either kubectl create "
    "--save-config or kubectl apply. The missing annotation will be patched automatically."
)
_LATER = "This is non-fatal and will be retried next time you apply. Error: "
_REVIEW = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
_SERVER_MANAGER = "kubectl"
_APPLY = "application/apply-patch+yaml"
_RETRIES = 5


def warn_if_deleting(obj: Map) -> None:
    if obj["metadata"].get("deletionTimestamp"):
        name = obj["metadata"]["name"]
        print(f"Warning: Detected changes to resource {name} which is currently being deleted.",
              file=sys.stderr)  # fmt: skip


def check_name(manifest: Manifest) -> None:
    """Raise CommandError for an object that says no name."""
    if manifest.name:
        return
    generated = manifest.document["metadata"].get("generateName")
    if generated:
        raise CommandError(f"from {generated}: cannot use generate name with apply")
    raise CommandError(
        f"error when retrieving current configuration of:\n{_described(manifest)}\n"
        f'from server for: "{manifest.source}": resource name may not be empty'
    )


class ServerSide:
    """Server-side apply; what client-side apply had owned goes over to it."""

    def __init__(self, invocation: Invocation) -> None:
        self._session = invocation.session
        values = invocation.values
        if not values.changed("field-manager"):
            values.settle(manager_flag(""), _SERVER_MANAGER)
        self._manager, self._subresource = values.field_manager, values.subresource
        self._query = write_query(values)
        self._query.append(("force", "true" if values.force_conflicts else "false"))

    def apply(self, manifest: Manifest) -> tuple[Map, str]:
        """Return what the object is now, and how that is called. Raises CommandError."""
        if not manifest.name and "generateName" not in manifest.document["metadata"]:
            raise CommandError("resource name may not be empty")
        check_name(manifest)
        try:
            obj = self._send(manifest, manifest.document, self._query)
        except StatusError as error:
            if error.code == 409 and error.reason == "Conflict":
                raise CommandError(f"{error}{_REVIEW}") from error
            raise
        obj = self._migrated(manifest, obj)
        warn_if_deleting(obj)
        return obj, "serverside-applied"

    def _send(self, manifest: Manifest, document: Map, query: list[tuple[str, str]]) -> Map:
        path = manifest.type.path(manifest.namespace, manifest.name, self._subresource)
        return self._session.send("PATCH", path, query, document, _APPLY)

    def _migrated(self, manifest: Manifest, obj: Map) -> Map:
        try:
            obj = self._keep_annotation(manifest, obj)
        except StatusError as error:
            print(f"Warning: failed to migrate {ANNOTATION} for Server-Side Apply. {_LATER}{error}",
                  file=sys.stderr)  # fmt: skip
            return obj
        try:
            done = self._take_over(manifest, obj)
        except StatusError as error:
            print("Warning: server rejected managed fields migration to Server-Side Apply. "
                  f"{_LATER}{error}", file=sys.stderr)  # fmt: skip
            return obj
        if not done:
            return obj
        try:
            return self._send(manifest, manifest.document, self._query)
        except StatusError as error:
            print("Warning: failed to re-apply configuration after performing Server-Side Apply "
                  f"migration. {_LATER}{error}", file=sys.stderr)  # fmt: skip
            return obj

    def _keep_annotation(self, manifest: Manifest, obj: Map) -> Map:
        """Give the annotation an owner of its own: nobody who applies by the server has it."""
        text = (obj["metadata"].get("annotations") or {}).get(ANNOTATION)
        entries = obj["metadata"].get("managedFields") or ()
        owned = any(migration.owns_annotation(entry, "Apply") for entry in entries)
        if self._manager != _SERVER_MANAGER or text is None or owned:
            return obj
        metadata = {"name": manifest.name, "annotations": {ANNOTATION: text}}
        if manifest.namespace:
            metadata["namespace"] = manifest.namespace
        alone = {
            "apiVersion": manifest.type.group_version,
            "kind": manifest.type.kind,
            "metadata": metadata,
        }
        query = [(k, v) for k, v in self._query if k not in ("fieldManager", "force")]
        return self._send(manifest, alone, [*query, ("fieldManager", "kubectl-last-applied")])

    def _take_over(self, manifest: Manifest, obj: Map) -> bool:
        query = [(k, v) for k, v in self._query if k != "force"]
        for attempt in range(_RETRIES):
            metadata = obj["metadata"]
            entries = migration.upgraded(metadata.get("managedFields") or (), self._manager)
            if entries is None:
                return False
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": entries},
                {"op": "replace", "path": "/metadata/resourceVersion",
                 "value": metadata["resourceVersion"]},
            ]  # fmt: skip
            try:
                self._session.http.request(
                    "PATCH", manifest.path, query, body=json.dumps(patch).encode(),
                    content_type="application/json-patch+json",
                )  # fmt: skip
            except StatusError as error:
                if error.code != 409 or attempt == _RETRIES - 1:
                    raise
                obj = self._session.http.request("GET", manifest.path).json()
            else:
                return True
        return False


class ClientSide:
    """Three-way patches against the annotation of what was applied last."""

    def __init__(self, invocation: Invocation) -> None:
        self._session, self._values = invocation.session, invocation.values
        self._query = write_query(invocation.values)
        self._only_here = dry_run(invocation.values) == "client"

    def apply(self, manifest: Manifest) -> tuple[Map, str]:
        """Return what the object is now, and how that is called. Raises CommandError."""
        check_name(manifest)
        wanted = last_applied.annotated(manifest.document)
        current = self._current(manifest)
        if current is None:
            return self._create(manifest, wanted), "created"
        if ANNOTATION not in (current["metadata"].get("annotations") or {}):
            what = f"{manifest.type.plural}/{manifest.name}"
            print(_MISSING.format(what, ANNOTATION), file=sys.stderr)
        patch, after = self._patched(manifest, wanted, current)
        warn_if_deleting(after)
        return after, "configured" if patch else "unchanged"

    def _current(self, manifest: Manifest) -> Map | None:
        try:
            return self._session.existing(manifest.path)
        except StatusError as error:
            verb = f"retrieving current configuration of:\n{_described(manifest)}\nfrom server for:"
            raise about_file(error, verb, manifest.source) from error

    def _create(self, manifest: Manifest, wanted: Map) -> Map:
        if self._only_here:
            return wanted
        try:
            return self._session.send("POST", manifest.collection, self._query, wanted)
        except StatusError as error:
            raise about_file(error, "creating", manifest.source) from error

    def _patched(self, manifest: Manifest, wanted: Map, current: Map) -> tuple[Map, Map]:
        """Return the patch, and what the object is with it."""
        for attempt in range(_RETRIES):
            patch, definition = three_way_patch(manifest, wanted, current)
            if patch and definition and not self._values.overwrite:
                self._check_overwriting(manifest, wanted, current, patch, definition)
            if self._only_here or not patch:
                return patch, _applied_here(current, patch, definition)
            try:
                return patch, self._send(manifest, patch, definition)
            except StatusError as error:
                if error.code == 409 and attempt < _RETRIES - 1:
                    current = self._current(manifest) or current
                    continue
                if self._values.force and (error.code == 409 or error.reason == "Invalid"):
                    return patch, self._replaced(manifest, wanted, current)
                verb = f"applying patch:\n{compact(patch)}\nto:\n{_described(manifest)}\nfor:"
                raise about_file(error, verb, manifest.source) from error
        raise AssertionError

    def _check_overwriting(
        self, manifest: Manifest, wanted: Map, current: Map, patch: Map, definition: str
    ) -> None:
        """Raise CommandError for a patch that changes what somebody else has changed."""
        from podium.kubectl import overwriting

        found = overwriting.conflict(
            last_applied.last_applied(current) or {}, current, patch, definition
        )
        if not found:
            return
        if self._values.openapi_patch:
            for spec in ("openapi v3", "openapi"):  # upstream tries both
                print(f"warning: error calculating patch from {spec} spec: {found}",
                      file=sys.stderr)  # fmt: skip
        text = (current["metadata"].get("annotations") or {}).get(ANNOTATION, "")
        refused = overwriting.refused(found, text, wanted, current)
        patching = "" if self._only_here else f'error when patching "{manifest.source}": '
        raise CommandError(
            f"error when applying patch:\n\nto:\n{_described(manifest)}\n"
            f'for: "{manifest.source}": {patching}{refused}'
        )

    def _send(self, manifest: Manifest, patch: Map, definition: str) -> Map:
        return self._session.send(
            "PATCH", manifest.path, self._query, patch, STRATEGIC if definition else MERGE
        )

    def _replaced(self, manifest: Manifest, wanted: Map, current: Map) -> Map:
        """Delete the object and create it again; the old one comes back where that fails."""
        from podium.kubectl.deleting import Doomed, delete_options, wait_until_gone

        options = json.dumps(delete_options(self._values, self._values.grace_period)).encode()
        answer = self._session.http.request("DELETE", manifest.path, body=options)
        doomed = Doomed(manifest.type, manifest.namespace, manifest.name)
        wait_until_gone(self._session.http, doomed, current["metadata"]["uid"], None)
        self._session.warn(answer)
        try:
            return self._create(manifest, wanted)
        except StatusError as error:
            metadata = {k: v for k, v in current["metadata"].items()
                        if k not in ("resourceVersion", "uid")}  # fmt: skip
            self._create(manifest, {**current, "metadata": metadata})
            raise about_file(error, "replacing", manifest.source) from error


def _described(manifest: Manifest) -> str:
    """The object as messages describe it at length."""
    type_ = manifest.type
    version = f"{type_.group}/{type_.version}"
    return (
        f'Resource: "{version}, Resource={type_.plural}", GroupVersionKind: '
        f'"{version}, Kind={type_.kind}"\nName: "{manifest.name}", '
        f'Namespace: "{manifest.namespace}"'
    )


def three_way_patch(manifest: Manifest, wanted: Map, current: Map) -> tuple[Map, str]:
    """Return the patch, with the definition of its schema for a strategic one."""
    from podium.kubectl import three_way

    last = last_applied.last_applied(current) or {}
    type_ = manifest.type
    definition = definition_of(type_.group, type_.version, type_.kind)
    if not definition:
        return three_way.merge_patch(last, wanted, current), ""
    return three_way.strategic_patch(last, wanted, current, definition), definition


def _applied_here(current: Map, patch: Map, definition: str) -> Map:
    if not patch:
        return current
    from podium.api.patch import merge, strategic

    if definition:
        return strategic.apply(current, patch, definition)
    applied: Map = merge.apply(current, patch)
    return applied
