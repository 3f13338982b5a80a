"""Who may do what, and who is who, asked over HTTP; what a token is worth."""

import asyncio
import base64
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from podium.api.user import UserInfo
from podium.apiserver.auth.static_tokens import BadTokenFile, load
from support.apiserver import RunningApiServer, running_apiserver

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
DEFAULT = f"{RBAC}/namespaces/default"
SELECTORS = "spec.resourceAttributes"
ISSUER = "https://kubernetes.default.svc.cluster.local"
PODS = {"namespace": "default", "verb": "list", "resource": "pods"}
READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


@pytest.fixture
async def admin(api: RunningApiServer) -> AsyncIterator[ClientSession]:
    async with api.session() as session:
        yield session


async def post(session: ClientSession, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.post(path, json=body, headers=named) as response:
        return response.status, await response.json()


async def put(session: ClientSession, path: str, body: Any) -> tuple[int, Any]:
    async with session.put(path, json=body) as response:
        return response.status, await response.json()


async def grant(admin: ClientSession, user: str, *rules: Any, name: str = "r") -> None:
    """Give *user* a Role in the namespace default, and wait until it holds."""
    role = {"metadata": {"name": name}, "rules": list(rules)}
    assert (await post(admin, f"{DEFAULT}/roles", role))[0] == 201
    await bind(admin, user, "Role", name)


async def bind(admin: ClientSession, user: str, kind: str, role: str) -> None:
    binding = {
        "metadata": {"name": f"{user}-{role}"},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": user}],
    }
    assert (await post(admin, f"{DEFAULT}/rolebindings", binding))[0] == 201


async def may(admin: ClientSession, user: str, what: dict[str, str]) -> Any:
    spec = {"user": user, "resourceAttributes": what}
    code, review = await post(admin, f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})
    assert code == 201
    return review["status"]


async def until_may(admin: ClientSession, user: str, what: dict[str, str]) -> Any:
    async with asyncio.timeout(60):
        while not (status := await may(admin, user, what))["allowed"]:
            await asyncio.sleep(0.01)
    return status


async def test_a_grant_is_found_with_its_reason(admin: ClientSession) -> None:
    assert await may(admin, "jane", PODS) == {"allowed": False}
    await grant(admin, "jane", READ_PODS)
    assert await until_may(admin, "jane", PODS) == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "jane-r/default" of Role "r" to User "jane"',
    }
    assert await may(admin, "jane", {**PODS, "namespace": "other"}) == {"allowed": False}


async def test_a_missing_role_is_the_reason(api: RunningApiServer, admin: ClientSession) -> None:
    await bind(admin, "jane", "ClusterRole", "gone")
    reason = 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    async with asyncio.timeout(60):
        while (status := await may(admin, "jane", PODS)) == {"allowed": False}:
            await asyncio.sleep(0.01)
    assert status == {"allowed": False, "reason": reason}
    async with (
        api.session("jane", ()) as session,
        session.get("/api/v1/namespaces/default/pods") as response,
    ):
        message = (await response.json())["message"]
    assert message == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
        f'in the namespace "default": {reason}'
    )


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("spec.nodeName", "n1", True),
        ("spec.nodeName", "n1,status.phase", False),
        ("a,spec.nodeName", "n1", False),
    ],
)
async def test_a_requirement_is_one_whatever_is_in_it(
    admin: ClientSession, key: str, value: str, allowed: bool
) -> None:
    selector = {"requirements": [{"key": key, "operator": "In", "values": [value]}]}
    node = {"user": "system:node:n1", "groups": ["system:nodes"]}
    spec = {**node, "resourceAttributes": {**PODS, "fieldSelector": selector}}
    code, review = await post(admin, f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})
    assert (code, review["status"]["allowed"]) == (201, allowed)


async def test_everybody_may_ask_about_himself(api: RunningApiServer) -> None:
    async with api.session("jane", ["developers"]) as jane:
        path = f"{AUTHORIZATION}/selfsubjectaccessreviews"
        code, review = await post(jane, path, {"spec": {"resourceAttributes": PODS}})
        assert (code, review["status"]) == (201, {"allowed": False})
        code, review = await post(jane, f"{AUTHENTICATION}/selfsubjectreviews", {})
        user = review["status"]["userInfo"]
        assert list(user.pop("extra")) == ["authentication.kubernetes.io/credential-id"]
        assert (code, user) == (
            201,
            {"username": "jane", "groups": ["developers", "system:authenticated"]},
        )
        code, _ = await post(jane, f"{AUTHORIZATION}/subjectaccessreviews", {"spec": {}})
        assert code == 403


