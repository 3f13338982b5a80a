"""Who makes a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An authenticated user, as ``authentication.k8s.io/v1`` ``UserInfo`` describes one."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


#: Group and names of the nodes' own users.
NODE_GROUP = "system:nodes"
NODE_USER_PREFIX = "system:node:"


def node_name(user: UserInfo) -> str:
    """Return the name of the node that *user* is, "" for everybody else."""
    if NODE_GROUP in user.groups and user.name.startswith(NODE_USER_PREFIX):
        return user.name.removeprefix(NODE_USER_PREFIX)
    return ""


ANONYMOUS = UserInfo("system:anonymous", ("system:unauthenticated",))
