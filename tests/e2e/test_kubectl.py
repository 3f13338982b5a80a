"""Unmodified kubectls, old and new, and Pods: what they print is what they print elsewhere.

The other commands, and the kubectls in between: tests/clients/test_kubectl_*.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.cluster import KUBECTL, OLDEST_AND_NEWEST, Cluster, eventually, pod

pytestmark = pytest.mark.parametrize("version", OLDEST_AND_NEWEST)

Kubectl = Any


@pytest.fixture
def kubectl(shared: Cluster, namespace: str, version: str) -> Kubectl:
    """``kubectl(*words)`` in the test's namespace → stdout; ``check=False`` → the process."""

    def call(*arguments: str, stdin: str = "", check: bool = True) -> Any:
        completed = shared.kubectl(
            "-n", namespace, *arguments, version=version, stdin=stdin, check=check
        )
        return completed.stdout if check else completed

    return call


def apply(kubectl: Kubectl, *documents: dict[str, Any]) -> str:
    printed: str = kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "List", "items": list(documents)}))  # fmt: skip
    return printed


def wait_ready(kubectl: Kubectl, *names: str) -> None:
    kubectl("wait", "--for=condition=Ready", *(f"pod/{name}" for name in names), "--timeout=60s")


def test_run_and_every_way_to_get(kubectl: Kubectl):
    assert kubectl("run", "web", "--image=localhost/kuard:demo") == "pod/web created\n"
    wait_ready(kubectl, "web")
    assert re.fullmatch(
        r"NAME   READY   STATUS    RESTARTS   AGE   IP +NODE +NOMINATED NODE   READINESS GATES\n"
        r"web    1/1     Running   0          \d+s +[\d.]+ +node-1   <none> +<none>\n",
        kubectl("get", "pods", "-o", "wide"),
    )
    assert kubectl("get", "pods", "-o", "name") == "pod/web\n"
    assert kubectl("get", "pods", "-o", "jsonpath={.items[0].status.phase}") == "Running"
    assert json.loads(kubectl("get", "pod", "web", "-o", "json"))["kind"] == "Pod"
    assert "\nkind: Pod\n" in kubectl("get", "pod", "web", "-o", "yaml")
    assert kubectl("get", "pods", "-l", "run=web", "-o", "name") == "pod/web\n"
    assert kubectl("get", "pods", "-l", "run!=web", "-o", "name") == ""
    assert kubectl("get", "pods", "--field-selector=spec.nodeName=node-1", "-o", "name")
    assert not kubectl("get", "pods", "--field-selector=status.phase!=Running", "-o", "name")
    assert " web " in kubectl("get", "pods", "-A")


def test_get_watch_sees_each_change(
    kubectl: Kubectl, shared: Cluster, namespace: str, version: str
):
    environment = os.environ | shared.environment
    command = [KUBECTL[version], "-n", namespace, "get", "pods", "-w", "--no-headers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        try:
            assert watch.stdout is not None
            kubectl("run", "web", "--image=localhost/kuard:demo", "--labels=a=b")
            seen = ""
            for line in watch.stdout:
                seen = line
                if "Running" in line:
                    break
            assert seen.split()[:3] == ["web", "1/1", "Running"]
            kubectl("delete", "pod", "web", "--wait=false")
            assert "Terminating" in next(line for line in watch.stdout if "Terminating" in line)
        finally:
            watch.kill()


MANIFEST = """\
# two documents in one file
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: COLOUR}
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {tier: TIER}
spec:
  containers:
  - {name: main, image: "localhost/kuard:demo"}
"""


def test_apply_again_unchanged_and_changed(kubectl: Kubectl, tmp_path: Path):
    file = tmp_path / "all.yaml"
    file.write_text(MANIFEST)
    assert kubectl("apply", "-f", str(file)) == "configmap/settings created\npod/web created\n"
    assert kubectl("apply", "-f", str(file)) == "configmap/settings unchanged\npod/web unchanged\n"
    file.write_text(MANIFEST.replace("COLOUR", "blue").replace("TIER", "front"))
    assert kubectl("apply", "-f", str(tmp_path)) == (
        "configmap/settings configured\npod/web configured\n"
    )
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.colour}") == "blue"
    assert kubectl("get", "pods", "-l", "tier=front", "-o", "name") == "pod/web\n"
    kubectl("delete", "-f", str(file), "--now")
    left = "configmap/kube-root-ca.crt\n"
    eventually(lambda: kubectl("get", "pods,cm", "-o", "name") == left, "what controllers make")


