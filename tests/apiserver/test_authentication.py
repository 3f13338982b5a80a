"""Who gets in, over a real handshake."""

import base64
import hashlib
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer
from support.pki import Authority, Pair

ACCOUNT = "/api/v1/namespaces/default/serviceaccounts"
PODS = "/api/v1/namespaces/default/pods"


async def get(session: ClientSession, path: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.get(path, headers=named) as response:
        found = await response.json(content_type=None)
        return response.status, found.get("message", "")


@pytest.mark.parametrize(
    "path",
    [
        "/version",
        "/livez",
        "/readyz",
        "/healthz",
        "/openid/v1/jwks",
        "/.well-known/openid-configuration",
    ],
)
async def test_anybody_may_read(api: RunningApiServer, path: str) -> None:
    await api.healthy()
    async with api.session(anonymous=True) as session, session.get(path) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/apis",
        PODS,
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/livez/ping",
        "/nothing",
    ],
)
async def test_everything_else_needs_a_name(api: RunningApiServer, path: str) -> None:
    async with api.session(anonymous=True) as session:
        assert await get(session, path) == (401, "Unauthorized")


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer a.b.c", "Basic YTpi"])
async def test_credentials_that_do_not_hold(api: RunningApiServer, header: str) -> None:
    async with api.session(anonymous=True) as session:
        assert await get(session, PODS, Authorization=header) == (401, "Unauthorized")


async def test_the_certificate_names_the_user_and_the_groups(api: RunningApiServer) -> None:
    async with api.session("jane", ["developers"]) as session:
        code, message = await get(session, PODS)
    assert code == 403
    assert message == (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
        'in the namespace "default"'
    )


