"""``kubectl auth reconcile``: roles and bindings get what files say; what more they have stays."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.manifests import Manifest, entries, readable
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    each,
    printed,
)

Map = dict[str, Any]
_LISTS = {"Role": "rules", "ClusterRole": "rules", "RoleBinding": "subjects",
          "ClusterRoleBinding": "subjects"}  # fmt: skip


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    if dry_run(values) == "server":
        raise CommandError("--dry-run=server for command reconcile is not supported yet")
    check_output(values)

    def reconcile(manifest: Manifest) -> None:
        kind = manifest.type.kind
        if manifest.type.group != "rbac.authorization.k8s.io" or kind not in _LISTS:
            return  # nothing is said of others
        there = None if dry_run(values) == "client" else invocation.session.existing(manifest.path)
        wanted, notes = _reconciled(invocation, manifest, there)
        for note in notes:
            print(f"\t{note}", file=sys.stderr)
        if dry_run(values) == "none" and wanted != there:
            wanted = _written(invocation, manifest, wanted, there)
        printed(invocation, manifest.type, wanted, "reconciled", typed=True, parts=True)

    return each(list(readable(entries(invocation, Discovery(session.http), typed=True))), reconcile)


def _reconciled(
    invocation: Invocation, manifest: Manifest, there: Map | None
) -> tuple[Map, list[str]]:
    """Return what the object is to be, and what is told of it."""
    values, said = invocation.values, manifest.document
    field = _LISTS[manifest.type.kind]
    shown: Callable[[Map], str] = _rule if field == "rules" else _subject
    wanted_items = said.get(field) or []
    what = "rules" if field == "rules" else "subjects"
    if there is None:
        notes = ["reconciliation required create"]
        return said, notes + _listed(f"missing {what} added:", wanted_items, shown)
    wanted, notes = copy.deepcopy(there), []
    if field == "subjects" and there.get("roleRef") != _role(said):
        wanted["roleRef"] = _role(said)
        notes.append("reconciliation required recreate")
    for name in ("labels", "annotations"):
        given = (said.get("metadata") or {}).get(name) or {}
        merged = {**given, **(wanted["metadata"].get(name) or {})}
        if merged:
            wanted["metadata"][name] = merged
    items = wanted.get(field) or []
    missing = [one for one in wanted_items if one not in items]
    extra = [one for one in items if one not in wanted_items]
    removes = values.remove_extra_permissions if what == "rules" else values.remove_extra_subjects
    kept = wanted_items if removes else [*items, *missing]
    if kept != items and not (notes and notes[0].endswith("recreate")):
        notes.append("reconciliation required update")
    if kept or field in wanted:
        wanted[field] = kept
    notes += _listed(f"missing {what} added:", missing, shown) if missing else []
    notes += _listed(f"extra {what} removed:", extra, shown) if extra and removes else []
    return wanted, notes


def _role(said: Map) -> Map:
    return {"apiGroup": "rbac.authorization.k8s.io", **(said.get("roleRef") or {})}


def _written(invocation: Invocation, manifest: Manifest, wanted: Map, there: Map | None) -> Map:
    session = invocation.session
    if there is not None and there.get("roleRef") == wanted.get("roleRef"):
        return session.send("PUT", manifest.path, (), wanted)
    if there is not None:  # the role of a binding cannot be changed
        session.http.request("DELETE", manifest.path)
        metadata = {k: v for k, v in wanted["metadata"].items()
                    if k not in ("uid", "resourceVersion", "creationTimestamp")}  # fmt: skip
        wanted = {**wanted, "metadata": metadata}
    return session.send("POST", manifest.collection, (), wanted)


def _listed(title: str, items: Sequence[Map], shown: Callable[[Map], str]) -> list[str]:
    return [title, *(f"\t{shown(item)}" for item in items)] if items else []


def _rule(rule: Map) -> str:
    names = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    titles = ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs")
    parts = [
        f"{title}:[{' '.join(rule.get(name) or ())}]"
        for title, name in zip(titles, names, strict=True)
    ]
    return "{" + " ".join(parts) + "}"


def _subject(subject: Map) -> str:
    fields = (("Kind", "kind"), ("APIGroup", "apiGroup"), ("Name", "name"),
              ("Namespace", "namespace"))  # fmt: skip
    return "{" + " ".join(f"{title}:{subject.get(name, '')}" for title, name in fields) + "}"


COMMAND = Command(
    usage="kubectl auth reconcile -f FILENAME [options]",
    short="Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding "
    "objects",
    long="Add to roles and bindings what files say of them; a binding to another role is made "
    "again.",
    examples="kubectl auth reconcile -f roles.yaml",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        Flag("remove-extra-permissions", False, "If true, removes extra permissions added to "
             "roles", kind=Kind.BOOL),
        Flag("remove-extra-subjects", False, "If true, removes extra subjects added to "
             "rolebindings", kind=Kind.BOOL),
    ),
)  # fmt: skip