def test_namespaces_come_and_go_with_what_is_in_them(kubectl: Kubectl, version: str):
    name = f"come-and-go-{version.replace('.', '-')}"
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    # Whoever creates a namespace may use it at once.
    # Its program may not listen to SIGTERM yet when that comes.
    briefly = '{"spec": {"terminationGracePeriodSeconds": 1}}'
    image = "--image=localhost/kuard:demo"
    kubectl("run", "web", image, f"--namespace={name}", f"--overrides={briefly}")
    assert kubectl("delete", "namespace", name) == f'namespace "{name}" deleted\n'
    gone = kubectl("get", "namespace", name, check=False)
    assert gone.stderr == f'Error from server (NotFound): namespaces "{name}" not found\n'
    assert name not in kubectl("get", "pods", "-A")


def test_logs(kubectl: Kubectl):
    script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; sleep 1000"
    two = pod("web", "sh", "-c", script)
    two["spec"]["containers"].append(
        {"name": "side", "image": "localhost/kuard:demo", "command": ["echo", "from the side"]}
    )
    two["spec"]["restartPolicy"] = "Never"
    apply(kubectl, two)

    def all_lines() -> list[str] | None:
        lines = kubectl("logs", "web", "-c", "main", check=False).stdout.splitlines()
        return lines if len(lines) >= 6 else None

    lines = eventually(all_lines, "the last line of either stream")
    assert sorted(lines) == sorted(f"{stream} {i}" for i in (1, 2, 3) for stream in ("out", "err"))
    assert kubectl("logs", "web", "-c", "main", "--tail=2").count("\n") == 2
    assert kubectl("logs", "web", "-c", "main", "--since=1h").count("\n") == 6
    stamped = kubectl("logs", "web", "-c", "main", "--timestamps", "--tail=1")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \w+ \d\n", stamped)
    eventually(
        lambda: kubectl("logs", "web", "-c", "side", check=False).stdout == "from the side\n",
        "the other log",
    )
    assert "Defaulted container" in kubectl("logs", "web", check=False).stderr


def test_logs_follow_to_the_end_and_previous(kubectl: Kubectl):
    apply(kubectl, pod("once", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done",
                       restartPolicy="Never"))  # fmt: skip
    eventually(lambda: kubectl("logs", "once", check=False).returncode == 0, "a container")
    assert kubectl("logs", "-f", "once") == "1\n2\n3\n"
    apply(kubectl, pod("again", "sh", "-c", "echo first words; exit 3"))
    eventually(
        lambda: kubectl("logs", "again", "--previous", check=False).stdout == "first words\n",
        "the log of a former container",
    )


def test_every_way_to_delete(kubectl: Kubectl):
    apply(kubectl, *(pod(f"web-{number}", "sleep", "1000") for number in range(4)))
    wait_ready(kubectl, *(f"web-{number}" for number in range(4)))
    assert kubectl("delete", "pods/web-0", "--grace-period=1").startswith('pod "web-0" deleted')
    forced = kubectl("delete", "pod", "web-1", "--grace-period=0", "--force", check=False)
    assert "force deleted" in forced.stdout
    assert "Immediate deletion does not wait for confirmation" in forced.stderr
    assert kubectl("delete", "pod", "-l", "app=web-2", "--now").startswith('pod "web-2" deleted')
    assert kubectl("delete", "pods", "--all", "--grace-period=1").startswith('pod "web-3" deleted')
    assert kubectl("get", "pods", check=False).stderr.startswith("No resources found")


def test_events(kubectl: Kubectl, namespace: str):
    apply(kubectl, pod("web", "sleep", "1000"))
    wait_ready(kubectl, "web")

    def all_told() -> str:
        """What scheduler and kubelet tell, each in its own time."""
        text: str = kubectl("get", "events")
        return text if "Successfully assigned" in text and "Started container" in text else ""

    text = eventually(all_told, "the last events")
    assert text.split("\n")[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert f"Successfully assigned {namespace}/web to node-1" in text
    assert "Created container main" in text
