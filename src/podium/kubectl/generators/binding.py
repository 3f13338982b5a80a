"""``kubectl create rolebinding`` and ``create clusterrolebinding``."""

from __future__ import annotations

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, required, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values

_RBAC = "rbac.authorization.k8s.io"
SUBJECT_FLAGS = (
    Flag("user", [], "Usernames to bind to the role. The flag can be repeated to add multiple "
         "users.", kind=Kind.ARRAY),
    Flag("group", [], "Groups to bind to the role. The flag can be repeated to add multiple "
         "groups.", kind=Kind.ARRAY),
    Flag("serviceaccount", [], "Service accounts to bind to the role, in the format "
         "<namespace>:<name>. The flag can be repeated to add multiple service accounts.",
         kind=Kind.ARRAY),
)  # fmt: skip


def _role_binding(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    if bool(values.clusterrole) == bool(values.role):
        raise CommandError("exactly one of clusterrole or role must be specified")
    role = _role("Role", values.role) if values.role else _role("ClusterRole", values.clusterrole)
    return {"subjects": subjects(values), "roleRef": role}


def _cluster_role_binding(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    return {"subjects": subjects(values), "roleRef": _role("ClusterRole", values.clusterrole)}


def _role(kind: str, name: str) -> Map:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def subjects(values: Values) -> list[Map]:
    """Return the subjects that the flags name. Raises CommandError."""
    found: list[Map] = [
        {"kind": kind, "apiGroup": _RBAC, "name": name}
        for kind, names in (("User", values.user), ("Group", values.group))
        for name in names
    ]
    for text in values.serviceaccount:
        namespace, colon, name = text.partition(":")
        if not colon or ":" in name or not namespace or not name:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        found.append({"kind": "ServiceAccount", "namespace": namespace, "name": name})
    return found


ROLE_BINDING = generator(
    dry_run_usage(
        "rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] "
        "[--serviceaccount=namespace:serviceaccountname]"
    ),
    "Create a role binding for a particular role or cluster role",
    creates(
        resource(_RBAC, "v1", "rolebindings", "RoleBinding"),
        _role_binding,
        "failed to create rolebinding:",
    ),
    (
        Flag("clusterrole", usage="ClusterRole this RoleBinding should reference"),
        Flag("role", usage="Role this RoleBinding should reference"),
        *SUBJECT_FLAGS,
    ),
)
CLUSTER_ROLE_BINDING = generator(
    dry_run_usage(
        "clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] "
        "[--serviceaccount=namespace:serviceaccountname]"
    ),
    "Create a cluster role binding for a particular cluster role",
    creates(
        resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
        _cluster_role_binding,
        "failed to create clusterrolebinding:",
    ),
    (
        required("clusterrole", "ClusterRole this ClusterRoleBinding should reference"),
        *SUBJECT_FLAGS,
    ),
)
