"""What a node may do: its own Node, Lease and Pods, and what those Pods refer to.

Follows ``k8s.io/kubernetes/plugin/pkg/auth/authorizer/node``. Together with the NodeRestriction
admission plugin, which looks into the bodies, a node that is taken over gives away nothing but
what runs there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from podium.api.selectors import FieldRequirement, parse_fields
from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.auth.node_graph import NodeGraph
from podium.apiserver.auth.rbac.rules import any_allows
from podium.apiserver.paths import Query, RequestInfo

LEASE_NAMESPACE = "kube-node-lease"
_READ = ("get", "list", "watch")
#: Characters up to which a question is remembered.
_LONGEST = 256
_OF_ONES_OWN = ("get", "create", "update", "patch", "delete")

#: Returns None where the node may, otherwise why it may not, "" where there is nothing to say.
_Check = Callable[[str, RequestInfo, Query, NodeGraph], str | None]


def refusal(node: str, info: RequestInfo, query: Query, graph: NodeGraph) -> str | None:
    """Return None where *node* may do it, otherwise the reason, in upstream's words ("": none)."""
    check = _CHECKS.get((info.group, info.resource)) if info.is_resource else None
    if check is not None:
        return check(node, info, query, graph)
    return None if _may_all(info) else ""


def _may_all(info: RequestInfo) -> bool:
    """Whether every node may, whatever it is about: no rule of theirs names an object."""
    asked = (info.verb, info.group, info.resource, info.subresource)
    if not info.is_resource or sum(map(len, asked)) > _LONGEST:
        return any_allows(_rules(), info)
    return _remembered(*asked)


@lru_cache(512)
def _remembered(verb: str, group: str, resource: str, subresource: str) -> bool:
    asked = RequestInfo("", "", verb, True, group=group, resource=resource, subresource=subresource)
    return any_allows(_rules(), asked)


@cache
def _rules() -> list[PolicyRule]:
    """What all nodes may do alike, without regard to what it is about."""
    from podium.apiserver.auth.rbac.default_roles import node_rules

    return node_rules()


def _related(node: str, info: RequestInfo, graph: NodeGraph) -> str | None:
    if not info.name:
        return "No Object name found"
    if graph.leads_to(node, info.resource, info.namespace, info.name):
        return None
    return f"no relationship found between node '{node}' and this object"


def _read_one(node: str, info: RequestInfo, _: Query, graph: NodeGraph) -> str | None:
    """Secrets and ConfigMaps, one at a time."""
    if info.verb not in _READ:
        return "can only read resources of this type"
    if info.subresource:
        return "cannot read subresource"
    if not info.namespace:
        return "can only read namespaced object of this type"
    return _related(node, info, graph)


def _get(node: str, info: RequestInfo, _: Query, graph: NodeGraph) -> str | None:
    if info.verb != "get":
        return "can only get individual resources of this type"
    if info.subresource:
        return "cannot get subresource"
    return _related(node, info, graph)


def _claim(node: str, info: RequestInfo, query: Query, graph: NodeGraph) -> str | None:
    if info.subresource != "status":
        return _get(node, info, query, graph)
    if info.verb not in ("update", "patch"):
        return "can only get/update/patch this type"
    return _related(node, info, graph)


def _account(node: str, info: RequestInfo, query: Query, graph: NodeGraph) -> str | None:
    """Tokens, and the account itself where images are pulled in its name."""
    if info.verb == "get" and not info.subresource:
        return _get(node, info, query, graph)
    if info.verb != "create" or not info.name:
        return "can only create tokens for individual service accounts"
    if info.subresource != "token":
        return "can only create token subresource of serviceaccount"
    return _related(node, info, graph)


def _lease(node: str, info: RequestInfo, _query: Query, _graph: NodeGraph) -> str | None:
    if info.verb not in _OF_ONES_OWN:
        return "can only get, create, update, patch, or delete a node lease"
    if info.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    if info.verb != "create" and info.name != node:  # the name of a new one is in its body
        return "can only access node lease with the same name as the requesting node"
    return None


def _csi_node(node: str, info: RequestInfo, _query: Query, _graph: NodeGraph) -> str | None:
    if info.verb not in _OF_ONES_OWN:
        return "can only get, create, update, patch, or delete a CSINode"
    if info.subresource:
        return "cannot authorize CSINode subresources"
    if info.verb != "create" and info.name != node:
        return "can only access CSINode with the same name as the requesting node"
    return None


def _slice(node: str, info: RequestInfo, query: Query, graph: NodeGraph) -> str | None:
    if info.subresource:
        return "cannot authorize ResourceSlice subresources"
    match info.verb:
        case "create":
            return None
        case "get" | "update" | "patch" | "delete":
            return _related(node, info, graph)
        case "watch" | "list" | "deletecollection":
            if _selects(query, "nodeName", node):
                return None
            return (
                "can only list/watch/deletecollection resourceslices with nodeName field selector"
            )
    return (
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
        "update, patch, delete, deletecollection"
    )


def _node(node: str, info: RequestInfo, _query: Query, _graph: NodeGraph) -> str | None:
    """Which Node is written is NodeRestriction's part."""
    if info.subresource:
        writes = info.subresource == "status" and info.verb in ("update", "patch")
        return None if writes else ""
    if info.verb in ("create", "update", "patch"):
        return None
    if info.verb not in _READ:
        return ""
    if info.name == node:
        return None
    what = f"'{info.name}'" if info.name else "all nodes"
    return f"node '{node}' cannot read {what}, only its own Node object"


def _pod(node: str, info: RequestInfo, query: Query, graph: NodeGraph) -> str | None:
    """Which Pod is written is NodeRestriction's part."""
    match info.subresource, info.verb:
        case "", "get":
            return _get(node, info, query, graph)
        case "", "list" | "watch":
            if _selects(query, "spec.nodeName", node):
                return None
            if info.name:
                return _related(node, info, graph)
            return "can only list/watch pods with spec.nodeName field selector"
        case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
            return None
    return ""


def _selects(query: Query, field: str, value: str) -> bool:
    try:
        needs = parse_fields(query.get("fieldSelector")).requirements
    except ValueError:  # the request will be refused for that
        return False
    return FieldRequirement(field, "=", value) in needs


_CHECKS: dict[tuple[str, str], _Check] = {
    ("", "secrets"): _read_one,
    ("", "configmaps"): _read_one,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _get,
    ("", "serviceaccounts"): _account,
    ("", "nodes"): _node,
    ("", "pods"): _pod,
    ("resource.k8s.io", "resourceclaims"): _get,
    ("resource.k8s.io", "resourceslices"): _slice,
    ("storage.k8s.io", "volumeattachments"): _get,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("coordination.k8s.io", "leases"): _lease,
}
