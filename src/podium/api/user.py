"""Who makes a request."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class UserInfo(msgspec.Struct, frozen=True):
    """An authenticated user, as ``authentication.k8s.io/v1`` ``UserInfo`` describes one."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


#: The group of everybody who has said who they are.
AUTHENTICATED = "system:authenticated"
#: Key of a user's extra: the certificate or token that was shown.
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
#: Key of a service account's extra: the node that its Pod is on.
NODE_NAME_EXTRA = "authentication.kubernetes.io/node-name"
#: Group and names of the nodes' own users.
NODE_GROUP = "system:nodes"
NODE_USER_PREFIX = "system:node:"


def is_node(user: UserInfo) -> bool:
    """Whether *user* is a node, be it one without a name."""
    return NODE_GROUP in user.groups and user.name.startswith(NODE_USER_PREFIX)


def node_name(user: UserInfo) -> str:
    """Return the name of the node that *user* is, "" for everybody else."""
    return user.name.removeprefix(NODE_USER_PREFIX) if is_node(user) else ""


#: The API server itself; whoever else has its name is not this object.
SERVER = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))
ANONYMOUS = UserInfo("system:anonymous", ("system:unauthenticated",))
