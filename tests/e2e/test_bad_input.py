"""Bad input: Kubernetes' own error or status, and nothing left behind."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.cluster import Cluster, eventually, pod

NOT_YAML = "apiVersion: v1\nkind: Pod\n  metadata: [\n"


def changed(**container: Any) -> dict[str, Any]:
    manifest = pod("bad")
    manifest["spec"]["containers"][0].update(container)
    return manifest


def without_image() -> dict[str, Any]:
    manifest = pod("bad")
    del manifest["spec"]["containers"][0]["image"]
    return manifest


def twice() -> dict[str, Any]:
    manifest = pod("bad")
    manifest["spec"]["containers"] *= 2
    return manifest


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        pytest.param(
            changed(ports="8080"),
            'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into '
            "Go struct field Container.spec.containers.ports of type []v1.ContainerPort",
            id="wrong-type",
        ),
        pytest.param(
            changed(imagePolicy="Always"),
            'strict decoding error: unknown field "spec.containers[0].imagePolicy"',
            id="unknown-field",
        ),
        pytest.param(
            without_image(),
            "spec.containers[0].image: Required value",
            id="no-image",
        ),
        pytest.param(
            {**pod("bad"), "metadata": {"name": "Not_A_Name"}},
            'metadata.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must',
            id="invalid-name",
        ),
        pytest.param(
            twice(),
            'spec.containers[1].name: Duplicate value: "main"',
            id="duplicate-container",
        ),
        pytest.param(
            changed(resources={"limits": {"memory": "-1Mi"}}),
            'spec.containers[0].resources.limits[memory]: Invalid value: "-1Mi": '
            "must be greater than or equal to 0",
            id="negative-limit",
        ),
        pytest.param(NOT_YAML, "error parsing STDIN: error converting YAML to JSON", id="not-yaml"),
    ],
)
@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_refused_in_upstream_s_words(
    shared: Cluster, namespace: str, manifest: Any, words: str, version: str
):
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    for verb in ("apply", "create"):
        refused = shared.kubectl(
            "-n", namespace, verb, "-f", "-", stdin=text, version=version, check=False
        )
        assert refused.returncode == 1
        assert words in refused.stderr
    assert shared.get("pods", "-n", namespace)["items"] == []


def waits_for(shared: Cluster, namespace: str, reason: str) -> dict[str, Any]:
    """Wait until the container waits for *reason*; return its status of that moment."""

    def look() -> dict[str, Any] | None:
        statuses = shared.get("pod", "bad", "-n", namespace)["status"].get("containerStatuses")
        waiting = statuses[0]["state"].get("waiting", {}) if statuses else {}
        return statuses[0] if waiting.get("reason") == reason else None

    found: dict[str, Any] = eventually(look, reason)
    return found


def events(shared: Cluster, namespace: str) -> list[tuple[str, str]]:
    found = shared.get("events", "-n", namespace)["items"]
    return [(item["reason"], item["message"]) for item in found]


def apply(shared: Cluster, namespace: str, manifest: dict[str, Any]) -> None:
    shared.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}})


def test_an_image_that_does_not_exist(shared: Cluster, namespace: str):
    apply(shared, namespace, pod("bad", image="127.0.0.1:1/no/such:1"))
    waiting = waits_for(shared, namespace, "ImagePullBackOff")["state"]["waiting"]
    assert 'Back-off pulling image "127.0.0.1:1/no/such:1"' in waiting["message"]
    expected = ("Failed", "Error: ErrImagePull")
    eventually(lambda: expected in events(shared, namespace), "what came of the pull")
    assert any(  # told of before that
        reason == "Failed" and text.startswith('Failed to pull image "127.0.0.1:1/no/such:1": ')
        for reason, text in events(shared, namespace)
    )
    shared.kubectl("-n", namespace, "delete", "pod", "bad", "--now")


def test_a_command_that_does_not_exist(shared: Cluster, namespace: str):
    apply(shared, namespace, pod("bad", "/no/such", restartPolicy="Never"))
    shared.kubectl(
        "-n", namespace, "wait", "pod/bad", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s"
    )
    (status,) = shared.get("pod", "bad", "-n", namespace)["status"]["containerStatuses"]
    ended = status["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert 'exec: "/no/such": stat /no/such: no such file or directory: unknown' in ended["message"]
    eventually(
        lambda: any(
            reason == "Failed" and text.startswith("Error: failed to create containerd task: ")
            for reason, text in events(shared, namespace)
        ),
        "the event",
    )


def test_a_container_that_exits_at_once_crash_loops(shared: Cluster, namespace: str):
    apply(shared, namespace, pod("bad", "sh", "-c", "exit 7"))
    status = waits_for(shared, namespace, "CrashLoopBackOff")
    assert re.match(
        r"back-off \d0s restarting failed container=main pod=bad_",
        status["state"]["waiting"]["message"],
    )
    assert status["lastState"]["terminated"]["exitCode"] == 7
    assert status["restartCount"] >= 1
    expected = ("BackOff", "Back-off restarting failed container")
    eventually(lambda: expected in events(shared, namespace), "the event")
    shared.kubectl("-n", namespace, "delete", "pod", "bad", "--now")
