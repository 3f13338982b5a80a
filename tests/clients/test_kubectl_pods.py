"""Every kubectl from 1.28 to 1.37: a Pod's life from ``run`` to ``drain``.

``tests/e2e/test_kubectl.py`` looks at Pods with the oldest and the newest more closely. Not here,
because it is not served yet (docs/scope.md): exec, attach, cp, port-forward, ``run -it``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

from support.cluster import KUBECTL, eventually
from support.kubectls import EVERY_VERSION, OLDEST_AND_NEWEST, Kubectl

IMAGE = "--image=localhost/kuard:demo"


@EVERY_VERSION
def test_a_pods_life(kubectl: Kubectl):
    made = kubectl("run", "web", IMAGE, "--port=8080", "--expose")
    assert sorted(made.splitlines()) == ["pod/web created", "service/web created"]
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert re.fullmatch(
        r"web +1/1 +Running +0 +\d+s +[\d.]+ +node-1 +<none> +<none>\n",
        kubectl("get", "pods", "-o", "wide", "--no-headers"),
    )
    assert kubectl("logs", "-l", "run=web", "--prefix", "--tail=1") == (
        "[pod/web/web] kuard demo: serving /www on port 8080\n"
    )
    debugged = kubectl("debug", "web", IMAGE, "-c", "aside", "--", "echo", "from the side")
    assert debugged == ""
    eventually(
        lambda: kubectl.result("logs", "web", "-c", "aside").stdout == "from the side\n",
        "the ephemeral container's log",
    )
    eventually(lambda: "Started container aside" in kubectl("events"), "the last event")
    described = kubectl("describe", "pod", "web")
    for line in (
        "Ephemeral Containers:\n  aside:",
        "Successfully assigned",
        "    Port:           8080",
    ):
        assert line in described
    assert kubectl("delete", "pod", "web", "--now").startswith('pod "web" deleted')


@OLDEST_AND_NEWEST
def test_a_copy_to_debug(kubectl: Kubectl):
    kubectl("run", "web", IMAGE)
    copy = ("--copy-to=copy", "--set-image=web=localhost/kuard:other", "--share-processes=false")
    kubectl("debug", "web", IMAGE, *copy, "-c", "aside", "--", "sleep", "1000")
    spec = json.loads(kubectl("get", "pod", "copy", "-o", "json"))["spec"]
    images = {container["name"]: container["image"] for container in spec["containers"]}
    assert images == {"web": "localhost/kuard:other", "aside": "localhost/kuard:demo"}


@EVERY_VERSION
def test_watch_and_drain(kubectl: Kubectl):
    command = (
        KUBECTL[kubectl.version],
        "-n",
        kubectl.namespace,
        "get",
        "pods",
        "--no-headers",
        "-w",
        "--output-watch-events",
    )
    environment = os.environ | kubectl.cluster.environment
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        try:
            assert watch.stdout is not None
            kubectl("run", "web", IMAGE, "--grace-period=1")
            lines = iter(watch.stdout)
            assert next(line for line in lines if " Running " in line).split()[1] == "web"
            drained = kubectl(
                "drain", "node-1", "--pod-selector=run=web", "--force", "--grace-period=1",
                "--timeout=60s",
            )  # fmt: skip
            assert next(line for line in lines if line.startswith("DELETED ")).split()[1] == "web"
        finally:
            watch.kill()
            kubectl("uncordon", "node-1")
    assert "pod/web evicted\nnode/node-1 drained\n" in drained
