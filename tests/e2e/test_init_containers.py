"""Init containers, sidecars, ephemeral containers and shared processes, with real containers."""

from __future__ import annotations

from typing import Any

from support.cluster import Cluster, eventually, pod

IMAGE = "localhost/kuard:demo"


def container(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


def make(shared: Cluster, namespace: str, name: str, **spec: Any) -> None:
    manifest = pod(name)
    manifest["spec"] |= {"terminationGracePeriodSeconds": 5, **spec}
    shared.apply({**manifest, "metadata": {"name": name, "namespace": namespace}})


def phase(shared: Cluster, namespace: str, name: str, wanted: str) -> dict[str, Any]:
    wait = f"--for=jsonpath={{.status.phase}}={wanted}"
    shared.kubectl("-n", namespace, "wait", f"pod/{name}", "--timeout=60s", wait)
    status: dict[str, Any] = shared.get("pod", name, "-n", namespace)["status"]
    return status


def logs(shared: Cluster, namespace: str, name: str, of: str) -> str:
    return shared.kubectl("-n", namespace, "logs", name, "-c", of, check=False).stdout


def test_init_containers_prepare_what_the_others_find(shared: Cluster, namespace: str):
    volume = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    make(
        shared,
        namespace,
        "init",
        restartPolicy="Never",
        volumes=[{"name": "d", "emptyDir": {}}],
        initContainers=[
            container("one", "echo one >> /d/o; until [ -e /d/go ]; do sleep 0.05; done", **volume),
            container("two", "echo two >> /d/o", **volume),
        ],
        containers=[container("c", "echo app >> /d/o; cat /d/o", **volume)],
    )

    def row() -> list[str]:
        listed = shared.kubectl("-n", namespace, "get", "pod", "init", "--no-headers", check=False)
        return listed.stdout.split()

    eventually(lambda: row()[1:3] == ["0/1", "Init:0/2"], "the first init container")
    uid = shared.get("pod", "init", "-n", namespace)["metadata"]["uid"]
    found = list((shared.data_dir / "kubelet").glob(f"pods/{uid}/volumes/*/d"))
    assert len(found) == 1
    (found[0] / "go").touch()

    phase(shared, namespace, "init", "Succeeded")
    assert logs(shared, namespace, "init", "c") == "one\ntwo\napp\n"


def test_sidecars_start_first_and_end_last(shared: Cluster, namespace: str):
    note = "trap 'echo end $0 >> /d/o; {} exit 0' TERM; echo begin $0 >> /d/o; {}"
    volume = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}

    def noting(name: str, then: str, *at_the_end: str, **more: Any) -> dict[str, Any]:
        made = container(name, note.format("".join(at_the_end), then), **volume, **more)
        made["command"].append(name)
        return made

    def sidecar(name: str, *at_the_end: str) -> dict[str, Any]:
        """The next container starts once this one's hook is done: when it listens to SIGTERM."""
        begun = ["sh", "-c", f"until grep -q 'begin {name}' /d/o; do sleep 0.05; done"]
        hook = {"lifecycle": {"postStart": {"exec": {"command": begun}}}}
        forever = "while :; do sleep 0.05; done"
        return noting(name, forever, *at_the_end, restartPolicy="Always", **hook)

    make(
        shared,
        namespace,
        "sides",
        restartPolicy="Never",
        volumes=[{"name": "d", "emptyDir": {}}],
        terminationGracePeriodSeconds=60,
        initContainers=[sidecar("log", "cat /d/o;"), sidecar("s"), sidecar("t")],
        containers=[noting("main", "echo end main >> /d/o")],
    )

    status = phase(shared, namespace, "sides", "Succeeded")

    assert all("terminated" in s["state"] for s in status["initContainerStatuses"])
    assert logs(shared, namespace, "sides", "log").splitlines() == [
        "begin log", "begin s", "begin t", "begin main", "end main", "end t", "end s", "end log",
    ]  # fmt: skip


def test_kubectl_debug_looks_at_the_processes_of_its_target(shared: Cluster, namespace: str):
    make(shared, namespace, "p", containers=[container("c", "exec sleep 3600")])
    shared.wait_ready("p", namespace=namespace)

    script = "ps -o pid,args; grep CapEff /proc/self/status"
    shared.kubectl(
        "-n", namespace, "debug", "p", f"--image={IMAGE}", "--target=c", "-c", "dbg",
        "--image-pull-policy=IfNotPresent", "--", "sh", "-c", script,
    )  # fmt: skip

    def ended() -> Any:
        found = shared.get("pod", "p", "-n", namespace)["status"].get("ephemeralContainerStatuses")
        return found and found[0]["state"].get("terminated")

    assert eventually(ended, "the end of the debugger")["exitCode"] == 0
    seen = logs(shared, namespace, "p", "dbg")
    assert "1 sleep 3600" in seen
    effective = int(seen.rpartition("CapEff:")[2], 16)
    assert effective >> 19 & 1, "SYS_PTRACE, which kubectl debug asks for"
    assert shared.get("pod", "p", "-n", namespace)["status"]["phase"] == "Running"


def test_containers_share_processes_where_the_pod_says_so(shared: Cluster, namespace: str):
    make(
        shared,
        namespace,
        "p",
        shareProcessNamespace=True,
        containers=[
            container("a", "exec sleep 3601"),
            container("b", "until ps -o args | grep -q '^sleep 3601'; do sleep 0.05; done; "
                           "ps -o pid,args; sleep 3600"),
        ],
    )  # fmt: skip
    shared.wait_ready("p", namespace=namespace)
    eventually(lambda: "sleep 3601" in logs(shared, namespace, "p", "b"), "the other's process")
    assert "1 /pause" in logs(shared, namespace, "p", "b")
