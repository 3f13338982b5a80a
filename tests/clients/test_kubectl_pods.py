"""Every kubectl from 1.28 to 1.37: a Pod's life from ``run`` to ``drain``, and ways into it.

``tests/e2e/test_kubectl.py`` and ``test_streams.py`` look at the oldest and the newest closer.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.cluster import eventually
from support.kubectls import EVERY_VERSION, OLDEST_AND_NEWEST, Kubectl

IMAGE = "--image=localhost/kuard:demo"


@EVERY_VERSION
def test_a_pods_life(kubectl: Kubectl):
    made = kubectl("run", "web", IMAGE, "--port=8080", "--expose")
    assert sorted(made.splitlines()) == ["pod/web created", "service/web created"]
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert re.fullmatch(
        r"web +1/1 +Running +0 +[\dms]+ +[\d.]+ +node-1 +<none> +<none>\n",
        kubectl("get", "pods", "-o", "wide", "--no-headers"),
    )
    line = "[pod/web/web] kuard demo: serving /www on port 8080\n"
    eventually(lambda: kubectl("logs", "-l", "run=web", "--prefix", "--tail=1") == line, "its log")
    debugged = kubectl("debug", "web", IMAGE, "-c", "aside", "--", "echo", "from the side")
    assert debugged == ""
    eventually(
        lambda: kubectl.result("logs", "web", "-c", "aside").stdout == "from the side\n",
        "the ephemeral container's log",
    )
    told = ("Successfully assigned", "Started container aside")
    eventually(lambda: all(text in kubectl("events") for text in told), "the events")
    described = kubectl("describe", "pod", "web")
    for line in (
        "Ephemeral Containers:\n  aside:",
        "Successfully assigned",
        "    Port:           8080",
    ):
        assert line in described
    assert kubectl("delete", "pod", "web", "--now").startswith('pod "web" deleted')


@pytest.mark.parametrize("version", ["1.28", "1.30", "1.31", "1.33", "1.37"])
def test_ways_into_a_pod(kubectl: Kubectl, tmp_path: Path):
    kubectl("run", "web", IMAGE)
    told = kubectl("run", "-i", "--rm", "--quiet", "once", "--restart=Never", IMAGE, "--command",
                   "--", "sh", "-c", "read line; echo got $line", stdin="words\n")  # fmt: skip
    assert told == "got words\n"
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    page = tmp_path / "page"
    page.write_bytes(os.urandom(100_000))
    kubectl("cp", str(page), "web:/www/page")
    answer = kubectl.result("exec", "-i", "web", "--", "sh", "-c", "cat; exit 7", stdin="words")
    assert (answer.returncode, answer.stdout) == (7, "words")
    with kubectl.started("port-forward", "web", ":8080") as forwarding:
        address = re.search(r"127\.0\.0\.1:\d+", forwarding.readline())
        assert address is not None
        with urlopen(f"http://{address[0]}/page", timeout=20) as served:
            assert served.read() == page.read_bytes()


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
    watch = ("get", "pods", "--no-headers", "-w", "--output-watch-events")
    try:
        with kubectl.started(*watch) as lines:
            kubectl("run", "web", IMAGE, "--grace-period=1")
            assert next(line for line in lines if " Running " in line).split()[1] == "web"
            drained = kubectl(
                "drain", "node-1", "--pod-selector=run=web", "--force", "--grace-period=1",
                "--timeout=60s",
            )  # fmt: skip
            assert next(line for line in lines if line.startswith("DELETED ")).split()[1] == "web"
        taint = f"example.org/{kubectl.namespace}"
        kubectl("taint", "nodes", "node-1", f"{taint}=a:PreferNoSchedule")
        assert kubectl("taint", "nodes", "node-1", f"{taint}-") == "node/node-1 untainted\n"
    finally:
        kubectl("uncordon", "node-1")
    assert "pod/web evicted\nnode/node-1 drained\n" in drained
