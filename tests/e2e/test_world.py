"""What containers of one Pod share, what they do not, and what bounds them."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from support.cluster import KUBECTL, Cluster, eventually, pod
from support.echo import pid_of

IMAGE = "localhost/kuard:demo"


def container(name: str, script: str) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script]}


def logs(shared: Cluster, namespace: str, name: str, of: str) -> str:
    printed = shared.kubectl("-n", namespace, "logs", name, "-c", of, check=False)
    return printed.stdout if printed.returncode == 0 else ""


def finished(shared: Cluster, namespace: str, *names: str) -> None:
    """Wait until Pods that run to an end have."""
    for name in names:
        shared.kubectl(
            "-n", namespace, "wait", f"pod/{name}", "--timeout=60s",
            "--for=jsonpath={.status.phase}=Succeeded",
        )  # fmt: skip


LOOK = "hostname; for n in net ipc uts mnt pid; do readlink /proc/self/ns/$n; done; sleep 1000"


def test_containers_of_a_pod_share_a_world_and_pods_do_not(shared: Cluster, namespace: str):
    pods = []
    for name in ("one", "two"):
        manifest = pod(name)
        manifest["spec"] |= {
            "containers": [container("a", LOOK), container("b", LOOK)],
            "terminationGracePeriodSeconds": 0,
        }
        pods.append({**manifest, "metadata": {"name": name, "namespace": namespace}})
    shared.apply(*pods)
    shared.wait_ready("one", "two", namespace=namespace)
    for name in ("one", "two"):
        for of in ("a", "b"):
            eventually(
                lambda name=name, of=of: len(logs(shared, namespace, name, of).split()) == 6,
                "a look around",
            )
    seen = {
        (name, of): dict(
            zip(
                ("hostname", "net", "ipc", "uts", "mnt", "pid"),
                logs(shared, namespace, name, of).split(),
                strict=False,
            )
        )
        for name in ("one", "two")
        for of in ("a", "b")
    }
    for shared_by_pod in ("hostname", "net", "ipc", "uts"):
        assert seen["one", "a"][shared_by_pod] == seen["one", "b"][shared_by_pod]
        assert seen["one", "a"][shared_by_pod] != seen["two", "a"][shared_by_pod]
    for own in ("mnt", "pid"):
        assert len({world[own] for world in seen.values()}) == 4
    for kind in ("net", "ipc", "uts"):
        host = str(Path(f"/proc/self/ns/{kind}").readlink())
        assert host not in {world[kind] for world in seen.values()}
    assert seen["one", "a"]["hostname"] == "one"


def test_localhost_and_shared_memory_between_containers(shared: Cluster, namespace: str):
    serve = "echo hello > /dev/shm/word; echo -e 'HTTP/1.0 200 OK\\n\\nhi' | nc -l -p 9000"
    ask = (
        "until [ -e /dev/shm/word ]; do sleep 0.1; done; cat /dev/shm/word; "
        "until wget -qO- http://127.0.0.1:9000/; do sleep 0.1; done"
    )
    manifest = pod("pair")
    manifest["metadata"]["namespace"] = namespace
    manifest["spec"] |= {
        "containers": [container("server", serve), container("client", ask)],
        "restartPolicy": "Never",
    }
    shared.apply(manifest)
    finished(shared, namespace, "pair")
    assert logs(shared, namespace, "pair", "client") == "hello\nhi\n"


def test_pods_reach_each_other_and_the_api(shared: Cluster, namespace: str):
    server = pod("server")
    server["metadata"]["namespace"] = namespace
    shared.apply(server)
    shared.wait_ready("server", namespace=namespace)
    address = shared.get("pod", "server", "-n", namespace)["status"]["podIP"]
    script = (
        f"until wget -qO- http://{address}:8080/healthy; do sleep 0.1; done; "
        "nc -w 60 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null && echo connected; "
        "cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; echo; "
        "head -n 1 ca.crt; cat token"
    )
    client = pod("client", "sh", "-c", script, restartPolicy="Never")
    client["metadata"]["namespace"] = namespace
    shared.apply(client)
    finished(shared, namespace, "client")
    lines = logs(shared, namespace, "client", "main").splitlines()
    assert lines[:4] == ["ok", "connected", namespace, "-----BEGIN CERTIFICATE-----"]
    # The same address from the host, with the Pod's own token, and the certificate checked.
    service = shared.get("service", "kubernetes")["spec"]["clusterIP"]
    request = Request(f"https://{service}/version", headers={"Authorization": f"Bearer {lines[4]}"})
    trust = ssl.create_default_context(cafile=str(shared.data_dir / "pki/ca.crt"))
    with urlopen(request, timeout=60, context=trust) as answer:
        assert json.load(answer)["major"] == "1"


def cgroup_file(pid: int, controller: str, v1: str, v2: str) -> str:
    """Read a file of the cgroup that process *pid* is in, of either version."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path(f"/sys/fs/cgroup/{controller}{path}/{v1}").read_text().strip()
    return Path(f"/sys/fs/cgroup{path}/{v2}").read_text().strip()


