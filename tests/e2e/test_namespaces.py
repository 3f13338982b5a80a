"""What Pods share with their node, what they are called, and how they are reached through it."""

from __future__ import annotations

import os
import socket
from socket import SOCK_DGRAM, SOCK_STREAM
from typing import Any

import pytest

from support.cluster import Cluster, eventually, pod
from support.echo import echoing, heard, pid_of
from support.outcomes import Outcome, outcomes
from support.ports import free_port

IMAGE = "localhost/kuard:demo"
NAMESPACES = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; cat /etc/hostname"


def running(script: str, **spec: Any) -> dict[str, Any]:
    return {
        "containers": [{"name": "c", "image": IMAGE, "command": ["sh", "-c", script]}],
        **spec,
    }


PODS = {
    "own": running(NAMESPACES),
    "host-network": running(NAMESPACES, hostNetwork=True),
    "host-pid": running(NAMESPACES, hostPID=True),
    "host-ipc": running(NAMESPACES + "; echo > /dev/shm/$HOSTNAME-test", hostIPC=True),
    "host-all": running(NAMESPACES, hostNetwork=True, hostPID=True, hostIPC=True),
    "fqdn": running(
        "hostname; cat /etc/hosts", hostname="web", subdomain="team", setHostnameAsFQDN=True
    ),
    "override": running("hostname; echo $HOSTNAME", hostname="web", hostnameOverride="other.name"),
    "aliases": running(
        "cat /etc/hosts", hostAliases=[{"ip": "192.0.2.1", "hostnames": ["one", "two"]}]
    ),
}


@pytest.fixture(scope="module")
def seen(shared: Cluster) -> dict[str, Outcome]:
    return outcomes(shared, "test-namespaces", PODS)


@pytest.mark.parametrize(
    ("name", "of_node"),
    [
        ("own", []),
        ("host-network", ["net", "uts"]),
        ("host-pid", ["pid"]),
        ("host-ipc", ["ipc"]),
        ("host-all", ["net", "ipc", "uts", "pid"]),
    ],
)
def test_namespaces_of_the_node(seen: dict[str, Outcome], name: str, of_node: list[str]):
    found = dict(zip(("net", "ipc", "uts", "pid"), seen[name].lines, strict=False))
    shared_with_node = [
        kind for kind in found if found[kind] == os.readlink(f"/proc/self/ns/{kind}")
    ]
    assert shared_with_node == of_node
    own_name = name not in ("host-network", "host-all")
    assert seen[name].lines[4] == (name if own_name else socket.gethostname())
    status = seen[name].status
    assert (status["podIP"] == status["hostIP"]) is not own_name


def test_shared_memory_of_the_node(seen: dict[str, Outcome]):
    assert seen["host-ipc"].status["phase"] == "Succeeded"
    os.unlink("/dev/shm/host-ipc-test")


def test_names(seen: dict[str, Outcome]):
    name = "web.team.test-namespaces.svc.cluster.local"
    address = seen["fqdn"].status["podIP"]
    assert seen["fqdn"].lines[0] == name
    assert seen["fqdn"].lines[-1] == f"{address}\t{name}\tweb"
    assert seen["override"].lines == ["other.name"] * 2
    address = seen["aliases"].status["podIP"]
    assert seen["aliases"].log == (
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
        f"{address}\taliases\n\n# Entries added by HostAliases.\n192.0.2.1\tone\ttwo\n"
    )


def test_a_name_that_does_not_fit_is_told(shared: Cluster, namespace: str):
    spec = {"hostname": "h" * 40, "subdomain": "s" * 20, "setHostnameAsFQDN": True}
    manifest = pod("long", **spec)
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)
    whole = f"{'h' * 40}.{'s' * 20}.{namespace}.svc.cluster.local"
    text = (
        "Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster "
        f"domain, FQDN {whole} is too long (64 characters is the max, {len(whole)} characters "
        "requested)"
    )

    def told() -> bool:
        events = shared.get("events", "-n", namespace, "--field-selector", "type=Warning")
        return any(event["message"] == text for event in events["items"])

    eventually(told, "the event")


def test_host_ports(shared: Cluster, namespace: str):
    """By TCP and UDP, from the node, through loopback, and gone with the Pod."""
    tcp, udp, local = free_port(), free_port(), free_port()
    ports = [
        {"containerPort": 7, "hostPort": tcp},
        {"containerPort": 7, "hostPort": udp, "protocol": "UDP"},
        {"containerPort": 8, "hostPort": local, "hostIP": "127.0.0.1"},
    ]
    for name, count in (("one", 3), ("two", 1)):
        manifest = pod(name, "sleep", f"7700{count}", container={"ports": ports[:count]})
        manifest["spec"]["terminationGracePeriodSeconds"] = 0
        manifest["metadata"]["namespace"] = namespace
        shared.apply(manifest)
        if name == "one":
            shared.wait_ready("one", namespace=namespace)
    node = shared.get("pod", "one", "-n", namespace)["status"]["hostIP"]
    with echoing(pid_of("sleep 77003"), tcp=[7, 8], udp=[7]):
        for kind, address, port in (
            (SOCK_STREAM, "127.0.0.1", tcp),
            (SOCK_STREAM, node, tcp),
            (SOCK_DGRAM, "127.0.0.1", udp),
            (SOCK_DGRAM, node, udp),
            (SOCK_STREAM, "127.0.0.1", local),
        ):
            assert heard(kind, address, port), f"{kind.name} {address}:{port}"
        assert not heard(SOCK_STREAM, node, local)
    # Two Pods cannot have the same port; the second has it once the first is gone.
    shared.kubectl(
        "-n", namespace, "wait", "pod/two", "--for=condition=PodScheduled=False", "--timeout=60s"
    )
    shared.kubectl("-n", namespace, "delete", "pod", "one", "--now")
    assert not heard(SOCK_STREAM, "127.0.0.1", local)
    shared.wait_ready("two", namespace=namespace)
    with echoing(pid_of("sleep 77001"), tcp=[7]):
        assert heard(SOCK_STREAM, "127.0.0.1", tcp)


def test_pods_find_a_name_server_at_the_clusters_address(shared: Cluster, namespace: str):
    """As long as the cluster has no DNS of its own, the node's name server answers there."""
    script = "cat /etc/resolv.conf; nslookup -type=a localhost. 2>&1 | head -2"
    manifest = pod("look", "sh", "-c", script, restartPolicy="Never")
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)
    shared.kubectl(
        "-n", namespace, "wait", "pod/look", "--for=jsonpath={.status.phase}=Succeeded",
        "--timeout=60s",
    )  # fmt: skip
    lines = shared.kubectl("-n", namespace, "logs", "look").stdout.splitlines()
    assert f"{namespace}.svc.cluster.local svc.cluster.local cluster.local" in lines[0]
    (server,) = (line.split()[1] for line in lines if line.startswith("nameserver"))
    assert server.endswith(".10")
    assert f"Server:\t\t{server}" in lines
