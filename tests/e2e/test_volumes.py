"""Volumes as processes in containers find them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.cluster.config import load
from podium.runtime import linux
from podium.runtime.mounts import mount_points, unmount_below
from support.cluster import Cluster, eventually
from support.images import Entry, busybox_archive, layer
from support.outcomes import Outcome, outcomes

IMAGE, CONTENT = "localhost/volumes:1", "localhost/content:1"
NAMESPACE = "test-volumes"
_MS_SHARED = 1 << 20


def running(script: str, *mounts: dict[str, Any], volumes: Any, **more: Any) -> dict[str, Any]:
    """A Pod's spec with one container; *more* is of the Pod, but for ``container``."""
    own = more.pop("container", {})
    command = ["sh", "-c", f"exec 2>&1; {script}"]
    listed = {"name": "c", "image": IMAGE, "command": command, "volumeMounts": list(mounts)}
    return {"containers": [{**listed, **own}], "volumes": volumes, **more}


def at(path: str, name: str = "v", **more: Any) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **more}


EMPTY = [{"name": "v", "emptyDir": {}}]
IN_MEMORY = [{"name": "v", "emptyDir": {"medium": "Memory"}}]
LIMITED = [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
FILES = [
    {"name": "v", "downwardAPI": {"items": [
        {"path": "deep/name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
]  # fmt: skip
SIZE = "df -k /v | tail -1 | awk '{print $2}'"
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


def of_the_node() -> dict[str, dict[str, Any]]:
    """Directories that the node makes, and files that it writes."""
    return {
        "memory": running(
            f"dd if=/dev/zero of=/v/f bs=64k count=32; {SIZE}", at("/v"), volumes=LIMITED
        ),
        "memory-of-pod": running(
            SIZE,
            at("/v"),
            volumes=IN_MEMORY,
            container={"resources": {"limits": {"memory": "64Mi"}}},
        ),
        "group": running(
            "touch /v/mine; ls -ln /v | tail -1 | awk '{print $1,$3,$4}'; id -G; "
            f"ls -lnL {TOKEN}/token | awk '{{print $1,$3,$4}}'; "
            "ls -lnL /f/deep/name | awk '{print $1,$3,$4}'; cat /f/deep/name",
            at("/v"),
            at("/f", "f"),
            volumes=[*EMPTY, {**FILES[0], "name": "f"}],
            securityContext={"runAsUser": 1000, "fsGroup": 2000},
        ),
    }


def parts() -> dict[str, dict[str, Any]]:
    """What ``subPath`` shows, and where links in it lead."""
    linking = {
        "name": "i",
        "image": IMAGE,
        "command": ["sh", "-c", "ln -s /etc /v/out; ln -s real /v/in; mkdir /v/real"],
        "volumeMounts": [at("/v")],
    }
    return {
        "part": running(
            "echo one > /a/file; cat /all/deep/er/file; ls -ld /a | awk '{print $1}'",
            at("/a", subPath="deep/er"),
            at("/all"),
            volumes=EMPTY,
        ),
        "part-in": running(
            "touch /a/x; ls /all/real",
            at("/a", subPath="in"),
            at("/all"),
            volumes=EMPTY,
            initContainers=[linking],
        ),
        "part-out": running(
            "ls /a", at("/a", subPath="out"), volumes=EMPTY, initContainers=[linking]
        ),
        "restarted-part": running(
            "[ -e /a/x ] && echo again || { touch /a/x; exit 1; }",
            at("/a", subPath="p"),
            volumes=EMPTY,
            restartPolicy="OnFailure",
        ),
    }


def mounts(host: Path) -> dict[str, dict[str, Any]]:
    """Directories of the node, and the mounts in them."""
    on_host = [{"name": "v", "hostPath": {"path": str(host / "shared")}}]
    plain = [{"name": "v", "hostPath": {"path": str(host / "plain")}}]
    return {
        "read-only": running(
            "touch /v/x; touch /v/below/x && echo wrote", at("/v", readOnly=True), volumes=on_host
        ),
        "all-read-only": running(
            "touch /v/below/x || echo kept",
            at("/v", readOnly=True, recursiveReadOnly="Enabled"),
            volumes=on_host,
        ),
        "gives": running(
            "mkdir -p /v/given; mount -t tmpfs x /v/given && echo hello > /v/given/file",
            at("/v", mountPropagation="Bidirectional"),
            volumes=on_host,
            container={"securityContext": {"privileged": True}},
        ),
        "gets": running(
            "until cat /v/given/file; do sleep 0.1; done 2>/dev/null",
            at("/v", mountPropagation="HostToContainer"),
            volumes=on_host,
        ),
        "cannot-get": running(
            "true", at("/v", mountPropagation="HostToContainer"), volumes=plain
        ),
    }  # fmt: skip


def images() -> dict[str, dict[str, Any]]:
    """Images as volumes."""
    return {
        "image": running(
            "cat /v/etc/layered /p; touch /v/x; /v/bin/busybox true; ls -d /v/bin",
            at("/v"),
            at("/p", subPath="etc/layered"),
            volumes=[{"name": "v", "image": {"reference": CONTENT}}],
        ),
        "image-part-missing": running(
            "true",
            at("/v", subPath="no/such"),
            volumes=[{"name": "v", "image": {"reference": CONTENT}}],
        ),
        "image-missing": running(
            "true",
            at("/v"),
            volumes=[{"name": "v", "image": {"reference": "localhost/none:1",
                                             "pullPolicy": "Never"}}],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """``shared`` is a mount whose news travel, with another one ``below``; ``plain`` is neither."""
    directory = tmp_path_factory.mktemp("host")
    for name in ("shared", "plain"):
        (directory / name).mkdir()
        linux.mount("tmpfs", str(directory / name), "tmpfs")
    linux.mount("", str(directory / "shared"), flags=_MS_SHARED)
    linux.mount("", str(directory / "plain"), flags=linux.MS_PRIVATE)
    (directory / "shared/below").mkdir()
    linux.mount("tmpfs", str(directory / "shared/below"), "tmpfs")
    (directory / "shared/kept").write_text("x")
    yield directory
    unmount_below(directory)


@pytest.fixture(scope="module")
def seen(
    shared: Cluster, host: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Outcome]]:
    archive = busybox_archive(tmp_path_factory.mktemp("images") / "image.tar", IMAGE)
    shared.podium("image", "load", str(archive))
    layered = layer(Entry("etc/layered", b"layered\n"))
    archive = busybox_archive(archive.with_name("content.tar"), CONTENT, layers=[layered])
    shared.podium("image", "load", str(archive))
    yield outcomes(shared, NAMESPACE, of_the_node() | parts() | mounts(host) | images())
    for name in (IMAGE, CONTENT):
        shared.podium("image", "rm", "--force", name, check=False)


def test_memory_is_as_large_as_the_volume_or_the_pod_may_be(seen: dict[str, Outcome]):
    assert "No space left on device" in seen["memory"].log
    assert seen["memory"].lines[-1] == "1024"
    assert seen["memory-of-pod"].lines == [str(64 << 10)]


def test_volumes_belong_to_the_pods_group(seen: dict[str, Outcome]):
    assert seen["group"].lines == [
        "-rw-r--r-- 1000 2000",
        "0 2000",
        "-rw-r----- 1000 2000",
        "-rw-r--r-- 0 2000",
        "group",
    ]


def test_parts_of_volumes(seen: dict[str, Outcome]):
    assert seen["part"].lines == ["one", "drwxrwxrwx"]
    assert seen["part-in"].lines == ["x"]
    assert seen["restarted-part"].lines == ["again"]


def test_a_part_that_is_a_link_out_of_the_volume(seen: dict[str, Outcome]):
    text = 'failed to prepare subPath for volumeMount "v" of container "c"'
    assert seen["part-out"].message == text


def test_read_only_with_and_without_what_is_below(seen: dict[str, Outcome]):
    assert "touch: /v/x: Read-only file system" in seen["read-only"].log
    assert seen["read-only"].lines[-1] == "wrote"
    assert seen["all-read-only"].lines[-1] == "kept"
    (status,) = seen["all-read-only"].status["containerStatuses"]
    mounted = {mount["name"]: mount for mount in status["volumeMounts"]}
    assert mounted["v"]["recursiveReadOnly"] == "Enabled"


def test_mounts_travel_out_and_in(seen: dict[str, Outcome], host: Path):
    assert seen["gives"].lines == []
    assert seen["gets"].lines == ["hello"]
    assert (host / "shared/given/file").read_text() == "hello\n"
    assert f'path "{host}/plain" is mounted on "{host}/plain"' in seen["cannot-get"].message
    assert "not a shared or slave mount" in seen["cannot-get"].message


def test_images_as_volumes(seen: dict[str, Outcome]):
    log = seen["image"].log
    assert seen["image"].lines[:2] == ["layered", "layered"]
    assert "touch: /v/x: Read-only file system" in log
    assert "/v/bin/busybox: Permission denied" in log
    assert seen["image"].lines[-1] == "/v/bin"
    assert 'image sub path "no/such": no such file' in seen["image-part-missing"].message
    missing = seen["image-missing"].status["containerStatuses"][0]["state"]["waiting"]
    assert missing["reason"] == "ErrImageNeverPull"


def test_nothing_is_left_and_nothing_of_the_nodes_is_touched(
    seen: dict[str, Outcome], shared: Cluster, host: Path
):
    for outcome in seen.values():
        uid = outcome.pod["metadata"]["uid"]
        eventually(lambda uid=uid: not left_of(shared, uid), f"an end of what {uid} has left")
    assert (host / "shared/kept").read_text() == "x"
    assert (host / "shared/below/x").exists()


def left_of(cluster: Cluster, uid: str) -> list[str]:
    config = load(cluster.data_dir)
    assert config is not None
    roots = (config.kubelet_dir, config.run_dir / "kubelet")
    directories = [root / "pods" / uid for root in roots]
    found = [str(path) for path in directories if path.exists()]
    return found + [mount.path for mount in mount_points() if uid in mount.path]
