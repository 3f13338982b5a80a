"""Who gets in at the kubelet's door, asked of a real API server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding
from podium.kubelet.config import KubeletConfiguration, parse
from podium.kubelet.config_readers import ConfigError


def text(user: str, *subresources: str) -> str:
    listed = " ".join(subresources)
    return f"Forbidden (user={user}, verb=get, resource=nodes, subresource(s)=[{listed}])\n"


async def grant(node: Any, user: str, *resources: str, kind: str = "User") -> None:
    rule = {"apiGroups": [""], "resources": list(resources), "verbs": ["get"]}
    name = resources[0].replace("/", ":")
    role = from_plain(ClusterRole, {"metadata": {"name": name}, "rules": [rule]})
    subject = {"kind": kind, "name": user}
    if kind == "ServiceAccount":
        subject["namespace"] = "default"
    else:
        subject["apiGroup"] = "rbac.authorization.k8s.io"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    await node.client.create(scheme.CLUSTERROLES, role)
    await node.client.create(scheme.CLUSTERROLEBINDINGS, from_plain(ClusterRoleBinding, binding))


async def until_allowed(node: Any, path: str, **who: Any) -> None:
    """What was granted is known to the server a moment later, and here when the answer is old."""
    for _ in range(500):
        if (await node.fetch(path, **who))[0] != 403:
            return
        await node.pass_time(31)
        await asyncio.sleep(0)
    raise AssertionError(await node.fetch(path, **who))


async def test_certificates(node):
    assert (await node.fetch("/healthz"))[0] == 200
    assert (await node.fetch("/healthz", user="root", groups=["system:masters"]))[0] == 200
    assert await node.fetch("/healthz", user="bob") == (403, text("bob", "healthz", "proxy"))
    assert await node.fetch("/stats/summary", user="bob") == (403, text("bob", "stats"))
    assert await node.fetch("/", user="bob") == (403, text("bob", "proxy"))
    assert await node.fetch("/healthz", user="") == (401, "Unauthorized")


async def test_what_is_granted_is_what_one_may(node):
    await grant(node, "bob", "nodes/healthz")
    await until_allowed(node, "/healthz", user="bob")
    assert await node.fetch("/pods", user="bob") == (403, text("bob", "pods", "proxy"))
    await grant(node, "bob", "nodes/proxy")
    await until_allowed(node, "/pods", user="bob")
    assert await node.fetch("/stats/summary", user="bob") == (403, text("bob", "stats"))


async def test_answers_are_kept(node):
    """A refusal for half a minute, a permission for five."""
    bob = {"user": "bob"}
    assert (await node.fetch("/healthz", **bob))[0] == 403
    await grant(node, "bob", "nodes/healthz")
    await node.pass_time(29)
    assert (await node.fetch("/healthz", **bob))[0] == 403
    await until_allowed(node, "/healthz", **bob)
    await node.client.delete(scheme.CLUSTERROLEBINDINGS, "nodes:healthz")
    await node.pass_time(269)
    assert (await node.fetch("/healthz", **bob))[0] == 200
    for _ in range(500):
        await node.pass_time(301)
        if (await node.fetch("/healthz", **bob))[0] == 403:
            return
    raise AssertionError("what was taken back is still granted")


async def token_of(node: Any) -> str:
    from podium.api.types.authentication_v1 import TokenRequest

    asked = from_plain(TokenRequest, {"spec": {"audiences": []}})
    found = await node.client.create_subresource(
        scheme.SERVICEACCOUNTS, "default", "token", asked, "default"
    )
    token: str = found.status.token
    return token


async def test_bearer_tokens(node):
    token = await token_of(node)
    name = "system:serviceaccount:default:default"
    assert await node.fetch("/healthz", token=token) == (403, text(name, "healthz", "proxy"))
    await grant(node, "default", "nodes/healthz", kind="ServiceAccount")
    await until_allowed(node, "/healthz", token=token)
    assert await node.fetch("/healthz", token="nonsense") == (401, "Unauthorized")


async def configured(node: Any, **fields: Any) -> None:
    version = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    node.config = parse({**version, **fields}, node.config)
    await node.start()


async def test_nobody_known(idle_node):
    await configured(idle_node, authentication={"anonymous": {"enabled": True}})
    refused = text("system:anonymous", "healthz", "proxy")
    assert await idle_node.fetch("/healthz", user="") == (403, refused)
    assert await idle_node.fetch("/healthz", token="nonsense") == (401, "Unauthorized")


async def test_everybody_may(idle_node):
    await configured(
        idle_node, authorization={"mode": "AlwaysAllow"},
        authentication={"webhook": {"enabled": False}},
    )  # fmt: skip
    assert (await idle_node.fetch("/healthz", user="bob"))[0] == 200
    token = await token_of(idle_node)
    assert await idle_node.fetch("/healthz", token=token) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"authorization": {"mode": "Never"}}, "authorization.mode: must be"),
        ({"authentication": {"x509": {"caFile": "x"}}}, "authentication.x509.caFile: this field"),
        ({"authentication": {"webhook": 1}}, "authentication.webhook: must be a map"),
    ],
)
def test_configurations_that_are_wrong(fields: dict[str, Any], says: str):
    version = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    with pytest.raises(ConfigError, match=says):
        parse({**version, **fields})


def test_the_defaults_are_upstreams():
    auth = KubeletConfiguration().auth
    assert (auth.anonymous, auth.tokens, auth.mode) == (False, True, "Webhook")
    assert (auth.token_ttl, auth.authorized_ttl, auth.unauthorized_ttl) == (120, 300, 30)
