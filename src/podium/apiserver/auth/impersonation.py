"""Acting as somebody else: the ``Impersonate-*`` headers. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/filters/impersonation.go``. Each part of the identity asked
for is a resource that the real user must be allowed to ``impersonate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from podium.api.user import AUTHENTICATED, UserInfo
from podium.apiserver.paths import RequestInfo

USER, GROUP, UID, EXTRA = (
    "impersonate-user",
    "impersonate-group",
    "impersonate-uid",
    "impersonate-extra-",
)
_ACCOUNT = "system:serviceaccount:"


class NoUserToImpersonate(Exception):
    """Groups, a uid or extra were asked for, but no user."""


@dataclass(frozen=True, slots=True)
class Impersonation:
    """The identity asked for, and the permissions it takes."""

    user: UserInfo
    needs: tuple[RequestInfo, ...]


def requested(headers: Iterable[tuple[str, str]]) -> Impersonation | None:
    """Return what *headers* ask for, None when nothing. Raises NoUserToImpersonate."""
    name, uid = "", ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for header, value in headers:
        key = header.lower()
        if not key.startswith("impersonate-"):
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
    needs = _needs(name, groups, uid, extra)
    return Impersonation(_identity(name, groups, uid, extra), tuple(needs))


def _identity(name: str, groups: list[str], uid: str, extra: Mapping[str, list[str]]) -> UserInfo:
    if name.startswith(_ACCOUNT) and not groups:
        namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if name != "system:anonymous" and AUTHENTICATED not in groups:
        groups = [*groups, AUTHENTICATED]
    elif name == "system:anonymous" and "system:unauthenticated" not in groups:
        groups = [*groups, "system:unauthenticated"]
    return UserInfo(name, tuple(groups), uid, {key: tuple(vals) for key, vals in extra.items()})


def _needs(
    name: str, groups: list[str], uid: str, extra: Mapping[str, list[str]]
) -> Iterable[RequestInfo]:
    base = RequestInfo("GET", "", "impersonate", True, "", "v1")
    if name.startswith(_ACCOUNT) and name.count(":") == 3:
        namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
        yield replace(base, resource="serviceaccounts", namespace=namespace, name=account)
    else:
        yield replace(base, resource="users", name=name)
    for group in groups:
        yield replace(base, resource="groups", name=group)
    authentication = replace(base, group="authentication.k8s.io")
    if uid:
        yield replace(authentication, resource="uids", name=uid)
    for key, values in extra.items():
        for value in values:
            yield replace(authentication, resource="userextras", subresource=key, name=value)