def test_limits_land_in_the_container_s_own_cgroup(shared: Cluster, namespace: str):
    limits = {"limits": {"memory": "48Mi", "cpu": "250m"}, "requests": {"cpu": "100m"}}
    bounded = pod("bounded", "sleep", "77007", container={"resources": limits})
    free = pod("free", "sleep", "77008")
    for manifest in (bounded, free):
        manifest["metadata"]["namespace"] = namespace
    shared.apply(bounded, free)
    shared.wait_ready("bounded", "free", namespace=namespace)
    pid = pid_of("sleep 77007")
    assert cgroup_file(pid, "memory", "memory.limit_in_bytes", "memory.max") == str(48 << 20)
    quota = cgroup_file(pid, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0]
    assert quota == "25000"
    paths = [Path(f"/proc/{pid_of(f'sleep {n}')}/cgroup").read_text() for n in (77007, 77008)]
    assert "/burstable/pod" in paths[0]
    assert "/besteffort/pod" in paths[1]


def test_too_much_memory_is_oom_killed_and_said_so(shared: Cluster, namespace: str):
    greedy = pod(
        "greedy", "sh", "-c", "tail /dev/zero",
        restartPolicy="Never",
        container={"resources": {"limits": {"memory": "16Mi"}}},
    )  # fmt: skip
    greedy["metadata"]["namespace"] = namespace
    shared.apply(greedy)
    shared.kubectl(
        "-n", namespace, "wait", "pod/greedy", "--for=jsonpath={.status.phase}=Failed",
        "--timeout=60s",
    )  # fmt: skip
    (status,) = shared.get("pod", "greedy", "-n", namespace)["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"
    assert status["state"]["terminated"]["exitCode"] == 137


def test_termination_is_a_word_first_and_force_at_the_end_of_the_grace_period(
    shared: Cluster, namespace: str
):
    polite = pod(
        "polite", "sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    )
    deaf = pod(
        "deaf", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done",
        terminationGracePeriodSeconds=1,
    )  # fmt: skip
    for manifest in (polite, deaf):
        manifest["metadata"]["namespace"] = namespace
    shared.apply(polite, deaf)
    shared.wait_ready("polite", "deaf", namespace=namespace)

    with subprocess.Popen(
        [
            KUBECTL["1.37"],
            "--kubeconfig",
            shared.kubeconfig,
            "-n",
            namespace,
            "logs",
            "-f",
            "polite",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "up\n"
        shared.kubectl("-n", namespace, "delete", "pod", "polite", "deaf")
        assert follower.stdout.read() == "bye\n"
    assert shared.kubectl("-n", namespace, "get", "pods", "-o", "name").stdout == ""


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        pytest.param(
            {"container": {"securityContext": {"windowsOptions": {"runAsUserName": "a"}}}},
            ["spec.containers[0].securityContext.windowsOptions"],
            id="windows",
        ),
    ],
)
def test_what_the_node_does_not_do_is_refused_by_field(
    shared: Cluster, namespace: str, spec: dict[str, Any], fields: list[str]
):
    manifest = pod("wish", "sleep", "77009", **spec)
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)
    shared.kubectl(
        "-n", namespace, "wait", "pod/wish", "--for=jsonpath={.status.phase}=Failed",
        "--timeout=60s",
    )  # fmt: skip
    status = shared.get("pod", "wish", "-n", namespace)["status"]
    assert status["reason"]
    for field in fields:
        assert field in status["message"]
    assert not status.get("podIP")
    assert "containerStatuses" not in status


def test_an_address_is_not_handed_out_twice(shared: Cluster, namespace: str):
    names = [f"many-{number}" for number in range(8)]
    manifests = [pod(name, "sleep", "1000", terminationGracePeriodSeconds=1) for name in names]
    for manifest in manifests:
        manifest["metadata"]["namespace"] = namespace
    shared.apply(*manifests)
    shared.wait_ready(*names, namespace=namespace)
    items = shared.get("pods", "-n", namespace)["items"]
    first = {item["status"]["podIP"] for item in items}
    assert len(first) == 8
    shared.kubectl("-n", namespace, "delete", "pods", "--all", "--now")
    eventually(lambda: not shared.get("pods", "-n", namespace)["items"], "all gone")
    shared.apply(*manifests)
    shared.wait_ready(*names, namespace=namespace)
    second = {item["status"]["podIP"] for item in shared.get("pods", "-n", namespace)["items"]}
    assert len(second) == 8