@pytest.mark.parametrize(
    ("path", "spec", "message"),
    [
        (
            "subjectaccessreviews",
            {"user": "jane"},
            'spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes '
            "or resourceAttributes must be specified",
        ),
        (
            "subjectaccessreviews",
            {"resourceAttributes": PODS},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            "namespaces/default/localsubjectaccessreviews",
            {"user": "jane", "resourceAttributes": {**PODS, "namespace": "other"}},
            'spec.resourceAttributes.namespace: Invalid value: "other": must match '
            "metadata.namespace",
        ),
        (
            "namespaces/default/localsubjectaccessreviews",
            {"user": "jane", "nonResourceAttributes": {"path": "/x", "verb": "get"}},
            "spec.nonResourceAttributes: Invalid value: "
            'authorization.NonResourceAttributes{Path:"/x", Verb:"get"}: '
            "disallowed on this kind of request",
        ),
        (
            "subjectaccessreviews",
            {"user": "jane", "resourceAttributes": {**PODS, "fieldSelector": {}}},
            f"{SELECTORS}.fieldSelector.requirements: Required value: when "
            f"{SELECTORS}.fieldSelector is specified, requirements or rawSelector is required",
        ),
        (
            "selfsubjectaccessreviews",
            {
                "resourceAttributes": {
                    **PODS,
                    "fieldSelector": {"rawSelector": "x", "requirements": [{"operator": "New"}]},
                    "labelSelector": {"requirements": [{"key": "a", "operator": "In"}]},
                }
            },
            f'[{SELECTORS}.fieldSelector.rawSelector: Invalid value: "x": may not specified at '
            f"the same time as requirements, {SELECTORS}.fieldSelector.requirements[0].key: "
            f"Required value: must be specified, {SELECTORS}.labelSelector.requirements[0].values: "
            "Required value: must be specified when `operator` is 'In' or 'NotIn']",
        ),
    ],
)
async def test_what_cannot_be_asked(
    admin: ClientSession, path: str, spec: Any, message: str
) -> None:
    code, status = await post(admin, f"{AUTHORIZATION}/{path}", {"spec": spec})
    assert (code, status["message"]) == (
        422,
        f'.authorization.k8s.io "" is invalid: {message}',
    )


async def test_all_that_one_may(api: RunningApiServer, admin: ClientSession) -> None:
    await grant(admin, "jane", READ_PODS)
    await until_may(admin, "jane", PODS)
    async with api.session("jane", ()) as jane:
        path = f"{AUTHORIZATION}/selfsubjectrulesreviews"
        _, review = await post(jane, path, {"spec": {"namespace": "default"}})
    rules = review["status"]["resourceRules"]
    assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]} in rules
    assert review["status"]["incomplete"] is False


# ---------------------------------------------------------------------- escalation


async def test_nobody_grants_what_he_does_not_have(
    api: RunningApiServer, admin: ClientSession
) -> None:
    manage = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["create", "update"],
    }
    await grant(admin, "jane", manage, READ_PODS)
    await until_may(admin, "jane", PODS)
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "get"]}
    async with api.session("jane", ["developers"]) as jane:
        own = {"metadata": {"name": "own"}, "rules": [READ_PODS]}
        assert (await post(jane, f"{DEFAULT}/roles", own))[0] == 201
        more = {"metadata": {"name": "more"}, "rules": [READ_PODS, secrets]}
        code, status = await post(jane, f"{DEFAULT}/roles", more)
        refusal = (
            'user "jane" (groups=["developers" "system:authenticated"]) is attempting to grant '
            "RBAC permissions not currently held:\n"
            '{APIGroups:[""], Resources:["secrets"], Verbs:["list" "get"]}'
        )
        forbidden = "roles.rbac.authorization.k8s.io"
        assert (code, status["message"]) == (403, f'{forbidden} "more" is forbidden: {refusal}')
        own["rules"] = [secrets]
        code, status = await put(jane, f"{DEFAULT}/roles/own", own)
        assert (code, status["message"]) == (403, f'{forbidden} "own" is forbidden: {refusal}')

        binding = {
            "metadata": {"name": "b"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "jane"}],
        }
        code, status = await post(jane, f"{DEFAULT}/rolebindings", binding)
        assert code == 403
        assert status["message"].startswith(
            'rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "jane" '
        )
        binding["roleRef"] = {"kind": "Role", "name": "none"}
        code, status = await post(jane, f"{DEFAULT}/rolebindings", binding)
        missing = 'roles.rbac.authorization.k8s.io "none" not found'
        assert (code, status["message"]) == (404, missing)
        binding["roleRef"] = {"kind": "Role", "name": "own"}
        assert (await post(jane, f"{DEFAULT}/rolebindings", binding))[0] == 201


