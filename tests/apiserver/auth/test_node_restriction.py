"""What the server lets a node write, over the wire, beside what it lets others write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.client.client import Client
from support.apiserver import RunningApiServer, running_apiserver

MIRROR = {"kubernetes.io/config.mirror": "x"}


class World:
    """Nodes n1 and n2, a Pod on each in namespace default; a client for the first node."""

    def __init__(self, api: RunningApiServer, admin: Client, node: Client) -> None:
        self.api, self.admin, self.node = api, admin, node
        self.uids: dict[str, str] = {}

    async def create(self, resource: scheme.Resource, document: dict[str, Any]) -> Any:
        import msgspec

        return await self.admin.create(resource, msgspec.convert(document, resource.type))

    async def add_pod(self, name: str, node: str, **spec: Any) -> None:
        document = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}], **spec},
        }
        self.uids[name] = (await self.create(scheme.PODS, document)).metadata.uid

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> str:
        """Return the message of a refusal of what the node asks for, "" when it is allowed."""
        async with (
            self.api.session("system:node:n1", ("system:nodes",)) as session,
            session.request(method, path, json=body, headers=headers) as response,
        ):
            answer = await response.json()
            assert response.status in (200, 201, 403, 404), answer
            return "" if response.ok else str(answer["message"])

    async def patch_refused(self, path: str, patch: Any) -> str:
        kind = "application/merge-patch+json"
        return await self.refused("PATCH", path, patch, **{"Content-Type": kind})


@asynccontextmanager
async def world(directory: Path) -> AsyncIterator[World]:
    async with (
        running_apiserver(directory) as api,
        Client(api.client_config()) as admin,
        Client(api.client_config("system:node:n1", ("system:nodes",))) as node,
    ):
        it = World(api, admin, node)
        account = {"metadata": {"name": "default", "namespace": "default"}}
        await it.create(scheme.SERVICEACCOUNTS, account)
        for name in ("n1", "n2"):
            made = await it.create(scheme.NODES, {"metadata": {"name": name}})
            it.uids[name] = made.metadata.uid
        await it.add_pod("mine", "n1")
        await it.add_pod("theirs", "n2")
        yield it


PODS = "/api/v1/namespaces/default/pods"


async def test_a_node_writes_the_status_of_its_own_pods_and_nothing_else_of_them(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as it:
        status = {"status": {"phase": "Running"}}
        assert await it.patch_refused(f"{PODS}/mine/status", status) == ""
        assert await it.patch_refused(f"{PODS}/theirs/status", status) == (
            'pods "theirs" is forbidden: node "n1" can only update pod status for pods with '
            "spec.nodeName set to itself"
        )
        labels = {"metadata": {"labels": {"a": "b"}}}
        assert await it.patch_refused(f"{PODS}/mine/status", labels) == (
            'pods "mine" is forbidden: node "n1" cannot update labels through pod status'
        )
        claims = {"status": {"resourceClaimStatuses": [{"name": "a", "resourceClaimName": "b"}]}}
        assert "cannot update resource claim statues" in await it.patch_refused(
            f"{PODS}/mine/status", claims
        )


async def test_a_node_deletes_and_evicts_its_own_pods(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        await it.add_pod("more", "n1")
        eviction = {"metadata": {"name": "theirs"}}
        assert await it.refused("POST", f"{PODS}/theirs/eviction", eviction) == (
            'pods "theirs" is forbidden: node n1 can only evict pods with spec.nodeName set to '
            "itself"
        )
        assert await it.refused("DELETE", f"{PODS}/theirs") == (
            'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to '
            "itself"
        )
        eviction = {"metadata": {"name": "more"}}
        assert await it.refused("POST", f"{PODS}/more/eviction", eviction) == ""
        assert await it.refused("DELETE", f"{PODS}/mine") == ""


def mirror(uid: str, **spec: Any) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": True}
    return {
        "metadata": {
            "name": "static-n1",
            "annotations": dict(MIRROR),
            "ownerReferences": [owner],
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], **spec},
    }


async def test_a_node_makes_mirror_pods_only(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        plain = mirror(it.uids["n1"])
        del plain["metadata"]["annotations"]
        assert await it.refused("POST", PODS, plain) == (
            'pods "static-n1" is forbidden: pod does not have "kubernetes.io/config.mirror" '
            'annotation, node "n1" can only create mirror pods'
        )
        assert await it.refused("POST", PODS, mirror(it.uids["n1"])) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"spec": {"nodeName": "n2"}},
            'node "n1" can only create pods with spec.nodeName set to itself',
            id="for-another-node",
        ),
        pytest.param(
            {"owners": []},
            'node "n1" can only create pods with an owner reference set to itself',
            id="of-nobody",
        ),
        pytest.param(
            {"owner": {"name": "n2"}},
            'node "n1" can only create pods with an owner reference set to itself',
            id="of-another",
        ),
        pytest.param(
            {"owner": {"controller": False}},
            'node "n1" can only create pods with a controller owner reference set to itself',
            id="not-managed",
        ),
        pytest.param(
            {"owner": {"blockOwnerDeletion": True}},
            'node "n1" must not set blockOwnerDeletion on an owner reference',
            id="blocking",
        ),
        pytest.param(
            {"owner": {"uid": "former"}}, "node n1 UID mismatch: expected former got ", id="former"
        ),
        pytest.param(
            {"spec": {"imagePullSecrets": [{"name": "s"}]}},
            "a mirror pod may not reference secrets",
            id="pull-secret",
        ),
        pytest.param(
            {"spec": {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}},
            'node "n1" can not create pods that reference configmaps',
            id="config-map",
        ),
        pytest.param(
            {"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}},
            'node "n1" can not create pods that reference persistentvolumeclaims',
            id="claim",
        ),
    ],
)
async def test_mirror_pods_that_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    async with world(tmp_path) as it:
        document = mirror(it.uids["n1"], **change.get("spec", {}))
        document["metadata"]["ownerReferences"][0] |= change.get("owner", {})
        if "owners" in change:
            document["metadata"]["ownerReferences"] = change["owners"]
        assert message in await it.refused("POST", PODS, document)


TOKEN = "/api/v1/namespaces/default/serviceaccounts/default/token"


def token_request(pod: str, uid: str, *audiences: str) -> dict[str, Any]:
    ref = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
    return {"spec": {"audiences": list(audiences), "boundObjectRef": ref}}


async def test_a_node_gets_tokens_for_its_own_pods(tmp_path: Path) -> None:
    refused = 'serviceaccounts "default" is forbidden: '
    async with world(tmp_path) as it:
        request = token_request("mine", it.uids["mine"])
        assert await it.refused("POST", TOKEN, request) == ""
        assert await it.refused("POST", TOKEN, {"spec": {}}) == (
            f"{refused}node requested token not bound to a pod"
        )
        assert await it.refused("POST", TOKEN, token_request("mine", "")) == (
            f"{refused}node requested token with a pod binding without a uid"
        )
        assert await it.refused("POST", TOKEN, token_request("gone", "x")) == (
            'pods "gone" not found'
        )
        assert (
            f"{refused}the UID in the bound object reference (x) does not match the UID in record."
            in await it.refused("POST", TOKEN, token_request("mine", "x"))
        )
        theirs = token_request("theirs", it.uids["theirs"])
        assert await it.refused("POST", TOKEN, theirs) == (
            f"{refused}node requested token bound to a pod scheduled on a different node"
        )


async def test_a_node_gets_tokens_for_audiences_that_its_pods_name(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        named = {"serviceAccountToken": {"audience": "vault", "path": "t"}}
        volumes = [
            {"name": "t", "projected": {"sources": [named]}},
            {"name": "c", "csi": {"driver": "csi.example.org"}},
        ]
        driver = {
            "metadata": {"name": "csi.example.org"},
            "spec": {"tokenRequests": [{"audience": "csi"}]},
        }
        await it.create(scheme.CSIDRIVERS, driver)
        await it.add_pod("vaulted", "n1", volumes=volumes)

        async def ask(*audiences: str) -> str:
            uid = it.uids["vaulted"]
            return await it.refused("POST", TOKEN, token_request("vaulted", uid, *audiences))

        assert await ask("vault") == await ask("csi") == ""
        assert await ask("vault", "csi") == (
            'serviceaccounts "default" is forbidden: node may only request 0 or 1 audiences'
        )
        assert await ask("bank") == (
            'serviceaccounts "default" is forbidden: audience "bank" not found in pod spec volume, '
            "system:node:n1 is not authorized to request tokens for this audience"
        )
        rule = {
            "verbs": ["request-serviceaccounts-token-audience"],
            "apiGroups": [""],
            "resources": ["bank"],
        }
        await it.create(scheme.CLUSTERROLES, {"metadata": {"name": "bank"}, "rules": [rule]})
        binding = {
            "metadata": {"name": "bank"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "bank",
            },
            "subjects": [
                {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Group",
                    "name": "system:nodes",
                }
            ],
        }
        await it.create(scheme.CLUSTERROLEBINDINGS, binding)
        assert await ask("bank") == ""


async def test_a_node_says_of_a_claim_how_large_it_is_and_no_more(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        claim = {
            "metadata": {"name": "claimed", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
        await it.create(scheme.PERSISTENTVOLUMECLAIMS, claim)
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "claimed"}}]
        await it.add_pod("claiming", "n1", volumes=volumes)
        path = "/api/v1/namespaces/default/persistentvolumeclaims/claimed/status"
        grown = {"status": {"capacity": {"storage": "1Gi"}}}
        assert await it.patch_refused(path, grown) == ""
        assert "is not allowed to update fields other than status.capacity" in (
            await it.patch_refused(path, {"status": {"phase": "Lost"}})
        )
        assert "is not allowed to update fields other than" in await it.patch_refused(
            path, {"metadata": {"labels": {"a": "b"}}}
        )


async def test_a_node_without_a_name_is_nobody(tmp_path: Path) -> None:
    async with world(tmp_path) as it, it.api.session("system:node:", ("system:nodes",)) as nobody:
        response = await nobody.get("/api/v1/nodes/n1")
        assert response.status == 403
        message = (await response.json())["message"]
        assert message.endswith(': unknown node for user "system:node:"')


async def test_a_node_reads_its_own_pods_and_no_others(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        found = await it.node.get(scheme.PODS, "mine", "default")
        assert found.metadata.uid == it.uids["mine"]
        with pytest.raises(ApiError) as caught:
            await it.node.get(scheme.PODS, "theirs", "default")
        assert caught.value.code == 403
        listed = await it.node.list(scheme.PODS, field_selector="spec.nodeName=n1")
        assert [pod.metadata.name for pod in listed.items] == ["mine"]
