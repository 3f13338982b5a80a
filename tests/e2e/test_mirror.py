"""The reference text's manifest, word for word: its image comes from a mirror of docker.io."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.cluster import OLDEST_AND_NEWEST, Cluster, cluster, eventually
from support.images import Registry, busybox_image, running_registry

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: kuard
  labels:
    name: kuard
spec:
  containers:
  - name: kuard
    image: willvelida/kuard
    resources:
      limits:
        memory: "128Mi"
        cpu: "500m"
    ports:
      - containerPort: 8080
        name: http
        protocol: TCP
"""

PULLED = (
    r'Successfully pulled image "willvelida/kuard" in (?P<alone>[\d.]+m?s) '
    r"\((?P<waiting>[\d.]+m?s) including waiting\)\. Image size: (?P<size>\d+) bytes\."
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def mirrored(
    tmp_path_factory: pytest.TempPathFactory, registry: Registry
) -> Iterator[tuple[Cluster, str]]:
    """A cluster that takes docker.io from the registry, and the digest of the image in there."""
    web = ["httpd", "-f", "-p", "8080", "-h", "/etc"]
    digest = registry.push("willvelida/kuard", "latest", busybox_image(cmd=web))
    directory = tmp_path_factory.mktemp("mirrored")
    settings = directory / "registries.yaml"
    mirror = {"docker.io": {"endpoint": [f"http://{registry.host}"]}}
    settings.write_text(json.dumps({"mirrors": mirror}))
    with cluster(directory, "--registry-config", str(settings)) as running:
        yield running, digest


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_the_manifest_word_for_word_runs_from_a_mirror(mirrored: tuple[Cluster, str], version: str):
    own, digest = mirrored
    own.podium("image", "rm", "willvelida/kuard", check=False)  # another version's run left it
    own.kubectl("apply", "-f", "-", stdin=MANIFEST, version=version)
    own.wait_ready("kuard")
    uid = own.get("pod", "kuard")["metadata"]["uid"]

    def events() -> list[dict[str, Any]]:
        items = own.get("events", "--field-selector", f"involvedObject.uid={uid}")["items"]
        return items if {"Scheduled", "Started"} <= {item["reason"] for item in items} else []

    # The scheduler tells of its part when it comes to that; the kubelet in order.
    said = {item["reason"]: item["message"] for item in eventually(events, "the last events")}
    kubelet = [reason for reason in said if reason != "Scheduled"]
    assert kubelet == ["Pulling", "Pulled", "Created", "Started"]
    assert said["Scheduled"] == "Successfully assigned default/kuard to node-1"
    assert said["Pulling"] == 'Pulling image "willvelida/kuard"'
    pulled = re.fullmatch(PULLED, said["Pulled"])
    assert pulled is not None, said["Pulled"]
    assert int(pulled["size"]) > 100_000
    assert said["Created"] == "Created container kuard"
    assert said["Started"] == "Started container kuard"

    description = own.kubectl("describe", "pods", "kuard", version=version).stdout
    assert re.search(r"Image: +willvelida/kuard\n", description)
    assert re.search(rf"Image ID: +docker\.io/willvelida/kuard@{digest}\n", description)
    assert "docker.io/willvelida/kuard" in own.podium("image", "ls").stdout
    own.kubectl("delete", "pods/kuard", "--now", version=version)
