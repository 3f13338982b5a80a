"""Where objects lie in the store: as an upstream kube-apiserver lays them out in etcd."""

from __future__ import annotations

from podium.api.scheme import Resource

ROOT = "/registry/"

#: Resources whose directory is not their plural, for historical reasons.
_DIRECTORIES = {
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("", "endpoints"): "services/endpoints",
}


def prefix(resource: Resource, namespace: str = "") -> str:
    """Return what all keys of *resource* (in *namespace*) begin with; it ends in a slash."""
    directory = _DIRECTORIES.get((resource.group, resource.plural), resource.plural)
    inside = f"{namespace}/" if namespace and resource.namespaced else ""
    return f"{ROOT}{directory}/{inside}"


def key(resource: Resource, namespace: str, name: str) -> str:
    return prefix(resource, namespace) + name
