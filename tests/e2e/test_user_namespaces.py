"""``hostUsers: false`` on a real cluster: root inside, nobody on the node."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from socket import SOCK_STREAM
from typing import Any

import pytest

from support.cluster import Cluster, cluster, eventually, pod
from support.echo import echoing, heard, pid_of
from support.outcomes import outcomes

IMAGE = "localhost/kuard:demo"
SETTINGS = {
    "kind": "KubeletConfiguration",
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "userNamespaces": {"idsPerPod": 131072},
    "allowedUnsafeSysctls": ["kernel.msg*"],
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, demo_image: Path) -> Iterator[Cluster]:
    """A cluster whose run directory everybody may pass, as /run is; pytest's are not."""
    run_dir = Path(tempfile.mkdtemp(prefix="podium-users-"))
    run_dir.chmod(0o711)
    settings = tmp_path_factory.mktemp("settings") / "kubelet.json"
    settings.write_text(json.dumps(SETTINGS))
    flags = ("--kubelet-config", str(settings), "--run-dir", str(run_dir / "run"))
    try:
        with cluster(tmp_path_factory.mktemp("own"), *flags) as made:
            made.podium("image", "load", str(demo_image))
            yield made
        assert list(run_dir.iterdir()) == []
    finally:
        shutil.rmtree(run_dir)


def users(script: str, **spec: Any) -> dict[str, Any]:
    own = {"name": "c", "image": IMAGE, "command": ["sh", "-c", f"exec 2>&1; {script}"]}
    return {"containers": [own | spec.pop("container", {})], "hostUsers": False, **spec}


MOUNTED = [
    {"name": "secret", "mountPath": "/secret"},
    {"name": "disk", "mountPath": "/disk"},
    {"name": "memory", "mountPath": "/memory"},
    {"name": "host", "mountPath": "/host"},
]


def test_root_in_the_pod_owns_what_root_owns(own: Cluster, tmp_path: Path):
    (tmp_path / "key").write_text("of the node\n")
    (tmp_path / "key").chmod(0o600)
    volumes = [
        {"name": "secret", "secret": {"secretName": "s", "defaultMode": 0o400, "optional": True}},
        {"name": "disk", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
        {"name": "host", "hostPath": {"path": str(tmp_path)}},
    ]
    pods = {
        "files": users(
            "cat /host/key; touch /host/new /disk/x /memory/x; stat -c %u /disk /memory /host/key; "
            "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; "
            "echo done > /dev/termination-log",
            volumes=volumes,
            container={"volumeMounts": MOUNTED},
        ),
        "numbers": users("cat /proc/self/uid_map; id -u", securityContext={"runAsUser": 1000}),
        "sysctl": users(
            "cat /proc/sys/kernel/msgmax",
            securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "4711"}]},
        ),
        "unmasked": users(
            "echo 1 > /proc/sys/net/ipv4/ip_forward && echo written; "
            "head -c 1 /proc/timer_list | wc -c",
            container={
                "securityContext": {"procMount": "Unmasked", "capabilities": {"add": ["NET_ADMIN"]}}
            },
        ),
        "privileged": users(
            "mount -t tmpfs x /tmp && echo mounted; echo 3 > /proc/sys/vm/drop_caches",
            container={"securityContext": {"privileged": True}},
        ),
    }
    seen = outcomes(own, "test-users", pods)
    files = seen["files"]
    assert files.lines == ["of the node", "0", "0", "0", "test-users"]
    assert files.status["containerStatuses"][0]["state"]["terminated"]["message"] == "done\n"
    assert (tmp_path / "new").stat().st_uid == 0
    inside, outside, length = (int(word) for word in seen["numbers"].lines[0].split())
    assert (inside, length, outside % 131072) == (0, 131072, 0)
    assert outside >= 131072
    assert seen["numbers"].lines[1] == "1000"
    assert seen["sysctl"].lines == ["4711"]
    assert seen["unmasked"].lines[0] == "written"
    assert seen["privileged"].lines[0] == "mounted"
    assert "drop_caches: Permission denied" in seen["privileged"].log


def test_it_outlives_the_node_and_leaves_nothing(own: Cluster):
    manifest = pod(
        "long", "sleep", "77300",
        hostUsers=False,
        shareProcessNamespace=True,
        terminationGracePeriodSeconds=0,
        container={
            "ports": [{"containerPort": 7}],
            "livenessProbe": {
                "exec": {"command": ["true"]},
                "periodSeconds": 1,
                "timeoutSeconds": 60,
            },
        },
    )  # fmt: skip
    own.apply(manifest)
    own.wait_ready("long")
    pid = pid_of("sleep 77300")
    uid = os.stat(f"/proc/{pid}").st_uid
    assert uid >= 65536
    address = own.get("pod", "long")["status"]["podIP"]
    own.stop(signal.SIGKILL)
    own.up()
    with echoing(pid, tcp=[7]):
        assert heard(SOCK_STREAM, address, 7)
    assert own.kubectl("exec", "long", "--", "id", "-u").stdout == "0\n"
    assert own.get("pod", "long")["status"]["containerStatuses"][0]["restartCount"] == 0
    own.kubectl("delete", "pod", "long")
    runtime = Path(own.flags[-1]) / "runtime"
    eventually(lambda: not list((runtime / "idmaps").iterdir()), "the end of its mounts")
    eventually(lambda: not list((runtime / "sandboxes").iterdir()), "the end of its namespaces")
    pods = own.data_dir / "kubelet/pods"
    eventually(lambda: not list(pods.iterdir()), "the end of its directory")
