"""Helm 3 and 4, unmodified: a chart is installed, upgraded, rolled back and taken away again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cluster import LIBEXEC, Cluster, run

CHART = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: "{{ .Values.colour }}"}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {a: b}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, colour: "{{ .Values.colour }}"}}
spec:
  serviceAccountName: robot
  containers: [{name: main, image: "localhost/kuard:demo"}]
  {{- if .Values.host }}
  hostname: {{ .Values.host }}
  {{- end }}
"""
Helm = Callable[..., Any]


@pytest.fixture(params=["helm-3", "helm-4"])
def helm(request: pytest.FixtureRequest, shared: Cluster, namespace: str) -> Helm:
    """``helm(*words)`` in the test's namespace → stdout; with ``check=False`` the process."""
    program = LIBEXEC / request.param
    if not program.exists():
        pytest.skip(f"there is no {request.param}: tools/fetch_kubectl.py could not fetch it")

    def call(*words: str, check: bool = True) -> Any:
        done = run(program, "-n", namespace, *words, check=check, env=shared.environment)
        return done.stdout if check else done

    return call


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """The directory of a small chart."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "all.yaml").write_text(CHART)
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: small, version: 0.1.0}\n")
    (tmp_path / "values.yaml").write_text("{colour: red, host: ''}\n")
    return str(tmp_path)


def test_install_upgrade_roll_back_uninstall(
    helm: Helm, chart: str, shared: Cluster, namespace: str
):
    def colours() -> tuple[str, str]:
        pod, settings = shared.get("pod/web", "cm/settings", "-n", namespace)["items"]
        return pod["metadata"]["labels"]["colour"], settings["data"]["colour"]

    wait = ("--wait", "--timeout", "60s")
    helm("install", "one", chart, *wait)
    conditions = shared.get("pod", "web", "-n", namespace)["status"]["conditions"]
    assert ("Ready", "True") in [(found["type"], found["status"]) for found in conditions]
    helm("upgrade", "one", chart, "--set", "colour=blue", *wait)
    assert colours() == ("blue", "blue")
    refused = helm("upgrade", "one", chart, "--set", "host=other", check=False)
    assert "pod updates may not change fields other than" in refused.stderr
    helm("rollback", "one", "1", *wait)
    assert colours() == ("red", "red")
    history = json.loads(helm("history", "one", "-o", "json"))
    assert [(entry["revision"], entry["status"]) for entry in history] == [
        (1, "superseded"), (2, "superseded"), (3, "failed"), (4, "deployed"),
    ]  # fmt: skip
    assert [release["name"] for release in json.loads(helm("list", "-o", "json"))] == ["one"]
    helm("uninstall", "one", *wait)
    left = shared.get("pods,services,secrets,configmaps,serviceaccounts", "-n", namespace)["items"]
    assert sorted(item["metadata"]["name"] for item in left) == ["default", "kube-root-ca.crt"]
