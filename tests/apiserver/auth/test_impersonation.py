"""As whom somebody acts, and what he needs for it."""

from __future__ import annotations

import pytest

from podium.api.user import UserInfo
from podium.apiserver.auth.impersonation import (
    Impersonation,
    NoUserToImpersonate,
    is_asked,
    requested,
)
from podium.apiserver.paths import RequestInfo

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ACCOUNT = "system:serviceaccount:ns:robot"
LIST_PODS = RequestInfo("GET", "", "list", True, "", "v1", "d", "pods")


def asked(name: str, *groups: str, uid: str = "", **extra: str) -> Impersonation:
    headers = [("Impersonate-User", name)]
    headers += [("impersonate-GROUP", group) for group in groups]
    headers += [("Impersonate-Uid", uid)] if uid else []
    headers += [(f"Impersonate-Extra-{key}", value) for key, value in extra.items()]
    headers.append(("Accept", "x"))
    assert is_asked(name for name, _ in headers)
    found = requested(headers)
    assert found is not None
    return found


def shown(info: RequestInfo) -> str:
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f"{info.namespace}/" if info.namespace else ""
    return f"{info.verb} {resource}.{info.group} {where}{info.name}"


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("jane", (), (AUTHENTICATED,)),
        ("jane", ("dev",), ("dev", AUTHENTICATED)),
        ("jane", (AUTHENTICATED, "dev"), (AUTHENTICATED, "dev")),
        ("jane", (UNAUTHENTICATED,), (UNAUTHENTICATED,)),
        ("system:anonymous", (), (UNAUTHENTICATED,)),
        ("system:anonymous", ("dev",), ("dev", UNAUTHENTICATED)),
        (ACCOUNT, (), ("system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED)),
        (ACCOUNT, ("dev",), ("dev", AUTHENTICATED)),
        ("system:serviceaccount:ns", (), (AUTHENTICATED,)),
        ("system:serviceaccount:ns:", (), (AUTHENTICATED,)),
    ],
)
def test_groups(name: str, groups: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert asked(name, *groups).user == UserInfo(name, expected)


def test_every_part_takes_a_permission() -> None:
    found = asked("jane", "dev", "ops", uid="7", **{"Scopes%2fMine": "read"})
    assert found.user.extra == {"scopes/mine": ("read",)}
    assert [shown(need) for need in found.needs] == [
        "impersonate users. jane",
        "impersonate groups. dev",
        "impersonate groups. ops",
        "impersonate userextras/scopes/mine.authentication.k8s.io read",
        "impersonate uids.authentication.k8s.io 7",
    ]
    assert [shown(need) for need in asked(ACCOUNT).needs] == [
        "impersonate serviceaccounts. ns/robot"
    ]
    assert [shown(need) for need in asked("system:node:n1").needs] == [
        "impersonate users. system:node:n1"
    ]


ON_NODE = UserInfo("agent", extra={"authentication.kubernetes.io/node-name": ("n1",)})


@pytest.mark.parametrize(
    ("by", "what", "expected"),
    [
        pytest.param(
            UserInfo("x"),
            asked("jane", "dev"),
            [
                "impersonate-on:user-info:list pods. d/",
                "impersonate:user-info users.authentication.k8s.io jane",
                "impersonate:user-info groups.authentication.k8s.io dev",
            ],
            id="user",
        ),
        pytest.param(
            UserInfo("x"),
            asked(ACCOUNT),
            [
                "impersonate-on:serviceaccount:list pods. d/",
                "impersonate:serviceaccount serviceaccounts.authentication.k8s.io ns/robot",
            ],
            id="service-account",
        ),
        pytest.param(UserInfo("x"), asked(ACCOUNT, "dev"), [], id="service-account-with-groups"),
        pytest.param(
            ON_NODE,
            asked("system:node:n2"),
            [
                "impersonate-on:arbitrary-node:list pods. d/",
                "impersonate:arbitrary-node nodes.authentication.k8s.io n2",
            ],
            id="another-node",
        ),
        pytest.param(
            ON_NODE,
            asked("system:node:n1"),
            [
                "impersonate-on:associated-node:list pods. d/",
                "impersonate:associated-node nodes.authentication.k8s.io *",
            ],
            id="ones-own-node",
        ),
    ],
)
def test_permissions_for_one_action_only(
    by: UserInfo, what: Impersonation, expected: list[str]
) -> None:
    assert [shown(need) for need in what.constrained(by, LIST_PODS)] == expected


def test_nothing_is_asked_for() -> None:
    assert requested([("Accept", "x"), ("Impersonate-Other", "y")]) is None


@pytest.mark.parametrize(
    "header", ["Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Scopes"]
)
def test_nobody_to_act_as(header: str) -> None:
    assert is_asked([header])
    with pytest.raises(NoUserToImpersonate):
        requested([(header, "x")])
