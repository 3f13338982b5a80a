"""``kubectl diff``: what applying files would change."""

from __future__ import annotations

import sys
from typing import Any

from podium.kubectl.applying import three_way_patch
from podium.kubectl.choosing import SELECTOR_FLAG
from podium.kubectl.command import Command, Invocation
from podium.kubectl.comparing import Versions
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Failed
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import bare
from podium.kubectl.manifests import Manifest, manifests, selected
from podium.kubectl.patches import MERGE, STRATEGIC
from podium.kubectl.writing import manager_flag

Map = dict[str, Any]


def run(invocation: Invocation) -> int:
    try:
        return _run(invocation)
    except CommandError as error:
        sys.stdout.flush()
        print(error.lines(), file=sys.stderr)
        raise Failed(2) from error  # 1 says that there are differences


def _run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise invocation.misused(f"Unexpected args: [{' '.join(invocation.words)}]")
    if values.force_conflicts and not values.server_side:
        raise CommandError("--force-conflicts only works with --server-side")
    discovery = Discovery(invocation.session.http)
    found = list(selected(manifests(invocation, discovery, goes_on=False), values.selector))
    with Versions(
        managed_fields=values.show_managed_fields, secrets=values.show_secrets
    ) as versions:
        uids = set()
        for manifest in found:
            live = invocation.session.existing(manifest.path)
            versions.add(manifest.type, live, _merged(invocation, manifest, live))
            uids.add(((live or {}).get("metadata") or {}).get("uid", ""))
        if values.prune:
            from podium.kubectl.pruning import left_over, prunable

            types = list(prunable(invocation, discovery))
            namespaces = {one.namespace for one in found if one.namespace}
            for type_, item in left_over(invocation, types, namespaces, uids):
                versions.add(type_, item, None)
        return versions.compare()


def _merged(invocation: Invocation, manifest: Manifest, live: Map | None) -> Map:
    """Return what the object would be, as the server says."""
    values, session = invocation.values, invocation.session
    query = [("dryRun", "All"), ("fieldManager", values.field_manager)]
    if values.server_side:
        manager = values.field_manager if values.changed("field-manager") else "kubectl"
        query = [("dryRun", "All"), ("fieldManager", manager),
                 ("force", "true" if values.force_conflicts else "false")]  # fmt: skip
        kind = "application/apply-patch+yaml"
        return session.send("PATCH", manifest.path, query, manifest.document, kind)
    if live is None:
        return session.send("POST", manifest.collection, query, manifest.document)
    patch, definition = three_way_patch(manifest, bare(manifest.document), live)
    if not patch:
        return live
    return session.send("PATCH", manifest.path, query, patch, STRATEGIC if definition else MERGE)


COMMAND = Command(
    usage="kubectl diff -f FILENAME [options]",
    short="Diff the live version against a would-be applied version",
    long="Show what applying files would change. The exit code is 1 where that is something, and "
    "greater where it cannot be told. KUBECTL_EXTERNAL_DIFF may name a program to compare with.",
    examples="kubectl diff -f pod.yaml",
    run=run,
    usage_code=2,
    flags=(
        *FILE_FLAGS, SELECTOR_FLAG, manager_flag("kubectl-client-side-apply"),
        Flag("concurrency", 1, "Number of objects to process in parallel when diffing against the "
             "live version. Larger number = faster, but more memory, I/O and CPU over that shorter "
             "period of time.", kind=Kind.INT),
        Flag("force-conflicts", False, "If true, server-side apply will force the changes against "
             "conflicts.", kind=Kind.BOOL),
        Flag("prune", False, "Include resources that would be deleted by pruning. Can be used with "
             "-l and default shows all resources would be pruned", kind=Kind.BOOL),
        Flag("prune-allowlist", [], "Overwrite the default allowlist with <group/version/kind> for "
             "--prune", kind=Kind.ARRAY),
        Flag("server-side", False, "If true, apply runs in the server instead of the client.",
             kind=Kind.BOOL),
        Flag("show-managed-fields", False, "If true, include managed fields in the diff.",
             kind=Kind.BOOL),
        Flag("show-secrets", False, "If true, do not mask secret values in the diff.",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
