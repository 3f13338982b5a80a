"""May they: the one question asked of every request after it is known who makes it."""

from __future__ import annotations

from functools import lru_cache

from podium.api.errors import ApiError, failure
from podium.api.types.meta_v1 import StatusDetails
from podium.api.user import UserInfo, node_name
from podium.apiserver.auth import node_authorizer, roles
from podium.apiserver.auth.node_authorizer import PodReader
from podium.apiserver.auth.rules import PolicyRule, any_allows
from podium.apiserver.paths import Query, RequestInfo


class Authorizer:
    """Rules by user and group, and the nodes' own. Nothing allowed means refused."""

    def __init__(self, pods: PodReader) -> None:
        self._pods = pods

    async def authorize(self, user: UserInfo, info: RequestInfo, query: Query) -> None:
        """Raises ApiError (403)."""
        if any_allows(_rules(user.name, user.groups), info):
            return
        node = node_name(user)
        reason: str | None = ""
        if node:
            reason = await node_authorizer.refusal(node, info, query, self._pods)
        if reason is not None:
            raise forbidden(user, info, reason)


@lru_cache(maxsize=256)
def _rules(name: str, groups: tuple[str, ...]) -> tuple[PolicyRule, ...]:
    return roles.rules_for(UserInfo(name, groups))


def forbidden(user: UserInfo, info: RequestInfo, reason: str = "") -> ApiError:
    """Return the refusal as ``k8s.io/apiserver`` words it (``responsewriters.Forbidden``)."""
    what = _attempt(user, info)
    if reason:
        what = f"{what}: {reason}"
    if not info.is_resource:
        return failure(403, "Forbidden", f"forbidden: {what}", StatusDetails())
    qualified = f"{info.resource}.{info.group}" if info.group else info.resource
    subject = f'{qualified} "{info.name}"' if info.name else qualified
    details = StatusDetails(name=info.name, group=info.group, kind=info.resource)
    return failure(403, "Forbidden", f"{subject} is forbidden: {what}", details)


def _attempt(user: UserInfo, info: RequestInfo) -> str:
    if not info.is_resource:
        return f'User "{user.name}" cannot {info.verb} path "{info.path}"'
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return (
        f'User "{user.name}" cannot {info.verb} resource "{resource}" '
        f'in API group "{info.group}" {where}'
    )
