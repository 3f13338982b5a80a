"""exec, attach, port-forward and cp by unmodified kubectls: 1.28 speaks SPDY, 1.37 WebSocket."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.cluster import KUBECTL, Cluster, eventually, pod

pytestmark = pytest.mark.parametrize("version", ["1.28", "1.37"])
#: The size comes a moment after the start.
WINDOW = "while [ \"$(stty size)\" != '40 120' ]; do sleep 0.02; done; stty size"
SCRIPT = "echo hi > /tmp/index.html; httpd -p 8081 -h /tmp; while true; do sleep 1; done"


@pytest.fixture(scope="module")
def target(shared: Cluster) -> Iterator[str]:
    """A Pod of two containers; in ``c`` a shell serves a page."""
    quiet = {"name": "quiet", "image": "localhost/kuard:demo"}
    spec = pod("streams", "sh", "-c", SCRIPT, container={"name": "c"})
    spec["spec"] |= {"terminationGracePeriodSeconds": 1}
    spec["spec"]["containers"].append(quiet)
    shared.apply(spec)
    shared.kubectl("wait", "--for=condition=Ready", "pod/streams", "--timeout=60s")
    yield "streams"
    shared.kubectl("delete", "pod", "streams")


def call(
    shared: Cluster, version: str, *words: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [KUBECTL[version], "--kubeconfig", shared.kubeconfig, *words],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def in_c(
    shared: Cluster, version: str, *command: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    flags = ["-i"] if stdin is not None else []
    words = ("exec", *flags, "streams", "-c", "c", "--", *command)
    return call(shared, version, *words, stdin=stdin or b"")


def test_output_errors_and_exit_code(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (answer.returncode, answer.stdout) == (7, b"out\n")
    assert answer.stderr == b"err\ncommand terminated with exit code 7\n"


def test_a_command_that_is_not_there(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "nosuch")
    assert (answer.returncode, answer.stdout) == (1, b"")
    text = re.sub(r"[0-9a-f]{64}", "ID", answer.stderr.decode())
    assert text == (
        "error: Internal error occurred: error executing command in container: failed to exec in "
        'container: failed to start exec "ID": OCI runtime exec failed: exec failed: unable to '
        'start container process: exec: "nosuch": executable file not found in $PATH: unknown\n'
    )


def test_bytes_go_there_and_back(shared: Cluster, target: str, version: str):
    data = os.urandom(20_000_000)
    answer = in_c(shared, version, "cat", stdin=data)
    assert hashlib.sha256(answer.stdout).digest() == hashlib.sha256(data).digest()


def test_the_end_of_the_input_reaches_the_command(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "sh", "-c", "cat > /tmp/in; wc -c < /tmp/in", stdin=b"12345")
    assert answer.stdout.strip() == b"5"


def test_a_container_that_does_not_run(shared: Cluster, target: str, version: str, namespace: str):
    spec = pod("over", "true", restartPolicy="Never")
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    done = "--for=jsonpath={.status.phase}=Succeeded"
    shared.kubectl("-n", namespace, "wait", done, "pod/over", "--timeout=60s")
    answer = call(shared, version, "-n", namespace, "exec", "over", "--", "true")
    assert answer.returncode == 1
    assert b"cannot exec into a container in a completed pod" in answer.stderr


def test_a_terminal(shared: Cluster, target: str, version: str, tmp_path: Path):
    """Through a real pseudo-terminal: keys, echo, the size, the exit code."""
    pid, terminal = os.forkpty()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execv(
            KUBECTL[version],
            ["kubectl", "--kubeconfig", str(shared.kubeconfig), "exec", "-it", target, "-c", "c",
             "--", "sh", "-c", f"{WINDOW}; read line; echo got $line; exit 9"],
        )  # fmt: skip
    seen = b""

    def until(pattern: bytes) -> None:
        nonlocal seen
        while not re.search(pattern, seen):
            seen += os.read(terminal, 1000)

    until(rb"40 120\r\n")
    os.write(terminal, b"hello\n")
    until(rb"got hello\r\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 9


def test_attach(shared: Cluster, version: str, namespace: str):
    stdin = {"stdin": True, "stdinOnce": True}
    script = "read line; echo got $line"
    spec = pod("reads", "sh", "-c", script, container=stdin, restartPolicy="Never")
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    shared.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/reads", "--timeout=60s")
    answer = call(shared, version, "-n", namespace, "attach", "-i", "reads", stdin=b"words\n")
    assert (answer.returncode, answer.stdout) == (0, b"got words\n")


@contextmanager
def forwarding(shared: Cluster, version: str, port: int) -> Iterator[tuple[str, Path]]:
    log = shared.data_dir.with_name(f"forward-{version}-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [KUBECTL[version], "--kubeconfig", shared.kubeconfig, "port-forward", "pod/streams",
             f":{port}", "--address", "127.0.0.1"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        eventually(lambda: "Forwarding from" in log.read_text(), "forwarding")
        yield re.findall(r"127\.0\.0\.1:\d+", log.read_text())[0], log
    finally:
        process.kill()
        process.wait()


def test_port_forward(shared: Cluster, target: str, version: str):
    with forwarding(shared, version, 8081) as (address, _):
        for _ in range(5):
            with urlopen(f"http://{address}/index.html", timeout=20) as answer:
                assert answer.read() == b"hi\n"


def test_port_forward_to_a_port_that_refuses(shared: Cluster, target: str, version: str):
    with forwarding(shared, version, 81) as (address, log):
        with pytest.raises(OSError, match=r"."):
            urlopen(f"http://{address}/", timeout=20)
        refused = "IPv6 dial tcp6 [::1]:81: connect: connection refused"
        eventually(lambda: refused in log.read_text(), "refusal")
        assert "error forwarding port 81 to pod " in log.read_text()


def test_cp_both_ways(shared: Cluster, target: str, version: str, tmp_path: Path):
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "below").mkdir(parents=True)
    (there / "below" / "data").write_bytes(os.urandom(300_000))
    where = f"streams:/tmp/copied-{version}"
    assert call(shared, version, "cp", "-c", "c", str(there), where).returncode == 0
    assert call(shared, version, "cp", "-c", "c", where, str(back)).returncode == 0
    copied = (back / "below" / "data").read_bytes()
    assert copied == (there / "below" / "data").read_bytes()


def test_a_client_that_vanishes_leaves_no_process(shared: Cluster, target: str, version: str):
    mark = f"4{int(time.time())}"
    process = subprocess.Popen(
        [KUBECTL[version], "--kubeconfig", shared.kubeconfig, "exec", "streams", "-c", "c", "--",
         "sleep", mark],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def sleeps() -> bool:
        listed = in_c(shared, version, "ps").stdout.decode()
        return f"sleep {mark}" in listed

    eventually(sleeps, "the command's start")
    process.kill()
    process.wait()
    eventually(lambda: not sleeps(), "the command's end")
