"""What ``kubectl debug`` makes, as upstream's makes it; recorded from kubectl 1.37."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from podium.kubectl.debugging import (
    Request,
    check_custom,
    ephemeral_container,
    lacks_root,
    node_pod,
    pod_copy,
)
from podium.kubectl.errors import CommandError
from podium.kubectl.main import main
from support.apiserver import running_apiserver

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
PROBE = {"exec": {"command": ["x"]}}
NETWORK = {"capabilities": {"add": ["NET_ADMIN"]}}
POD: dict[str, Any] = {
    "metadata": {
        "name": "t", "namespace": "n", "labels": {"app": "t"}, "annotations": {"k": "v"}
    },
    "spec": {
        "nodeName": "node",
        "initContainers": [{"name": "i", "image": "ix"}],
        "containers": [
            {"name": "c", "image": "iy", "args": ["a"], "livenessProbe": PROBE,
             "startupProbe": PROBE, "securityContext": NETWORK},
            {"name": "d", "image": "iz"},
        ],
        "ephemeralContainers": [{"name": "e", "image": "ie"}],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "context"),
    [
        ("general", {"capabilities": {"add": ["SYS_PTRACE"]}}),
        ("baseline", None),
        ("restricted", RESTRICTED),
        ("netadmin", {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}),
        ("sysadmin", {"privileged": True}),
        ("legacy", None),
    ],
)
def test_a_container_beside_others(profile: str, context: Any):
    request = Request(image="busybox", profile=profile, command=("sh",), stdin=True, target="c")
    found = ephemeral_container(request, "debugger-1")
    assert found.pop("securityContext", None) == context
    assert found == {
        "name": "debugger-1", "image": "busybox", "command": ["sh"], "stdin": True,
        "targetContainerName": "c", "terminationMessagePolicy": "File",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "context", "host", "mounted"),
    [
        ("general", None, True, True),
        ("baseline", None, False, False),
        ("restricted", RESTRICTED, False, False),
        ("netadmin", {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}, True, False),
        ("sysadmin", {"privileged": True}, True, True),
        ("legacy", None, True, True),
    ],
)
def test_on_a_node(profile: str, context: Any, host: bool, mounted: bool):
    pod = node_pod(Request(image="busybox", profile=profile), "node", "node-debugger-node-1")
    spec = pod["spec"]
    [container] = spec["containers"]
    assert container.get("securityContext") == context
    assert [spec.get(key, False) for key in ("hostNetwork", "hostPID", "hostIPC")] == [host] * 3
    assert [one["mountPath"] for one in container.get("volumeMounts", ())] == ["/host"] * mounted
    assert [one["hostPath"] for one in spec.get("volumes", ())] == [{"path": "/"}] * mounted
    assert (spec["nodeName"], spec["restartPolicy"]) == ("node", "Never")
    assert spec["tolerations"] == [{"operator": "Exists"}]


def test_a_copy_with_one_more():
    before = copy.deepcopy(POD)
    request = Request(image="busybox", copy_to="t2", env=[("A", "b")])
    made = pod_copy(request, POD, "debugger")
    assert before == POD
    assert made["metadata"] == {"name": "t2", "namespace": "n"}
    spec = made["spec"]
    assert spec["shareProcessNamespace"] is True
    assert {"nodeName", "ephemeralContainers"}.isdisjoint(spec)
    first, _, added = spec["containers"]
    assert {"livenessProbe", "startupProbe"}.isdisjoint(first)
    assert added == {
        "name": "debugger", "image": "busybox", "terminationMessagePolicy": "File",
        "env": [{"name": "A", "value": "b"}],
        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
    }  # fmt: skip


def test_a_copy_with_one_changed():
    request = Request(copy_to="t2", command=("q",), share_processes=False, same_node=True,
                      keep=frozenset({"labels", "startupProbe"}))  # fmt: skip
    made = pod_copy(request, POD, "c")
    assert made["metadata"]["labels"] == {"app": "t"}
    assert "annotations" not in made["metadata"]
    assert made["spec"]["shareProcessNamespace"] is False
    assert made["spec"]["nodeName"] == "node"
    assert made["spec"]["containers"][0] == {
        "name": "c", "image": "iy", "command": ["q"], "startupProbe": PROBE,
        "securityContext": {"capabilities": {"add": ["NET_ADMIN", "SYS_PTRACE"]}},
    }  # fmt: skip


def test_a_copy_with_other_images():
    request = Request(copy_to="t2", set_images={"*": "busybox", "d": "q"})
    made = pod_copy(request, POD, "")
    assert [one["image"] for one in made["spec"]["containers"]] == ["busybox", "q"]
    assert made["metadata"]["labels"] == {"app": "t"}
    assert made["spec"]["containers"][0]["livenessProbe"] == PROBE


def test_custom_profiles():
    custom = {"env": [{"name": "A", "value": "b"}], "securityContext": {"runAsUser": 0}}
    found = ephemeral_container(Request(image="x", custom=custom), "e")
    assert found["env"] == [{"name": "A", "value": "b"}]
    assert found["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}, "runAsUser": 0}
    with pytest.raises(CommandError, match="not modifiable via custom profile"):
        check_custom({"image": "y"})


@pytest.mark.parametrize(
    ("user", "context", "lacks"),
    [
        (1000, {"privileged": True}, True),
        (1000, {"capabilities": {"add": ["X"]}}, True),
        (1000, {"capabilities": {"add": ["X"]}, "runAsUser": 0}, False),
        (1000, {"capabilities": {"drop": ["X"]}}, False),
        (0, {"privileged": True}, False),
        (None, {"privileged": True}, False),
    ],
)
def test_rights_that_a_user_cannot_use(user: int | None, context: Any, lacks: bool):
    pod = {"spec": {"securityContext": {"runAsUser": user}}}
    assert lacks_root(pod, {"securityContext": context}) is lacks


async def test_a_container_that_is_there_is_not_said_to_be_made(tmp_path, monkeypatch, capsys):
    """What is patched into it changes nothing, and the server lets it pass."""
    async with running_apiserver(tmp_path) as api, api.session() as session:
        accounts, pods = (f"/api/v1/namespaces/default/{kind}" for kind in
                          ("serviceaccounts", "pods"))  # fmt: skip
        await session.post(accounts, json={"metadata": {"name": "default"}})
        spec = {"containers": [{"name": "c", "image": "i"}]}
        await session.post(pods, json={"metadata": {"name": "t"}, "spec": spec})
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig()))
        words = ["debug", "t", "--image=x", "-c", "e"]
        assert await asyncio.to_thread(main, words) == 0
        assert await asyncio.to_thread(main, words) == 1
    assert capsys.readouterr().err == (
        'The Pod "t" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral '
        'containers "e" may not be changed\n'
    )