async def test_escalate_and_bind_lift_the_rule(api: RunningApiServer, admin: ClientSession) -> None:
    lifted = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["create", "escalate"],
    }
    bind_edit = {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles"],
        "resourceNames": ["system:aggregate-to-edit"],
        "verbs": ["bind"],
    }
    await grant(admin, "jane", lifted, bind_edit, READ_PODS)
    await until_may(admin, "jane", PODS)
    async with api.session("jane", ()) as jane:
        everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
        role = {"metadata": {"name": "all"}, "rules": [everything]}
        assert (await post(jane, f"{DEFAULT}/roles", role))[0] == 201
        for name, expected in (("system:aggregate-to-edit", 201), ("cluster-admin", 403)):
            binding = {
                "metadata": {"name": name},
                "roleRef": {"kind": "ClusterRole", "name": name},
                "subjects": [],
            }
            assert (await post(jane, f"{DEFAULT}/rolebindings", binding))[0] == expected


# ---------------------------------------------------------------------- tokens


async def review(admin: ClientSession, token: str, **spec: Any) -> Any:
    body = {"spec": {"token": token, **spec}}
    code, answer = await post(admin, f"{AUTHENTICATION}/tokenreviews", body)
    assert code == 201
    return answer["status"]


async def test_tokens_of_service_accounts(admin: ClientSession) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    assert (await post(admin, accounts, {"metadata": {"name": "robot"}}))[0] == 201
    _, answer = await post(admin, f"{accounts}/robot/token", {})
    token = answer["status"]["token"]
    status = await review(admin, token)
    assert status["authenticated"] is True
    assert status["user"]["username"] == "system:serviceaccount:default:robot"
    assert "authenticated" not in await review(admin, token, audiences=["other"])
    async with admin.delete(f"{accounts}/robot") as response:
        assert response.status == 200
    status = await review(admin, token)
    assert "authenticated" not in status
    assert status["error"].startswith("[invalid bearer token, ")


SIGNED = "eyJhbGciOiJFUzI1NiJ9", "c2ln" * 21 + "c2k"


def payload(**claims: Any) -> str:
    return urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param("x", "invalid bearer token", id="no-token"),
        pytest.param("a.b.c", "invalid bearer token", id="no-base64"),
        pytest.param(f"a.{payload(iss='me')}.c", "invalid bearer token", id="of-others"),
        pytest.param(f"{SIGNED[0]}.{payload(iss=ISSUER, exp=1)}.{SIGNED[1]}",
                     "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]",
                     id="forged"),
        pytest.param(f"a.{payload(iss=ISSUER)}.c", "invalid bearer token", id="with-a-bad-head"),
    ],
)  # fmt: skip
async def test_why_a_token_is_refused(admin: ClientSession, token: str, error: str) -> None:
    """Of a token that does not say that it is ours, nothing is told."""
    assert await review(admin, token) == {"error": error, "user": {}}


async def test_a_review_needs_a_token(admin: ClientSession) -> None:
    code, status = await post(admin, f"{AUTHENTICATION}/tokenreviews", {"spec": {}})
    assert (code, status["message"]) == (
        400,
        "token is required for TokenReview in authentication",
    )


