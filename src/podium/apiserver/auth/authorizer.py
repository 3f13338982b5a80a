"""May they: the one question asked of every request after it is known who makes it.

As upstream's ``--authorization-mode=Node,RBAC``, behind the group that may do everything. Whoever
is allowed by one of them is allowed.
"""

from __future__ import annotations

from podium.api.errors import ApiError, failure
from podium.api.go_text import quote
from podium.api.types.meta_v1 import StatusDetails
from podium.api.user import UserInfo, is_node, node_name
from podium.apiserver.auth import node_authorizer
from podium.apiserver.auth.node_graph import NodeGraph
from podium.apiserver.auth.rbac.policy import Decision, Grants, Policy
from podium.apiserver.paths import Query, RequestInfo

#: Members may do everything, whatever roles there are.
PRIVILEGED_GROUP = "system:masters"
_ALLOWED = Decision(True)
#: What a browser might take for markup.
_SANITIZED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Authorizer:
    """Asks the nodes' rules and the roles, in this order. Nothing allowed means refused."""

    def __init__(self, policy: Policy, graph: NodeGraph) -> None:
        self._policy, self._graph = policy, graph

    def authorize(self, user: UserInfo, info: RequestInfo, query: Query) -> None:
        """Raises ApiError (403)."""
        decision = self.decide(user, info, query)
        if not decision.allowed:
            raise forbidden(user, info, decision.reason)

    def decide(self, user: UserInfo, info: RequestInfo, query: Query) -> Decision:
        """Return whether *user* may do it, with the reasons of all who were asked."""
        if PRIVILEGED_GROUP in user.groups:
            return _ALLOWED
        refusal: str | None = None
        if is_node(user):
            refusal = self._node_refusal(user, info, query)
            if refusal is None:
                return _ALLOWED
        decision = self._policy.decide(user, info)
        if decision.allowed or not refusal:
            return decision
        return Decision(False, "\n".join(filter(None, (refusal, decision.reason))))

    def _node_refusal(self, user: UserInfo, info: RequestInfo, query: Query) -> str | None:
        node = node_name(user)
        if not node:
            return f"unknown node for user {quote(user.name)}"
        return node_authorizer.refusal(node, info, query, self._graph)

    def grants(self, user: UserInfo, namespace: str) -> Grants:
        """Return the rules that hold for *user*, those of nodes left out."""
        return self._policy.grants(user, namespace)


def forbidden(user: UserInfo, info: RequestInfo, reason: str = "") -> ApiError:
    """Return the refusal as ``k8s.io/apiserver`` words it (``responsewriters.Forbidden``)."""
    what = _attempt(user, info).translate(_SANITIZED)
    if reason:
        what = f"{what}: {reason}"
    if not info.is_resource:
        return failure(403, "Forbidden", f"forbidden: {what}", StatusDetails())
    qualified = f"{info.resource}.{info.group}" if info.group else info.resource
    subject = f"{qualified} {quote(info.name)}" if info.name else qualified
    details = StatusDetails(name=info.name, group=info.group, kind=info.resource)
    return failure(403, "Forbidden", f"{subject} is forbidden: {what}", details)


def _attempt(user: UserInfo, info: RequestInfo) -> str:
    who = f"User {quote(user.name)} cannot {info.verb}"
    if not info.is_resource:
        return f"{who} path {quote(info.path)}"
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = "at the cluster scope"
    if info.namespace:
        where = f"in the namespace {quote(info.namespace)}"
    return f"{who} resource {quote(resource)} in API group {quote(info.group)} {where}"
