"""Our kubectl beside the real one, where a node is needed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from urllib.request import urlopen

from support.cluster import KUBECTL, Cluster, eventually, pod, run

OURS = (Path(KUBECTL["1.37"]).parent / "podium", "kubectl")


def test_commands_are_executed_as_the_real_one_does(shared: Cluster, namespace: str):
    spec = pod("two", "sleep", "1000", container={"name": "c"}, terminationGracePeriodSeconds=1)
    spec["spec"]["containers"].append({"name": "quiet", "image": "localhost/kuard:demo"})
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    ready = "--for=condition=Ready"
    shared.kubectl("-n", namespace, "wait", ready, "pod/two", "--timeout=60s")

    def both(*words: str, stdin: bytes = b"") -> None:
        found = [
            subprocess.run(
                [*program, "--kubeconfig", shared.kubeconfig, "-n", namespace, "exec",
                 *words],
                input=stdin, capture_output=True, timeout=60, check=False,
            )
            for program in ((KUBECTL["1.37"],), OURS)
        ]  # fmt: skip
        theirs, ours = [
            (one.returncode, one.stdout, re.sub(rb"[0-9a-f]{64}", b"ID", one.stderr))
            for one in found
        ]
        assert ours == theirs

    both("two", "-c", "c", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    both("two", "--", "true")
    both("two", "-c", "c", "--", "nosuch")
    both("two", "-c", "nosuch", "--", "true")
    both("nosuch", "--", "true")
    both("two", "-c", "c", "-i", "--", "cat", stdin=os.urandom(500_000))
    both("two")
    at_rest(shared, namespace)
    for words in (("describe", "pod", "two"), ("describe", "node"), ("top", "pod", "two"),
                  ("top", "pod", "two", "--containers", "--sum"), ("top", "node"),
                  ("events", "--for", "pod/two")):  # fmt: skip
        theirs, ours = (
            run(*program, "--kubeconfig", shared.kubeconfig, "-n", namespace, *words).stdout
            for program in ((KUBECTL["1.37"],), OURS)
        )
        assert _without_numbers(ours) == _without_numbers(theirs)


def _without_numbers(text: str) -> str:
    """What both say of a moment each: amounts and times, and the room that they take, aside."""
    ages = re.sub(r"\b(\d+[dhm])?\d+[hms]\b", "AGE", text)
    return re.sub(r" +", " ", re.sub(r"\d+", "N", ages))


def at_rest(shared: Cluster, namespace: str) -> None:
    """Wait until both see the same: what former tests left has gone, what is measured is there."""

    def alone() -> bool:
        _, pods = shared.request("GET", "/api/v1/pods")
        others = [pod["metadata"] for pod in pods["items"]]
        others = [about for about in others if about["namespace"] != namespace]
        for about in others:  # whose ends may be granted half a minute
            path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"
            shared.request("DELETE", f"{path}?gracePeriodSeconds=0")
        return not others

    def measured() -> bool:
        commands = (("top", "pod", "-n", namespace), ("top", "node"))
        return not any(shared.kubectl(*words, check=False).returncode for words in commands)

    def told() -> bool:
        text = shared.kubectl("events", "--for", "pod/two", "-n", namespace).stdout
        return text.count("Started container") == 2 and "Successfully assigned" in text

    eventually(alone, "the end of other Pods")
    eventually(measured, "the first samples")
    eventually(told, "the last events")


def test_what_is_run_and_debugged_ends_as_the_real_ones_does(shared: Cluster, namespace: str):
    """A Pod that is there for one command, and a container beside it that is there for another."""
    spec = pod("web", terminationGracePeriodSeconds=1)
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    shared.wait_ready("web", namespace=namespace)

    def both(*words: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        found = []
        for number, program in enumerate(((KUBECTL["1.37"],), OURS)):
            done = subprocess.run(
                [*program, "-n", namespace, *(word.format(number) for word in words)],
                input=stdin, capture_output=True, timeout=120, check=False,
                env=os.environ | shared.environment,
            )  # fmt: skip
            found.append((done.returncode, done.stdout, done.stderr))
        assert found[0] == found[1]
        return found[0]

    image = "--image=localhost/kuard:demo"
    code, out, said = both(
        "run", "once", "-i", "--rm", "--restart=Never", image, "--command", "--",
        "sh", "-c", "read line; echo got $line; exit 3", stdin=b"words\n",
    )  # fmt: skip
    deleted = f'pod "once" deleted from {namespace} namespace\n'
    assert (code, out) == (3, f"got words\n{deleted}".encode())
    assert said.endswith(f"pod {namespace}/once terminated (Error)\n".encode())
    answer = both("debug", "web", "-i", "-q", "-c", "beside-{}", image, "--", "head", "-n", "1",
                  stdin=b"words\n")  # fmt: skip
    assert answer == (0, b"words\n", b"")


def test_copies(shared: Cluster, namespace: str, tmp_path: Path):
    """Both ways between our kubectl and upstream's; and where to is a directory."""
    spec = pod("files", "sleep", "1000", terminationGracePeriodSeconds=1)
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    shared.wait_ready("files", namespace=namespace)
    there = tmp_path / "there"
    (there / "below").mkdir(parents=True)
    (there / "below" / "data").write_bytes(os.urandom(700_000))
    (there / "link").symlink_to("below")

    def ours(*words: str | Path) -> subprocess.CompletedProcess[str]:
        environment = shared.environment
        return run(*OURS, "-n", namespace, "cp", *words, env=environment)

    ours(there, "files:/tmp/there")
    ours(there, "files:/tmp/there")  # into it, as it is there now
    shared.kubectl("-n", namespace, "cp", "files:/tmp/there", str(tmp_path / "theirs"))
    said = ours("files:/tmp/there", tmp_path / "ours")
    assert f'skipping symlink: "{tmp_path}/ours/link" -> "below"' in said.stderr
    for copy in (tmp_path / "theirs", tmp_path / "ours", tmp_path / "ours" / "there"):
        assert (copy / "below" / "data").read_bytes() == (there / "below" / "data").read_bytes()


def test_a_port_forward_outlives_the_pod(shared: Cluster, namespace: str, tmp_path: Path):
    spec = pod("web", terminationGracePeriodSeconds=1)
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    shared.wait_ready("web", namespace=namespace)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*OURS, "-n", namespace, "port-forward", "pod/web", ":8080"],
            stdout=output, stderr=output, env=os.environ | shared.environment,
        )  # fmt: skip
    try:
        eventually(lambda: log.read_text().count("Forwarding from") == 2, "forwarding")
        [address, _] = re.findall(r"Forwarding from (\S+) -> 8080", log.read_text())

        def served() -> bool:
            try:
                with urlopen(f"http://{address}/healthy", timeout=60) as answer:
                    return bool(answer.read() == b"ok\n")
            except OSError:
                return False  # it runs, and does not listen yet

        eventually(served, "the page")
        shared.kubectl("-n", namespace, "delete", "pod", "web")
        shared.apply(spec)
        eventually(served, "the page of the Pod that took its place")
        assert f"Handling connection for {address.rpartition(':')[2]}\n" in log.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
