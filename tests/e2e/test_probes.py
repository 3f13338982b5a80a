"""Probes and hooks with real containers."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from support.cluster import KUBECTL, Cluster, eventually

SERVE = "trap 'echo term; exit 0' TERM; httpd -f -p 8080 -h /www & "
GET = {"httpGet": {"path": "/healthy", "port": "web"}}


def pod(name: str, script: str, **container: Any) -> dict[str, Any]:
    made = {
        "name": "web",
        "image": "localhost/kuard:demo",
        "command": ["sh", "-c", SERVE + script],
        "ports": [{"name": "web", "containerPort": 8080}],
        **container,
    }
    spec = {"containers": [made], "terminationGracePeriodSeconds": 10}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def status(shared: Cluster, namespace: str, name: str) -> dict[str, Any]:
    got = shared.kubectl("-n", namespace, "get", "pod", name, "-o", "json").stdout
    statuses = json.loads(got)["status"].get("containerStatuses", [{}])
    found: dict[str, Any] = statuses[0]
    return found


def events(shared: Cluster, namespace: str, name: str) -> set[str]:
    got = shared.kubectl(
        "-n", namespace, "get", "events", "-o", "json",
        f"--field-selector=involvedObject.name={name}",
    )  # fmt: skip
    return {f"{e['reason']}: {e['message']}" for e in json.loads(got.stdout)["items"]}


def apply(shared: Cluster, namespace: str, manifest: dict[str, Any]) -> None:
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)


def test_a_server_whose_health_fails_is_killed_and_restarted(shared: Cluster, namespace: str):
    probe = {**GET, "periodSeconds": 1, "failureThreshold": 2}
    script = "(sleep 2; rm /www/healthy) & wait"
    apply(shared, namespace, pod("sick", script, livenessProbe=probe))

    eventually(lambda: status(shared, namespace, "sick").get("restartCount", 0) >= 1, "a restart")

    last = status(shared, namespace, "sick")["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (0, "Completed")
    told = events(shared, namespace, "sick")
    assert "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404" in told
    assert "Killing: Container web failed liveness probe, will be restarted" in told


def test_a_server_is_ready_while_its_probe_says_so(shared: Cluster, namespace: str):
    probe = {"exec": {"command": ["test", "-e", "/www/ready-now"]}, "periodSeconds": 1}
    script = "(sleep 2; touch /www/ready-now; sleep 4; rm /www/ready-now) & wait"
    manifest = pod("moody", script, readinessProbe={**probe, "failureThreshold": 1})
    apply(shared, namespace, manifest)

    shared.wait_ready("moody", namespace=namespace)
    eventually(lambda: not status(shared, namespace, "moody")["ready"], "not ready any more")

    seen = status(shared, namespace, "moody")
    assert (seen["started"], seen["restartCount"]) == (True, 0)
    assert "Unhealthy: Readiness probe failed: " in events(shared, namespace, "moody")


def test_startup_comes_before_liveness(shared: Cluster, namespace: str):
    startup = {
        "exec": {"command": ["test", "-e", "/up"]},
        "periodSeconds": 1,
        "failureThreshold": 30,
    }
    liveness = {**GET, "periodSeconds": 1, "failureThreshold": 1}
    manifest = pod("slow", "", startupProbe=startup, livenessProbe=liveness)
    # Nobody listens for three seconds: a liveness probe would kill it.
    script = "sleep 3; httpd -f -p 8080 -h /www & sleep 1; touch /up; wait"
    manifest["spec"]["containers"][0]["command"] = ["sh", "-c", script]
    apply(shared, namespace, manifest)

    shared.wait_ready("slow", namespace=namespace)

    assert status(shared, namespace, "slow")["restartCount"] == 0


def test_hooks(shared: Cluster, namespace: str):
    start = {"exec": {"command": ["sh", "-c", "echo postStart > /www/index.html"]}}
    stop = {"exec": {"command": ["sh", "-c", "echo preStop > /proc/1/fd/1; sleep 1"]}}
    probe = {"exec": {"command": ["grep", "postStart", "/www/index.html"]}, "periodSeconds": 1}
    manifest = pod(
        "hooked", "wait", lifecycle={"postStart": start, "preStop": stop}, readinessProbe=probe
    )
    apply(shared, namespace, manifest)
    shared.wait_ready("hooked", namespace=namespace)

    command = [KUBECTL["1.37"], "-n", namespace, "logs", "-f", "hooked"]
    environment = {**os.environ, "KUBECONFIG": str(shared.kubeconfig)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as log:
        try:
            shared.kubectl("-n", namespace, "delete", "pod", "hooked", "--timeout=60s")
            said, _ = log.communicate(timeout=60)
        finally:
            log.kill()

    assert said.split() == ["preStop", "term"]