async def test_certificates_of_others_are_refused(api: RunningApiServer, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other").client("admin", ["system:masters"])
    await refuses(api, stranger)


async def test_expired_certificates_are_refused(api: RunningApiServer) -> None:
    await refuses(api, api.authority.client("admin", ["system:masters"], timedelta(seconds=-1)))


async def refuses(api: RunningApiServer, pair: Pair) -> None:
    connector = aiohttp.TCPConnector(ssl=api.ssl_context(pair))
    async with ClientSession(api.server, connector=connector) as session:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await session.get(PODS)


async def test_impersonation(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session("jane", []) as jane:
        code, message = await get(admin, PODS, Impersonate_User="jane")
        assert code == 403
        assert 'User "jane" cannot list' in message
        as_master = {"Impersonate_User": "x", "Impersonate_Group": "system:masters"}
        assert (await get(admin, PODS, **as_master))[0] == 200
        code, message = await get(jane, PODS, **as_master)
        assert code == 403
        assert message == (
            'users "x" is forbidden: User "jane" cannot impersonate resource "users" '
            'in API group "" at the cluster scope'
        )
        async with admin.get(PODS, headers={"Impersonate-Group": "g"}) as response:
            assert response.status == 500
            assert await response.text() == (
                f'Internal Server Error: "{PODS}": '
                "requested [{Group  g    }] without impersonating a user\n"
            )


async def test_impersonation_for_one_action_only(api: RunningApiServer) -> None:
    rules = [
        {
            "apiGroups": ["authentication.k8s.io"],
            "resources": ["users"],
            "resourceNames": ["joe"],
            "verbs": ["impersonate:user-info"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["impersonate-on:user-info:list"]},
    ]
    group = "rbac.authorization.k8s.io"
    async with api.session() as admin, api.session("jane", []) as jane:
        for name, user, own in (
            ("impersonator", "jane", rules),
            ("lister", "joe", [{"apiGroups": [""], "resources": ["*"], "verbs": ["list"]}]),
        ):
            role = {"metadata": {"name": name}, "rules": own}
            binding = {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
            }
            for plural, body in (("clusterroles", role), ("clusterrolebindings", binding)):
                async with admin.post(f"/apis/{group}/v1/{plural}", json=body) as response:
                    assert response.status == 201, await response.text()
        assert (await get(jane, PODS, Impersonate_User="joe"))[0] == 200
        code, message = await get(jane, ACCOUNT, Impersonate_User="joe")
        assert (code, message) == (
            403,
            'users "joe" is forbidden: User "jane" cannot impersonate resource "users" '
            'in API group "" at the cluster scope',
        )
        assert (await get(jane, PODS, Impersonate_User="jim"))[0] == 403


# -------------------------------------------------------------------- service accounts


async def account(session: ClientSession, name: str = "robot") -> str:
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    async with session.post(ACCOUNT, json=body) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["metadata"]["uid"])


async def token(session: ClientSession, name: str = "robot", **spec: Any) -> dict[str, Any]:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    async with session.post(f"{ACCOUNT}/{name}/token", json=body) as response:
        found: dict[str, Any] = await response.json()
        return found | {"http": response.status}


async def test_a_token_is_who_its_account_is(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        made = await token(admin)
        assert made["http"] == 201
        assert made["spec"]["expirationSeconds"] == 3600
        bearer = f"Bearer {made['status']['token']}"
        code, message = await get(robot, PODS, Authorization=bearer)
        assert code == 403
        assert 'User "system:serviceaccount:default:robot" cannot list' in message
        assert (await get(robot, "/api", Authorization=bearer))[0] == 200


async def test_a_token_dies_with_its_account(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        bearer = f"Bearer {(await token(admin))['status']['token']}"
        assert (await get(robot, "/api", Authorization=bearer))[0] == 200
        async with admin.delete(f"{ACCOUNT}/robot"):
            pass
        assert (await get(robot, "/api", Authorization=bearer))[0] == 401
        await account(admin)  # another one of the same name
        assert (await get(robot, "/api", Authorization=bearer))[0] == 401


async def test_a_token_dies_with_the_secret_it_is_bound_to(api: RunningApiServer) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        async with admin.post(secrets, json=secret) as response:
            uid = (await response.json())["metadata"]["uid"]
        ref = {"kind": "Secret", "apiVersion": "v1", "name": "s"}
        made = (await token(admin, boundObjectRef=ref))["status"]["token"]
        claims = jwt.decode(made, options={"verify_signature": False})
        assert claims["kubernetes.io"]["secret"] == {"name": "s", "uid": uid}
        assert (await get(robot, "/api", Authorization=f"Bearer {made}"))[0] == 200
        async with admin.delete(f"{secrets}/s"):
            pass
        assert (await get(robot, "/api", Authorization=f"Bearer {made}"))[0] == 401


async def test_a_token_dies_with_the_pod_or_node_it_is_bound_to(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        spec = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "robot"}
        pod = {"metadata": {"name": "p"}, "spec": spec | {"automountServiceAccountToken": False}}
        for kind, path, body in (
            ("Pod", PODS, pod),
            ("Node", "/api/v1/nodes", {"metadata": {"name": "n"}}),
        ):
            async with admin.post(path, json=body) as response:
                found = (await response.json())["metadata"]
            ref = {"kind": kind, "apiVersion": "v1", "name": found["name"], "uid": found["uid"]}
            made = (await token(admin, boundObjectRef=ref))["status"]["token"]
            bearer = f"Bearer {made}"
            assert (await get(robot, "/api", Authorization=bearer))[0] == 200
            async with admin.delete(f"{path}/{found['name']}", params={"gracePeriodSeconds": 0}):
                pass
            assert (await get(robot, "/api", Authorization=bearer))[0] == 401
            assert await review(admin, made) == (
                "[invalid bearer token, service account token has been invalidated]"
            )


async def review(session: ClientSession, text: str) -> str:
    """Return what a TokenReview finds wrong with a token."""
    body = {"spec": {"token": text}}
    async with session.post("/apis/authentication.k8s.io/v1/tokenreviews", json=body) as response:
        status = (await response.json())["status"]
    return str(status.get("error", ""))


async def test_whoami_tells_the_certificate_and_the_token(api: RunningApiServer) -> None:
    async def extra(session: ClientSession, **headers: str) -> dict[str, list[str]]:
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        async with session.post(path, json={}, headers=headers) as response:
            found: dict[str, list[str]] = (await response.json())["status"]["userInfo"]["extra"]
            return found

    pem = api.pair("jane", ["a"]).cert.read_text()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    async with api.session("jane", ["a"]) as jane:
        assert await extra(jane) == {
            "authentication.kubernetes.io/credential-id": [f"X509SHA256={digest}"]
        }
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        made = (await token(admin))["status"]["token"]
        claims = jwt.decode(made, options={"verify_signature": False})
        assert await extra(robot, Authorization=f"Bearer {made}") == {
            "authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]
        }


async def test_a_token_in_a_secret(api: RunningApiServer) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    async with api.session() as admin, api.session(anonymous=True) as robot:
        uid = await account(admin)
        made = legacy_token(api, uid)
        bearer = f"Bearer {made}"
        assert (await get(robot, "/api", Authorization=bearer))[0] == 401
        assert "Token has been invalidated" in await review(admin, made)
        secret = {
            "metadata": {
                "name": "robot-token",
                "annotations": {"kubernetes.io/service-account.name": "robot"},
            },
            "type": "kubernetes.io/service-account-token",
            "data": {"token": base64.b64encode(made.encode()).decode()},
        }
        async with admin.post(secrets, json=secret) as response:
            assert response.status == 201
        assert (await get(robot, "/api", Authorization=bearer))[0] == 200
        code, message = await get(robot, PODS, Authorization=bearer)
        assert (code, message.partition(" cannot")[0]) == (
            403,
            'pods is forbidden: User "system:serviceaccount:default:robot"',
        )
        async with admin.get(f"{secrets}/robot-token") as response:
            labels = (await response.json())["metadata"]["labels"]
        assert list(labels) == ["kubernetes.io/legacy-token-last-used"]
        marked = {"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "x"}}}
        other = {"data": {"token": base64.b64encode(b"another").decode()}}
        for change, why in (
            (marked, "has been marked invalid"),
            (other, "Token does not match server's copy"),
        ):
            kind = {"Content-Type": "application/merge-patch+json"}
            async with admin.patch(f"{secrets}/robot-token", json=change, headers=kind) as response:
                assert response.status == 200
            assert (await get(robot, "/api", Authorization=bearer))[0] == 401
            assert why in await review(admin, made)


def legacy_token(api: RunningApiServer, uid: str) -> str:
    prefix = "kubernetes.io/serviceaccount"
    claims = {
        "iss": "kubernetes/serviceaccount",
        "sub": "system:serviceaccount:default:robot",
        f"{prefix}/namespace": "default",
        f"{prefix}/secret.name": "robot-token",
        f"{prefix}/service-account.name": "robot",
        f"{prefix}/service-account.uid": uid,
    }
    return jwt.encode(claims, api.options.service_account_key_file.read_text(), "ES256")


async def test_a_token_for_others_does_not_open_this_door(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        made = (await token(admin, audiences=["vault"]))["status"]["token"]
        assert (await get(robot, "/api", Authorization=f"Bearer {made}"))[0] == 401


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        pytest.param(
            {"expirationSeconds": 60},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: '
            "Invalid value: 60: may not specify a duration less than 10 minutes",
            id="too-short",
        ),
        pytest.param(
            {"expirationSeconds": 4294967297},
            422,
            'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid '
            "value: 4294967297: may not specify a duration larger than 2^32 seconds",
            id="too-long",
        ),
        pytest.param(
            {"boundObjectRef": {"kind": "Pod", "name": "none"}},
            404,
            'pods "none" not found',
            id="no-such-pod",
        ),
        pytest.param(
            {"boundObjectRef": {"kind": "ConfigMap", "name": "none"}},
            400,
            "cannot bind token to object of type /, Kind=ConfigMap",
            id="other-kind",
        ),
    ],
)
async def test_refused_tokens(
    api: RunningApiServer, spec: dict[str, Any], code: int, message: str
) -> None:
    async with api.session() as session:
        await account(session)
        found = await token(session, **spec)
    assert (found["http"], found["message"]) == (code, message)


async def test_a_missing_account_has_no_tokens(api: RunningApiServer) -> None:
    async with api.session() as session:
        found = await token(session, "none")
    assert (found["http"], found["message"]) == (404, 'serviceaccounts "none" not found')


async def test_the_issuer_publishes_its_keys_to_accounts(api: RunningApiServer) -> None:
    async with api.session() as admin, api.session(anonymous=True) as robot:
        await account(admin)
        made = (await token(admin))["status"]["token"]
        headers = {"Authorization": f"Bearer {made}"}
        async with robot.get("/openid/v1/jwks", headers=headers) as response:
            keys = await response.json(content_type=None)
            assert response.headers["Content-Type"] == "application/jwk-set+json"
            assert response.headers["Cache-Control"] == "public, max-age=3600"
        async with robot.get("/.well-known/openid-configuration") as response:
            assert response.headers["Cache-Control"] == "public, max-age=3600"
            assert await response.json() == {
                "issuer": api.options.service_account_issuer,
                "jwks_uri": f"https://192.0.2.1:{api.port}/openid/v1/jwks",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
    key = jwt.PyJWK(keys["keys"][0])
    issuer = api.options.service_account_issuer
    assert jwt.decode(made, key, ["ES256"], audience=issuer)["iss"] == issuer
