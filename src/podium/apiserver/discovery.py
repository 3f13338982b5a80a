"""Discovery documents, legacy and aggregated, made from the scheme. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/discovery``. They change with the program only, so that
each is made once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from podium.api import metrics
from podium.api.scheme import RESOURCES, Resource, Subresource
from podium.apiserver.negotiation import JSON, MediaType, clauses, not_acceptable

AGGREGATED_GROUP = "apidiscovery.k8s.io"
AGGREGATED_KIND = "APIGroupDiscoveryList"
AGGREGATED_VERSIONS = ("v2", "v2beta1")
_ACCEPTED = (JSON, "application/yaml", "application/vnd.kubernetes.protobuf")

#: What is found here is more than the kinds: upstream's aggregator adds metrics-server's.
_OFFERED = (*RESOURCES, *metrics.RESOURCES)

#: In the order of the priorities of upstream's groups; clients prefer what they find first. What is
#: not named here comes last, as what is aggregated does.
_BY_PRIORITY = (
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
)

Document = dict[str, Any]


def negotiate(header: str) -> MediaType:
    """Return how to answer at ``/api`` and ``/apis``. Raises ApiError (406)."""
    if not header:
        return MediaType()
    for clause in clauses(header):
        if clause.type not in (JSON, "application/yaml", "application/*", "*/*"):
            continue
        media_format = clause.type if clause.type in (JSON, "application/yaml") else JSON
        kind, version = clause.parameter("as"), clause.parameter("v")
        if not kind:
            return MediaType(media_format)
        if (
            kind == AGGREGATED_KIND
            and clause.parameter("g") == AGGREGATED_GROUP
            and version in AGGREGATED_VERSIONS
        ):
            return MediaType(media_format, kind, AGGREGATED_GROUP, version)
    raise not_acceptable(_ACCEPTED)


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Return the named groups and their versions, the preferred one first."""
    return _groups(_OFFERED)


@cache
def described_groups() -> dict[str, tuple[str, ...]]:
    """Return those of them that OpenAPI tells of."""
    return _groups(RESOURCES)


def _groups(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for resource in resources:
        if resource.group:
            versions = found.setdefault(resource.group, [])
            if resource.version not in versions:
                versions.append(resource.version)
    return {group: tuple(found[group]) for group in sorted(found, key=_priority)}


def _priority(group: str) -> tuple[int, str]:
    known = group in _BY_PRIORITY
    return _BY_PRIORITY.index(group) if known else len(_BY_PRIORITY), group


def served(group: str, version: str) -> Sequence[Resource]:
    """Return the resources of a group and version by name, none when it is not served."""
    return _by_version().get((group, version), ())


@cache
def _by_version() -> dict[tuple[str, str], list[Resource]]:
    found: dict[tuple[str, str], list[Resource]] = {}
    for resource in sorted(_OFFERED, key=lambda resource: resource.plural):
        found.setdefault((resource.group, resource.version), []).append(resource)
    return found


def api_versions(address: str) -> Document:
    """``/api``; *address* is where the server tells its clients to find it."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


@cache
def group_list() -> Document:
    """``/apis``."""
    found = [_group(name) for name in groups()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(name: str) -> Document | None:
    """``/apis/<name>``; None where it is not served."""
    if name not in groups():
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> Document:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version} for version in groups()[name]
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(group_name: str, version: str) -> Document | None:
    """``/api/v1``, ``/apis/<group>/<version>``; None where it is not served."""
    return _resource_list(group_name, version) if served(group_name, version) else None


@cache
def _resource_list(group_name: str, version: str) -> Document:
    found = []
    for resource in served(group_name, version):
        found.append(_resource(resource))
        found += [_subresource(resource, sub) for sub in sorted_subresources(resource)]
    if not group_name:
        found.append(_BINDINGS)
        found.sort(key=lambda entry: str(entry["name"]))
    group_version = f"{group_name}/{version}" if group_name else version
    document: Document = {"kind": "APIResourceList"}
    if group_name:
        document["apiVersion"] = "v1"
    return {**document, "groupVersion": group_version, "resources": found}


#: POST to ``/api/v1/namespaces/<ns>/bindings``: pods/binding by another way.
_BINDINGS: Document = {
    "name": "bindings",
    "singularName": "binding",
    "namespaced": True,
    "kind": "Binding",
    "verbs": ["create"],
}


def sorted_subresources(resource: Resource) -> Iterable[Subresource]:
    return sorted(resource.subresources, key=lambda sub: sub.name)


def _resource(resource: Resource) -> Document:
    entry: Document = {
        "name": resource.plural,
        "singularName": resource.singular,  # upstream since 1.27; some clients go by it
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.stored:
        entry["storageVersionHash"] = storage_version_hash(resource)
    return entry


def _subresource(resource: Resource, sub: Subresource) -> Document:
    entry: Document = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if sub.group:
        entry["group"] = sub.group
    if sub.group and sub.version:
        entry["version"] = sub.version
    entry["kind"] = sub.kind or resource.kind
    entry["verbs"] = sorted(sub.verbs)
    return entry


def storage_version_hash(resource: Resource) -> str:
    """Eight bytes of the SHA-256 of ``group/version/kind``, as upstream makes it."""
    stored = resource.view_of or resource
    text = f"{stored.group}/{stored.version}/{stored.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


@cache
def aggregated(root: str, version: str) -> Document:
    """``/api`` or ``/apis`` (*root*) as an APIGroupDiscoveryList of *version*."""
    names = {"": ("v1",)} if root == "api" else groups()
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [_version_discovery(name, v) for v in versions],
        }
        for name, versions in names.items()
    ]
    return {
        "kind": AGGREGATED_KIND,
        "apiVersion": f"{AGGREGATED_GROUP}/{version}",
        "metadata": {},
        "items": items,
    }


@cache
def aggregated_hash(root: str, version: str) -> str:
    """Return what names the state of that document."""
    text = msgspec.json.encode(aggregated(root, version))
    return hashlib.sha512(text).hexdigest().upper()


def _version_discovery(group_name: str, version: str) -> Document:
    resources = [_resource_discovery(resource) for resource in served(group_name, version)]
    if not group_name:
        resources.append(_BINDINGS_DISCOVERY)
        resources.sort(key=lambda entry: str(entry["resource"]))
    return {"version": version, "resources": resources, "freshness": "Current"}


_BINDINGS_DISCOVERY: Document = {
    "resource": "bindings",
    "responseKind": {"group": "", "version": "v1", "kind": "Binding"},
    "scope": "Namespaced",
    "singularResource": "binding",
    "verbs": ["create"],
}


def _resource_discovery(resource: Resource) -> Document:
    entry: Document = {
        "resource": resource.plural,
        "responseKind": _kind(resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _kind(
                    sub.group or resource.group,
                    sub.version or resource.version,
                    sub.kind or resource.kind,
                ),
                "verbs": sorted(sub.verbs),
            }
            for sub in sorted_subresources(resource)
        ]
    return entry


def _kind(group_name: str, version: str, kind: str) -> Document:
    return {"group": group_name, "version": version, "kind": kind}
