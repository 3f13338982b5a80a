"""``kubectl apply --prune``: what was applied once and is in no file any more is deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from podium.kubectl.command import Invocation
from podium.kubectl.deleting import delete_options
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.last_applied import ANNOTATION
from podium.kubectl.writing import dry_run, log_warning, named, suffix

_NAMESPACED = (
    "v1/ConfigMap", "v1/Endpoints", "v1/PersistentVolumeClaim", "v1/Pod",
    "v1/ReplicationController", "v1/Secret", "v1/Service", "batch/v1/Job", "batch/v1/CronJob",
    "networking.k8s.io/v1/Ingress", "apps/v1/DaemonSet", "apps/v1/Deployment",
    "apps/v1/ReplicaSet", "apps/v1/StatefulSet",
)  # fmt: skip
_CLUSTER = ("v1/Namespace", "v1/PersistentVolume")


def prune(
    invocation: Invocation,
    types: Sequence[ResourceType],
    namespaces: Collection[str],
    kept: Collection[str],
) -> None:
    """Delete what is applied no more."""
    session, values = invocation.session, invocation.values
    for type_, item in left_over(invocation, types, namespaces, kept):
        metadata = item["metadata"]
        if dry_run(values) != "client":
            path = type_.path(metadata.get("namespace", ""), metadata["name"])
            body = json.dumps(delete_options(values)).encode()
            try:
                session.http.request("DELETE", path, body=body)
            except StatusError as error:
                if error.code != 404:
                    raise
        name = f"{named(type_)}/{metadata['name']}"
        print(name if values.output == "name" else f"{name} pruned{suffix(values)}")


def left_over(
    invocation: Invocation,
    types: Sequence[ResourceType],
    namespaces: Collection[str],
    kept: Collection[str],
) -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    """Yield what has the annotation, the labels, and none of the *kept* uids."""
    session, values = invocation.session, invocation.values
    places = set(namespaces)
    if session.enforces_namespace:
        places.add(session.namespace)
    for namespace in sorted(places):
        for type_ in types:
            if type_.namespaced:
                yield from _of_type(invocation, type_, namespace, kept)
    cluster = [type_ for type_ in types if not type_.namespaced]
    if cluster and not values.prune_allowlist:
        log_warning(
            "prune.go:71",
            "Deprecated: kubectl apply will no longer prune non-namespaced resources by default "
            "when used with the --namespace flag in a future release. To preserve the current "
            "behaviour, list the resources you want to target explicitly in the --prune-allowlist "
            "flag.",
        )
    for type_ in cluster:
        yield from _of_type(invocation, type_, "", kept)


def prunable(invocation: Invocation, discovery: Discovery) -> Iterator[ResourceType]:
    """Yield the types that are looked through. Raises CommandError."""
    allowed = invocation.values.prune_allowlist
    if not allowed:
        for text in (*_NAMESPACED, *_CLUSTER):
            version, _, kind = text.rpartition("/")
            yield discovery.kind(version, kind)
        return
    for text in allowed:
        parts = text.split("/")
        if len(parts) != 3:
            raise CommandError(f"invalid GroupVersionKind format: {text}, please follow "
                               "<group/version/kind>")  # fmt: skip
        group, version, kind = parts
        known = version if group in ("core", "") else f"{group}/{version}"
        try:
            yield discovery.kind(known, kind)
        except CommandError as exc:
            raise CommandError(str(exc).partition("\n")[0]) from exc


def _of_type(
    invocation: Invocation, type_: ResourceType, namespace: str, kept: Collection[str]
) -> Iterator[tuple[ResourceType, dict[str, Any]]]:
    session, values = invocation.session, invocation.values
    query = [("labelSelector", values.selector)] if values.selector else []
    try:
        listed = session.http.request("GET", type_.path(namespace), query).json()
    except StatusError as error:
        if error.code == 404:
            return
        what = "namespaced" if namespace else "nonNamespaced"
        version = type_.group_version
        text = f"error pruning {what} object {version}, Kind={type_.kind}: {error}"
        raise CommandError(text) from error
    for item in listed["items"] or ():
        metadata = item["metadata"]
        if ANNOTATION in (metadata.get("annotations") or {}) and metadata["uid"] not in kept:
            yield type_, {"apiVersion": type_.group_version, "kind": type_.kind, **item}
