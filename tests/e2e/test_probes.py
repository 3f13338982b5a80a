"""Probes and hooks with real containers."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from support.cluster import KUBECTL, Cluster, eventually

SERVE = "trap 'echo term; exit 0' TERM; httpd -f -p 8080 -h /www & wait"
#: A busy machine may take its time to answer, and to start a command.
PATIENT = {"periodSeconds": 1, "timeoutSeconds": 60}
GET = {"httpGet": {"path": "/healthy", "port": "web"}, **PATIENT}


def pod(name: str, script: str = SERVE, **container: Any) -> dict[str, Any]:
    made = {
        "name": "web",
        "image": "localhost/kuard:demo",
        "command": ["sh", "-c", script],
        "ports": [{"name": "web", "containerPort": 8080}],
        **container,
    }
    spec = {"containers": [made], "terminationGracePeriodSeconds": 60}
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


def run_in(shared: Cluster, namespace: str, name: str, *command: str) -> None:
    shared.kubectl("-n", namespace, "exec", name, "--", *command)


def is_ready(shared: Cluster, namespace: str, name: str) -> bool:
    return bool(status(shared, namespace, name).get("ready"))


def apply(shared: Cluster, namespace: str, manifest: dict[str, Any]) -> None:
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)


def test_a_server_whose_health_fails_is_killed_and_restarted(shared: Cluster, namespace: str):
    startup, liveness = {**GET, "failureThreshold": 600}, {**GET, "failureThreshold": 2}
    apply(shared, namespace, pod("sick", startupProbe=startup, livenessProbe=liveness))
    shared.wait_ready("sick", namespace=namespace)

    run_in(shared, namespace, "sick", "rm", "/www/healthy")
    eventually(lambda: status(shared, namespace, "sick").get("restartCount", 0) >= 1, "a restart")

    last = status(shared, namespace, "sick")["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (0, "Completed")
    told = {
        "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404",
        "Killing: Container web failed liveness probe, will be restarted",
    }
    eventually(lambda: told <= events(shared, namespace, "sick"), "the events")


def test_a_server_is_ready_while_its_probe_says_so(shared: Cluster, namespace: str):
    probe = {"exec": {"command": ["test", "-e", "/www/ready-now"]}, **PATIENT}
    apply(shared, namespace, pod("moody", readinessProbe={**probe, "failureThreshold": 1}))
    told = "Unhealthy: Readiness probe failed: "
    eventually(lambda: told in events(shared, namespace, "moody"), "not ready yet")
    assert not is_ready(shared, namespace, "moody")

    run_in(shared, namespace, "moody", "touch", "/www/ready-now")
    shared.wait_ready("moody", namespace=namespace)
    run_in(shared, namespace, "moody", "rm", "/www/ready-now")
    eventually(lambda: not is_ready(shared, namespace, "moody"), "not ready any more")

    seen = status(shared, namespace, "moody")
    assert (seen["started"], seen["restartCount"]) == (True, 0)


def test_startup_comes_before_liveness(shared: Cluster, namespace: str):
    startup = {"exec": {"command": ["test", "-e", "/up"]}, **PATIENT, "failureThreshold": 600}
    liveness = {**GET, "failureThreshold": 1}
    # Nobody listens for two seconds: a liveness probe would kill it.
    script = (
        "sleep 2; httpd -f -p 8080 -h /www & "
        "until wget -qO- http://127.0.0.1:8080/healthy; do sleep 0.1; done; touch /up; wait"
    )
    apply(shared, namespace, pod("slow", script, startupProbe=startup, livenessProbe=liveness))

    shared.wait_ready("slow", namespace=namespace)

    assert status(shared, namespace, "slow")["restartCount"] == 0


def test_hooks(shared: Cluster, namespace: str):
    start = {"exec": {"command": ["sh", "-c", "echo postStart > /www/index.html"]}}
    stop = {"exec": {"command": ["sh", "-c", "echo preStop > /proc/1/fd/1; sleep 1"]}}
    probe = {"exec": {"command": ["grep", "postStart", "/www/index.html"]}, **PATIENT}
    hooks = {"postStart": start, "preStop": stop}
    apply(
        shared, namespace, pod("hooked", f"echo up; {SERVE}", lifecycle=hooks, readinessProbe=probe)
    )
    shared.wait_ready("hooked", namespace=namespace)

    command = [KUBECTL["1.37"], "-n", namespace, "logs", "-f", "hooked"]
    environment = {**os.environ, "KUBECONFIG": str(shared.kubeconfig)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as log:
        try:
            assert log.stdout is not None
            assert log.stdout.readline() == "up\n"
            shared.kubectl("-n", namespace, "delete", "pod", "hooked", "--timeout=60s")
            said, _ = log.communicate(timeout=60)
        finally:
            log.kill()

    assert said.split() == ["preStop", "term"]
