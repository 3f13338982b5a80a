"""Unmodified kubectls against the server alone: what they read of its descriptions of itself."""

import asyncio
import json
import os
from typing import Any

import pytest

from support.apiserver import RunningApiServer
from support.cluster import KUBECTL, OLDEST_AND_NEWEST

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: "1"}
"""


async def kubectl(
    api: RunningApiServer, version: str, *arguments: str, stdin: str = ""
) -> tuple[int, str, str]:
    environment = os.environ | {
        "KUBECONFIG": str(api.kubeconfig()),
        "HOME": str(api.directory),  # where discovery is cached
    }
    process = await asyncio.create_subprocess_exec(
        KUBECTL[version],
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(params=OLDEST_AND_NEWEST)
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    assert KUBECTL[chosen].exists(), "make install-test puts it there"
    return chosen


async def test_explain(api: RunningApiServer, version: str) -> None:
    code, out, err = await kubectl(api, version, "explain", "pod.spec.containers.ports")
    assert (code, err) == (0, "")
    assert "FIELD: ports <[]ContainerPort>" in out
    assert "containerPort\t<integer> -required-" in out


async def test_apply_knows_which_fields_there_are(api: RunningApiServer, version: str) -> None:
    """The server is asked to look for unknown fields, because its OpenAPI says that it can."""
    code, out, err = await kubectl(
        api, version, "apply", "-f", "-", stdin=CONFIGMAP + "colour: red\n"
    )
    assert (code, out) == (1, "")
    assert err.endswith(
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
        'strict decoding error: unknown field "colour"\n'
    )


async def test_apply_again(api: RunningApiServer, version: str) -> None:
    changed = CONFIGMAP.replace("1", "2", 2).replace("v2", "v1")
    for text, word in ((CONFIGMAP, "created"), (CONFIGMAP, "unchanged"), (changed, "configured")):
        found = await kubectl(api, version, "apply", "-f", "-", stdin=text)
        assert found == (0, f"configmap/a {word}\n", "")


async def test_moving_to_server_side_apply(api: RunningApiServer, version: str) -> None:
    """What client-side apply owned becomes the applier's, who can drop it without a conflict."""
    two = CONFIGMAP.replace('"1"', '"2"').replace("{k:", "{j: x, k:")
    await kubectl(api, version, "apply", "-f", "-", stdin=two)
    found = await kubectl(api, version, "apply", "--server-side", "-f", "-", stdin=CONFIGMAP)
    assert found == (0, "configmap/a serverside-applied\n", "")
    shown = await _configmap(api, version, "--show-managed-fields")
    assert shown["data"] == {"k": "1"}
    owners = {entry["manager"]: entry["operation"] for entry in shown["metadata"]["managedFields"]}
    assert owners == {"kubectl": "Apply", "kubectl-last-applied": "Apply"}
    assert "managedFields" not in (await _configmap(api, version))["metadata"]


async def test_server_side_apply_tells_conflicts_and_forces(
    api: RunningApiServer, version: str
) -> None:
    arguments = ("apply", "--server-side", "-f", "-")
    await kubectl(api, version, *arguments, stdin=CONFIGMAP)
    other = CONFIGMAP.replace('"1"', '"2"')
    code, _, err = await kubectl(api, version, *arguments, "--field-manager", "other", stdin=other)
    assert code == 1
    assert err.startswith('error: Apply failed with 1 conflict: conflict with "kubectl": .data.k\n')
    found = await kubectl(
        api, version, *arguments, "--field-manager", "other", "--force-conflicts", stdin=other
    )
    assert found == (0, "configmap/a serverside-applied\n", "")
    assert (await _configmap(api, version))["data"] == {"k": "2"}


async def test_commands_name_themselves_as_managers(api: RunningApiServer, version: str) -> None:
    await kubectl(api, version, "create", "configmap", "a", "--from-literal=k=1")
    await kubectl(api, version, "label", "configmap", "a", "x=y")
    shown = await _configmap(api, version, "--show-managed-fields")
    managers = [entry["manager"] for entry in shown["metadata"]["managedFields"]]
    assert managers == ["kubectl-create", "kubectl-label"]


async def _configmap(api: RunningApiServer, version: str, *arguments: str) -> dict[str, Any]:
    code, out, _ = await kubectl(api, version, "get", "configmap", "a", "-o", "json", *arguments)
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


async def test_what_it_makes_itself(api: RunningApiServer, version: str) -> None:
    """Newer ones send what they generate as protobuf."""
    made = "create", "namespace", "n"
    assert await kubectl(api, version, *made) == (0, "namespace/n created\n", "")
    literal = "create", "secret", "generic", "s", "--from-literal=k=v"
    assert await kubectl(api, version, *literal) == (0, "secret/s created\n", "")
    shown = await kubectl(api, version, "get", "secret", "s", "-o", "jsonpath={.data.k}")
    assert shown == (0, "dg==", "")


async def test_api_resources(api: RunningApiServer, version: str) -> None:
    code, out, err = await kubectl(api, version, "api-resources", "--no-headers")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert ["pods", "po", "v1", "true", "Pod"] in rows
    assert ["leases", "coordination.k8s.io/v1", "true", "Lease"] in rows


async def test_roles_and_questions(api: RunningApiServer, version: str) -> None:
    """Made, bound, asked about and shown by kubectl's own commands."""
    for made, word in (
        ("role r --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/r"),
        ("rolebinding b --role=r --user=jane", "rolebinding.rbac.authorization.k8s.io/b"),
        (
            "clusterrole c --verb=get --non-resource-url=/metrics",
            "clusterrole.rbac.authorization.k8s.io/c",
        ),
        (
            "clusterrolebinding d --clusterrole=c --group=g --serviceaccount=default:s",
            "clusterrolebinding.rbac.authorization.k8s.io/d",
        ),
        ("clusterrole e --aggregation-rule=a=b", "clusterrole.rbac.authorization.k8s.io/e"),
    ):
        found = await kubectl(api, version, "create", *made.split())
        assert found == (0, f"{word} created\n", "")
    jane = "--as=jane"
    async with asyncio.timeout(60):
        while await kubectl(api, version, "auth", "can-i", "list", "pods", jane) != (
            0,
            "yes\n",
            "",
        ):
            pass
    assert await kubectl(api, version, "auth", "can-i", "get", "pods", jane) == (0, "yes\n", "")
    assert await kubectl(api, version, "auth", "can-i", "watch", "pods", jane) == (1, "no\n", "")
    grouped = "auth", "can-i", "get", "/metrics", jane, "--as-group=g"
    assert await kubectl(api, version, *grouped) == (0, "yes\n", "")
    code, out, _ = await kubectl(api, version, "auth", "can-i", "--list", jane)
    assert (
        code,
        ["pods", "[]", "[]", "[get", "list]"] in [line.split() for line in out.split("\n")],
    ) == (0, True)
    code, out, _ = await kubectl(api, version, "auth", "whoami", jane)
    assert (code, "Username    jane" in out) == (0, True)
    code, out, _ = await kubectl(api, version, "get", "rolebindings", "-o", "wide", "--no-headers")
    assert (code, out.split()[:2], out.split()[3:]) == (0, ["b", "Role/r"], ["jane"])
