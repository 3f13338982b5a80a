"""Acting as somebody else: the ``Impersonate-*`` headers. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/filters/impersonation``. Each part of the identity asked
for is a resource that the real user must be allowed to ``impersonate``; or he is allowed to only
for what he is about to do (*constrained*, KEP-5284), which is asked first.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from podium.api.user import (
    ANONYMOUS,
    AUTHENTICATED,
    NODE_NAME_EXTRA,
    NODE_USER_PREFIX,
    UserInfo,
)
from podium.apiserver.paths import RequestInfo

USER, GROUP, UID, EXTRA = (
    "impersonate-user",
    "impersonate-group",
    "impersonate-uid",
    "impersonate-extra-",
)
_PREFIX = "impersonate-"
_ACCOUNT = "system:serviceaccount:"
_UNAUTHENTICATED = ANONYMOUS.groups[0]
_AUTHENTICATION = "authentication.k8s.io"


class NoUserToImpersonate(Exception):
    """Groups, a uid or extra were asked for, but no user."""


class Impersonation(msgspec.Struct, frozen=True):
    """The identity asked for, the parts of it that the headers name, and the permissions they
    take."""

    user: UserInfo
    named: UserInfo
    needs: tuple[RequestInfo, ...]

    def constrained(self, by: UserInfo, info: RequestInfo) -> tuple[RequestInfo, ...]:
        """Return the permissions that are enough for *by* to do just what *info* is about; none
        where there is no such way."""
        mode = _mode(self.named.name, by)
        parts = tuple(_parts(self.named, _AUTHENTICATION))
        if mode != "user-info" and len(parts) > 1:
            return ()
        if mode == "associated-node":
            parts = (replace(parts[0], name="*"),)
        identity = tuple(replace(part, verb=f"impersonate:{mode}") for part in parts)
        return (replace(info, verb=f"impersonate-on:{mode}:{info.verb}"), *identity)


def is_asked(names: Iterable[str]) -> bool:
    """Whether some of the *names* of headers may be such: most requests have none."""
    return _PREFIX in "\n".join(names).lower()


def requested(headers: Iterable[tuple[str, str]]) -> Impersonation | None:
    """Return what *headers* ask for, None when nothing. Raises NoUserToImpersonate."""
    name, uid = "", ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for header, value in headers:
        key = header.lower()
        if not key.startswith(_PREFIX):
            continue
        if key == USER:
            name = value
        elif key == GROUP:
            groups.append(value)
        elif key == UID:
            uid = value
        elif key.startswith(EXTRA):
            extra.setdefault(unquote(key.removeprefix(EXTRA)), []).append(value)
    if not name:
        if groups or uid or extra:
            asked = [f"{{Group  {group}    }}" for group in groups]
            raise NoUserToImpersonate(f"requested [{' '.join(asked)}] without impersonating a user")
        return None
    values = {key: tuple(found) for key, found in extra.items()}
    named = UserInfo(name, tuple(groups), uid, values)
    user = replace(named, groups=tuple(_groups(name, groups)))
    return Impersonation(user, named, tuple(_parts(named, "")))


def _groups(name: str, groups: list[str]) -> list[str]:
    """Return the groups named, and those that follow from the name."""
    account = _account(name)
    if account is not None and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}"]
    if name == ANONYMOUS.name:
        return groups if _UNAUTHENTICATED in groups else [*groups, _UNAUTHENTICATED]
    if AUTHENTICATED in groups or _UNAUTHENTICATED in groups:
        return groups
    return [*groups, AUTHENTICATED]


def _account(name: str) -> tuple[str, str] | None:
    """Return namespace and name of the service account that is the user *name*."""
    parts = name.removeprefix(_ACCOUNT).split(":") if name.startswith(_ACCOUNT) else []
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def _mode(name: str, by: UserInfo) -> str:
    if _account(name) is not None:
        return "serviceaccount"
    if not name.startswith(NODE_USER_PREFIX):
        return "user-info"
    own = by.extra.get(NODE_NAME_EXTRA, ())
    return "associated-node" if name.removeprefix(NODE_USER_PREFIX) in own else "arbitrary-node"


def _parts(named: UserInfo, group: str) -> Iterable[RequestInfo]:
    """Yield what is impersonated, part by part, as resources of API group *group*.

    Without one it is the core's, as for the verb ``impersonate``, which knows no nodes.
    """
    base = RequestInfo("GET", "", "impersonate", True, group, "v1")
    account, node = _account(named.name), named.name.removeprefix(NODE_USER_PREFIX)
    if account is not None:
        yield replace(base, resource="serviceaccounts", namespace=account[0], name=account[1])
    elif group and node != named.name:
        yield replace(base, resource="nodes", name=node)
    else:
        yield replace(base, resource="users", name=named.name)
    for each in named.groups:
        yield replace(base, resource="groups", name=each)
    authentication = replace(base, group=_AUTHENTICATION)
    for key, values in sorted(named.extra.items()):
        for value in values:
            yield replace(authentication, resource="userextras", subresource=key, name=value)
    if named.uid:
        yield replace(authentication, resource="uids", name=named.uid)