def bootstrap_secret(**data: str) -> dict[str, Any]:
    values = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        **data,
    }
    return {
        "metadata": {"name": "bootstrap-token-abcdef"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
    }


@pytest.mark.parametrize(
    ("data", "groups"),
    [
        ({}, ["system:bootstrappers", "system:authenticated"]),
        (
            {"auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a"},
            [
                "system:bootstrappers",
                "system:bootstrappers:a",
                "system:bootstrappers:b",
                "system:authenticated",
            ],
        ),
        ({"expiration": "2999-01-01T00:00:00Z"}, ["system:bootstrappers", "system:authenticated"]),
        ({"expiration": "2001-01-01T00:00:00Z"}, None),
        ({"expiration": "soon"}, None),
        ({"usage-bootstrap-authentication": "false"}, None),
        ({"token-secret": "0123456789abcdeg"}, None),
        ({"token-id": "abcdeg"}, None),
        ({"auth-extra-groups": "system:masters"}, None),
    ],
    ids=str,
)
async def test_bootstrap_tokens(
    admin: ClientSession, data: dict[str, str], groups: list[str] | None
) -> None:
    secrets = "/api/v1/namespaces/kube-system/secrets"
    assert (await post(admin, secrets, bootstrap_secret(**data)))[0] == 201
    status = await review(admin, "abcdef.0123456789abcdef")
    if groups is None:
        assert "authenticated" not in status
    else:
        assert status["user"] == {"username": "system:bootstrap:abcdef", "groups": groups}


async def test_a_bootstrap_token_opens_the_door(
    api: RunningApiServer, admin: ClientSession
) -> None:
    secrets = "/api/v1/namespaces/kube-system/secrets"
    assert (await post(admin, secrets, bootstrap_secret()))[0] == 201
    bearer = {"Authorization": "Bearer abcdef.0123456789abcdef"}
    async with api.session(anonymous=True) as session:
        async with session.get("/api", headers=bearer) as response:
            assert response.status == 200
        bearer["Authorization"] += "0"
        async with session.get("/api", headers=bearer) as response:
            assert response.status == 401


async def test_tokens_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text('secret-1,jane,u-1,"a,b"\nsecret-2,admin,u-2,system:masters\n')
    async with (
        running_apiserver(tmp_path / "data", token_auth_file=file) as api,
        api.session(anonymous=True) as session,
    ):
        path = f"{AUTHENTICATION}/selfsubjectreviews"
        _, answer = await post(session, path, {}, Authorization="Bearer secret-1")
        assert answer["status"]["userInfo"] == {
            "username": "jane",
            "uid": "u-1",
            "groups": ["a", "b", "system:authenticated"],
        }
        admin = {"Authorization": "Bearer secret-2"}
        async with session.get("/api/v1/nodes", headers=admin) as response:
            assert response.status == 200
        stranger = {"Authorization": "Bearer secret-3"}
        async with session.get("/api/v1/nodes", headers=stranger) as response:
            assert response.status == 401


def test_what_a_token_file_may_say(tmp_path: Path) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text('a,jane,1\n\n,empty,2\nb, joe, 3, "x, y"\n')
    assert load(file) == {"a": UserInfo("jane", (), "1"), "b": UserInfo("joe", ("x", "y"), "3")}
    file.write_text("a,jane\n")
    with pytest.raises(BadTokenFile, match="must have at least 3 columns"):
        load(file)


# ---------------------------------------------------------------------- default roles


async def test_default_roles_come_back(tmp_path: Path) -> None:
    path = f"{RBAC}/clusterrolebindings/system:discovery"
    async with running_apiserver(tmp_path) as api, api.session() as admin:
        await api.settled.wait()
        async with admin.delete(path) as response:
            assert response.status == 200
        role = f"{RBAC}/clusterroles/system:public-info-viewer"
        async with admin.get(role) as response:
            changed = await response.json()
        changed["rules"] = [{"verbs": ["get"], "nonResourceURLs": ["/mine"]}]
        assert (await put(admin, role, changed))[0] == 200
    async with running_apiserver(tmp_path) as api, api.session() as admin:
        await api.settled.wait()
        async with admin.get(path) as response:
            assert response.status == 200
        async with admin.get(role) as response:
            urls = [
                url for rule in (await response.json())["rules"] for url in rule["nonResourceURLs"]
            ]
    assert urls == ["/mine", "/healthz", "/livez", "/readyz", "/version", "/version/"]


async def test_who_may_only_change_does_not_create(
    api: RunningApiServer, admin: ClientSession
) -> None:
    """A PUT or an apply of what is not there is a create, and takes that permission, too."""
    leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    maps = {"apiGroups": [""], "resources": ["configmaps"]}
    change = ["update", "patch"]
    await grant(admin, "jane", {**leases, "verbs": change}, {**maps, "verbs": change})
    asked = {"namespace": "default", "verb": "patch", "resource": "configmaps"}
    await until_may(admin, "jane", asked)
    lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/a"
    config = "/api/v1/namespaces/default/configmaps/a"

    async def tried(session: ClientSession) -> list[tuple[int, str]]:
        found = []
        meta = {"metadata": {"name": "a"}}
        code, status = await put(session, lease, meta)
        found.append((code, status.get("message", "")))
        applied = {"apiVersion": "v1", "kind": "ConfigMap", **meta}
        async with session.patch(
            config,
            params={"fieldManager": "m"},
            json=applied,
            headers={"Content-Type": "application/apply-patch+yaml"},
        ) as response:
            found.append((response.status, (await response.json()).get("message", "")))
        return found

    async with api.session("jane", ()) as jane:
        assert await tried(jane) == [
            (403, 'leases.coordination.k8s.io "a" is forbidden: '),
            (403, 'configmaps "a" is forbidden: '),
        ]
        assert await tried(admin) == [(201, ""), (201, "")]
        assert (await tried(jane))[1] == (200, "")
