"""What a node does by itself or in place: static Pods, restarts, its own shutdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.kubelet.config import API_VERSION
from support.cluster import PODIUM, Cluster, cluster, eventually, pod, run

PODS = "/api/v1/namespaces/default/pods"
MIRROR = "static-node-1"


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    directory = tmp_path / "manifests"
    directory.mkdir()
    return directory


@pytest.fixture
def own(tmp_path: Path, manifests: Path, demo_image: Path) -> Iterator[Cluster]:
    settings = tmp_path / "kubelet.json"
    content = {
        "kind": "KubeletConfiguration",
        "apiVersion": API_VERSION,
        "staticPodPath": str(manifests),
        "shutdownGracePeriod": "20s",
        "shutdownGracePeriodCriticalPods": "10s",
    }
    settings.write_text(json.dumps(content))
    flags = ("--kubelet-config", str(settings))
    with cluster(tmp_path, *flags, start=False) as made:
        made.podium("image", "load", str(demo_image))
        made.up()
        yield made


def seen(own: Cluster, name: str, phase: str) -> Any:
    def look() -> Any:
        code, found = own.request("GET", f"{PODS}/{name}")
        return found if code == 200 and found["status"].get("phase") == phase else None

    return eventually(look, f"{name} {phase}")


def main(found: Any) -> Any:
    return found["status"]["containerStatuses"][0]


def test_a_node_s_life(own: Cluster, manifests: Path) -> None:
    script = "trap 'sleep 0.3; exit 0' TERM; while :; do sleep 0.05; done"
    static = pod("static", "sh", "-c", script, priorityClassName="system-node-critical")
    (manifests / "static.json").write_text(json.dumps(static))
    own.apply(pod("ordinary", "sh", "-c", script))
    mirror, ordinary = seen(own, MIRROR, "Running"), seen(own, "ordinary", "Running")

    # A deleted mirror comes back and shows the same container.
    own.kubectl("delete", "pod", MIRROR, "--wait=false")
    back = eventually(
        lambda: (
            (found := seen(own, MIRROR, "Running"))["metadata"]["uid"] != mirror["metadata"]["uid"]
            and found
        ),
        "a new mirror",
    )
    assert main(back)["containerID"] == main(mirror)["containerID"]
    assert "Started" in own.kubectl("describe", "pod", MIRROR).stdout
    described = run(PODIUM, "kubectl", "describe", "pod", MIRROR, env=own.environment)
    assert "Started container main" in described.stdout

    # podium restart: another container in the same Pod.
    done = run(PODIUM, "restart", "pod/ordinary", "-c", "main", env=own.environment)
    assert done.stdout == "pod/ordinary restarted\n"
    again = eventually(
        lambda: main(found := seen(own, "ordinary", "Running"))["restartCount"] and found,
        "a restart",
    )
    assert main(again)["containerID"] != main(ordinary)["containerID"]
    assert again["status"]["podIP"] == ordinary["status"]["podIP"]
    bad = run(PODIUM, "restart", "ordinary", "-c", "no", env=own.environment, check=False)
    assert (bad.returncode, "container no is not valid" in bad.stderr) == (1, True)

    # Killed, nothing ends; told to stop, all Pods do, in their order.
    own.forget()
    own.up()
    assert main(seen(own, "ordinary", "Running"))["containerID"] == main(again)["containerID"]
    assert own.stop() == 0
    ended = re.findall(r'msg="ending pod" pod=(\S+)', own.log_file.read_text())
    assert ended[-2:] == ["default/ordinary", f"default/{MIRROR}"]
    own.up()
    over = seen(own, "ordinary", "Failed")
    assert over["status"]["reason"] == "Terminated"
    eventually(
        lambda: main(seen(own, MIRROR, "Running"))["containerID"] != main(mirror)["containerID"],
        "the static Pod's next run",
    )

    # Without its manifest a static Pod ends.
    (manifests / "static.json").unlink()
    eventually(lambda: own.request("GET", f"{PODS}/{MIRROR}")[0] == 404, "its end")
