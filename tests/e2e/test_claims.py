"""PersistentVolumeClaims, from the claim to the directory and back to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.cluster.config import load
from support.cluster import Cluster, eventually
from support.images import busybox_archive

IMAGE = "localhost/claims:1"


@pytest.fixture(scope="module", autouse=True)
def image(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    archive = busybox_archive(tmp_path_factory.mktemp("images") / "image.tar", IMAGE)
    shared.podium("image", "load", str(archive))
    yield
    shared.podium("image", "rm", "--force", IMAGE, check=False)


def claim(namespace: str, name: str = "data", **spec: Any) -> dict[str, Any]:
    wish = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**wish, **spec},
    }


def pod(namespace: str, name: str, script: str, source: Any = None, **more: Any) -> dict[str, Any]:
    source = source or {"persistentVolumeClaim": {"claimName": "data"}}
    container = {
        "name": "c",
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            "volumes": [{"name": "v", **source}],
            **more,
        },
    }


def over(cluster: Cluster, namespace: str, name: str) -> str:
    """Wait for a Pod's end; return what it said."""

    def phase() -> bool:
        found = cluster.get("pod", name, "-n", namespace)
        return found["status"]["phase"] in ("Succeeded", "Failed")

    eventually(phase, f"an end of {name}")
    return cluster.kubectl("logs", name, "-n", namespace).stdout


def messages(cluster: Cluster, namespace: str, name: str) -> list[str]:
    events = cluster.get("events", "-n", namespace)["items"]
    about = [event for event in events if event["involvedObject"]["name"] == name]
    return [f"{event['reason']}: {event['message']}" for event in about]


def test_the_default_class_makes_a_directory_and_takes_it_away(shared: Cluster, namespace: str):
    shared.apply(claim(namespace))
    text = "WaitForFirstConsumer: waiting for first consumer to be created before binding"
    eventually(lambda: text in messages(shared, namespace, "data"), text)

    user = {"securityContext": {"runAsUser": 1000, "fsGroup": 2000}}
    shared.apply(pod(namespace, "writer", "echo kept > /v/file; ls -ldn /v", **user))
    assert "drwxrwsrwx" in over(shared, namespace, "writer")
    shared.apply(pod(namespace, "reader", "cat /v/file; ls -ln /v | tail -1", **user))
    told = over(shared, namespace, "reader").splitlines()
    assert told[0] == "kept"
    assert told[1].split()[2:4] == ["1000", "2000"]

    found = shared.get("pvc", "data", "-n", namespace)
    volume = shared.get("pv", found["spec"]["volumeName"])
    assert found["spec"]["storageClassName"] == "local-path"
    assert (found["status"]["phase"], volume["status"]["phase"]) == ("Bound", "Bound")
    assert found["status"]["capacity"] == {"storage": "1Mi"}
    path = Path(volume["spec"]["local"]["path"])
    config = load(shared.data_dir)
    assert config is not None
    assert path.parent == config.storage_dir
    assert (path / "file").read_text() == "kept\n"
    name = volume["metadata"]["name"]
    text = f"ProvisioningSucceeded: Successfully provisioned volume {name}"
    eventually(lambda: text in messages(shared, namespace, "data"), text)

    shared.kubectl("delete", "pod", "writer", "reader", "-n", namespace)
    assert (path / "file").exists(), "the Pods are gone, the claim is not"
    shared.kubectl("delete", "pvc", "data", "-n", namespace)
    eventually(lambda: not path.exists(), "an end of the directory")
    eventually(
        lambda: not shared.kubectl("get", "pv", name, "--ignore-not-found").stdout,
        "an end of the volume",
    )


def test_a_volume_of_the_node_is_kept(shared: Cluster, namespace: str, tmp_path: Path):
    """A static volume on a path of the node: bound by its size, released, never emptied."""
    name = f"static-{namespace}"
    (tmp_path / "file").write_text("mine\n")
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "2Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": "",
            "hostPath": {"path": str(tmp_path), "type": "Directory"},
        },
    }
    shared.apply(volume, claim(namespace, storageClassName=""))
    shared.apply(pod(namespace, "reader", "cat /v/file"))
    assert over(shared, namespace, "reader") == "mine\n"
    assert shared.get("pvc", "data", "-n", namespace)["spec"]["volumeName"] == name

    shared.kubectl("delete", "pod", "reader", "-n", namespace)
    shared.kubectl("delete", "pvc", "data", "-n", namespace)

    def failed() -> bool:
        return bool(shared.get("pv", name)["status"]["phase"] == "Failed")

    eventually(failed, "a volume that nobody deletes")
    status = shared.get("pv", name)["status"]
    assert "no deletable volume plugin matched" in status["message"]
    assert (tmp_path / "file").read_text() == "mine\n"
    shared.kubectl("delete", "pv", name)


def test_ephemeral_volumes_live_as_long_as_their_pods(shared: Cluster, namespace: str):
    template = {"spec": claim(namespace)["spec"]}
    source = {"ephemeral": {"volumeClaimTemplate": template}}
    shared.apply(pod(namespace, "user", "touch /v/x && ls /v", source))
    assert over(shared, namespace, "user") == "x\n"
    assert shared.get("pvc", "user-v", "-n", namespace)["status"]["phase"] == "Bound"
    shared.kubectl("delete", "pod", "user", "-n", namespace)
    eventually(
        lambda: (
            not shared.kubectl("get", "pvc", "user-v", "-n", namespace, "--ignore-not-found").stdout
        ),
        "an end of the claim",
    )


def test_a_claim_gets_the_default_class_later(shared: Cluster, namespace: str):
    key = "storageclass.kubernetes.io/is-default-class"
    shared.kubectl("annotate", "--overwrite", "sc", "local-path", f"{key}=false")
    shared.apply(claim(namespace))
    assert "storageClassName" not in shared.get("pvc", "data", "-n", namespace)["spec"]
    shared.kubectl("annotate", "--overwrite", "sc", "local-path", f"{key}=true")

    def class_name() -> str | None:
        spec: dict[str, str] = shared.get("pvc", "data", "-n", namespace)["spec"]
        return spec.get("storageClassName")

    assert eventually(class_name, "a class") == "local-path"


def test_only_one_pod_has_what_only_one_may_have(shared: Cluster, namespace: str):
    shared.apply(claim(namespace, accessModes=["ReadWriteOncePod"]))
    shared.apply(pod(namespace, "first", "sleep 3600"))
    shared.wait_ready("first", namespace=namespace)
    shared.apply(pod(namespace, "second", "true"))
    text = (
        "FailedScheduling: 0/1 nodes are available: 1 node has pod using PersistentVolumeClaim "
        "with the same name and ReadWriteOncePod access mode."
    )
    eventually(lambda: any(m.startswith(text) for m in messages(shared, namespace, "second")), text)
    shared.kubectl("delete", "pod", "first", "-n", namespace)
    over(shared, namespace, "second")
