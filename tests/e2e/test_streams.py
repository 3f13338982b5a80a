"""exec, attach, port-forward, cp and logs by unmodified kubectls, and by our own.

Up to 1.30 they speak SPDY, from 1.31 on WebSocket; ours does as the newest.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from websocket import ABNF, WebSocket, create_connection

from support.cluster import KUBECTL, PODIUM, Cluster, eventually, pod

OURS = "ours"
#: For what each of them does in its own way, and for what depends on the protocol alone.
EVERY_CLIENT = pytest.mark.parametrize("version", ["1.28", "1.30", "1.31", "1.33", "1.37", OURS])
BOTH_PROTOCOLS = pytest.mark.parametrize("version", ["1.28", "1.37"])
#: The size comes a moment after the start.
WINDOW = "while [ \"$(stty size)\" != '40 120' ]; do sleep 0.02; done; stty size"
SCRIPT = "echo hi > /tmp/index.html; httpd -p 8081 -h /tmp; while true; do sleep 1; done"


@pytest.fixture(scope="module")
def target(shared: Cluster) -> Iterator[str]:
    """A Pod of three containers; in ``c`` a shell serves a page, ``echo`` answers each line."""
    quiet = {"name": "quiet", "image": "localhost/kuard:demo"}
    answer = "while read line; do echo got $line; done"
    echo = quiet | {"name": "echo", "stdin": True, "command": ["sh", "-c", answer]}
    spec = pod("streams", "sh", "-c", SCRIPT, container={"name": "c"})
    spec["spec"] |= {"terminationGracePeriodSeconds": 1}
    spec["spec"]["containers"] += [quiet, echo]
    shared.apply(spec)
    shared.kubectl("wait", "--for=condition=Ready", "pod/streams", "--timeout=60s")
    page = ("wget", "-qO-", "http://127.0.0.1:8081/index.html")
    eventually(lambda: in_c(shared, "1.37", *page).stdout == b"hi\n", "a shell that serves it")
    yield "streams"
    shared.kubectl("delete", "pod", "streams")


def program(shared: Cluster, version: str) -> list[str]:
    own = [str(PODIUM), "kubectl"] if version == OURS else [str(KUBECTL[version])]
    return [*own, "--kubeconfig", str(shared.kubeconfig)]


@contextmanager
def started(
    shared: Cluster, version: str, *words: str, stdin: bytes | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A kubectl that goes on by itself, *stdin* written and left open; it is killed at the end."""
    with subprocess.Popen(
        [*program(shared, version), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        try:
            if stdin is not None:
                process.stdin.write(stdin)
                process.stdin.flush()
            yield process
        finally:
            process.kill()


def read_to(process: subprocess.Popen[bytes], line: bytes) -> bool:
    """Read on to a *line*; return whether it came before the end."""
    assert process.stdout is not None
    return line in process.stdout


def call(
    shared: Cluster, version: str, *words: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*program(shared, version), *words],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def in_c(
    shared: Cluster, version: str, *command: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    flags = ["-i"] if stdin is not None else []
    words = ("exec", *flags, "streams", "-c", "c", "--", *command)
    return call(shared, version, *words, stdin=stdin or b"")


@EVERY_CLIENT
def test_output_errors_and_exit_code(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (answer.returncode, answer.stdout) == (7, b"out\n")
    assert answer.stderr == b"err\ncommand terminated with exit code 7\n"


@BOTH_PROTOCOLS
def test_a_command_that_is_not_there(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "nosuch")
    assert (answer.returncode, answer.stdout) == (1, b"")
    text = re.sub(r"[0-9a-f]{64}", "ID", answer.stderr.decode())
    assert text == (
        "error: Internal error occurred: error executing command in container: failed to exec in "
        'container: failed to start exec "ID": OCI runtime exec failed: exec failed: unable to '
        'start container process: exec: "nosuch": executable file not found in $PATH: unknown\n'
    )


@BOTH_PROTOCOLS
def test_bytes_go_there_and_back(shared: Cluster, target: str, version: str):
    data = os.urandom(20_000_000)
    answer = in_c(shared, version, "cat", stdin=data)
    assert hashlib.sha256(answer.stdout).digest() == hashlib.sha256(data).digest()


@BOTH_PROTOCOLS
def test_the_end_of_the_input_reaches_the_command(shared: Cluster, target: str, version: str):
    answer = in_c(shared, version, "sh", "-c", "cat > /tmp/in; wc -c < /tmp/in", stdin=b"12345")
    assert answer.stdout.strip() == b"5"


@BOTH_PROTOCOLS
def test_a_container_that_does_not_run(shared: Cluster, target: str, version: str, namespace: str):
    spec = pod("over", "true", restartPolicy="Never")
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    done = "--for=jsonpath={.status.phase}=Succeeded"
    shared.kubectl("-n", namespace, "wait", done, "pod/over", "--timeout=60s")
    answer = call(shared, version, "-n", namespace, "exec", "over", "--", "true")
    assert answer.returncode == 1
    assert b"cannot exec into a container in a completed pod" in answer.stderr


@EVERY_CLIENT
def test_a_terminal(shared: Cluster, target: str, version: str, tmp_path: Path):
    """Through a real pseudo-terminal: keys, echo, the size, the exit code."""
    pid, terminal = os.forkpty()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execv(
            program(shared, version)[0],
            [*program(shared, version), "exec", "-it", target, "-c", "c",
             "--", "sh", "-c", f"{WINDOW}; read line; echo got $line; exit 9"],
        )  # fmt: skip
    seen = b""

    def shown(pattern: bytes) -> None:
        nonlocal seen
        while not re.search(pattern, seen):
            seen += os.read(terminal, 1000)

    shown(rb"40 120\r\n")
    os.write(terminal, b"hello\n")
    shown(rb"got hello\r\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 9


@EVERY_CLIENT
def test_attach_to_what_goes_on(shared: Cluster, target: str, version: str):
    """Each client types a line and sees the answer; the container is there for the next one."""
    word = f"words-{version}".encode()
    words = ("attach", "-i", "streams", "-c", "echo")
    with started(shared, version, *words, stdin=word + b"\n") as process:
        assert read_to(process, b"got " + word + b"\n")


@EVERY_CLIENT
def test_logs_are_followed(shared: Cluster, target: str, version: str):
    line = f"line {version}"
    with started(shared, version, "logs", "-f", "streams", "-c", "c") as process:
        in_c(shared, "1.37", "sh", "-c", f"echo {line} > /proc/1/fd/1")
        assert read_to(process, f"{line}\n".encode())


@BOTH_PROTOCOLS
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
            [*program(shared, version), "port-forward", "pod/streams", f":{port}",
             "--address", "127.0.0.1"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        eventually(lambda: "Forwarding from" in log.read_text(), "forwarding")
        yield re.findall(r"127\.0\.0\.1:\d+", log.read_text())[0], log
    finally:
        process.kill()
        process.wait()


@EVERY_CLIENT
def test_port_forward(shared: Cluster, target: str, version: str):
    with forwarding(shared, version, 8081) as (address, _):
        for _ in range(5):
            with urlopen(f"http://{address}/index.html", timeout=60) as answer:
                assert answer.read() == b"hi\n"


@BOTH_PROTOCOLS
def test_port_forward_to_a_port_that_refuses(shared: Cluster, target: str, version: str):
    with forwarding(shared, version, 81) as (address, log):
        with pytest.raises(OSError, match=r"."):
            urlopen(f"http://{address}/", timeout=60)
        refused = "IPv6 dial tcp6 [::1]:81: connect: connection refused"
        eventually(lambda: refused in log.read_text(), "refusal")
        assert "error forwarding port 81 to pod " in log.read_text()


@EVERY_CLIENT
def test_cp_both_ways(shared: Cluster, target: str, version: str, tmp_path: Path):
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "below").mkdir(parents=True)
    (there / "below" / "data").write_bytes(os.urandom(300_000))
    where = f"streams:/tmp/copied-{version}"
    assert call(shared, version, "cp", "-c", "c", str(there), where).returncode == 0
    assert call(shared, version, "cp", "-c", "c", where, str(back)).returncode == 0
    copied = (back / "below" / "data").read_bytes()
    assert copied == (there / "below" / "data").read_bytes()


@BOTH_PROTOCOLS
def test_a_client_that_vanishes_leaves_no_process(shared: Cluster, target: str, version: str):
    mark = f"4{int(time.time())}"
    process = subprocess.Popen(
        [*program(shared, version), "exec", "streams", "-c", "c", "--", "sleep", mark],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def sleeps() -> bool:
        listed = in_c(shared, version, "ps")
        assert listed.returncode == 0, listed.stderr
        return f"sleep {mark}".encode() in listed.stdout

    eventually(sleeps, "the command's start")
    process.kill()
    process.wait()
    eventually(lambda: not sleeps(), "the command's end")


def test_a_client_that_vanishes_with_its_input_backed_up(shared: Cluster, target: str):
    """A command that takes no input holds back what tells of the client's end."""
    marks = {f"5{int(time.time())}{minor}": f"1.{minor}" for minor in (28, 37)}
    with contextlib.ExitStack() as stack:
        for mark, version in marks.items():
            words = ("exec", "-i", "streams", "-c", "c", "--", "sleep", mark)
            process = stack.enter_context(started(shared, version, *words))
            eventually(lambda mark=mark: mark in _commands(shared), "the command's start")
            fill(process)
    eventually(lambda: not marks.keys() & _commands(shared), "the commands' ends")
    assert not marks.keys() & _commands(shared)


def _commands(shared: Cluster) -> set[str]:
    """The last words of all commands in ``c``."""
    listed = in_c(shared, "1.37", "ps", "-o", "args")
    assert listed.returncode == 0, listed.stderr
    return {line.split()[-1] for line in listed.stdout.decode().splitlines()}


def fill(process: subprocess.Popen[bytes]) -> None:
    """Write to the input of a process until it has taken nothing for a moment."""
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    while select.select([], [process.stdin], [], 1)[1]:
        os.write(process.stdin.fileno(), bytes(32 * 1024))


def test_our_own_speaks_spdy_too(shared: Cluster, target: str, monkeypatch: pytest.MonkeyPatch):
    """As it does where a server refuses WebSockets: by the switches of upstream's."""
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
    monkeypatch.setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false")
    data = os.urandom(3_000_000)
    answer = in_c(shared, OURS, "sh", "-c", "cat; echo err >&2; exit 7", stdin=data)
    assert (answer.returncode, answer.stdout == data) == (7, True)
    assert answer.stderr == b"err\ncommand terminated with exit code 7\n"
    assert in_c(shared, OURS, "true").returncode == 0
    with (
        forwarding(shared, OURS, 8081) as (address, _),
        urlopen(f"http://{address}/index.html", timeout=60) as page,
    ):
        assert page.read() == b"hi\n"


# -- what no kubectl speaks any more


@contextmanager
def connected(shared: Cluster, path: str, protocol: str) -> Iterator[WebSocket]:
    pki = shared.data_dir / "pki"
    own = {
        "ca_certs": str(pki / "ca.crt"), "certfile": str(pki / "admin.crt"),
        "keyfile": str(pki / "admin.key"),
    }  # fmt: skip
    url = f"wss://127.0.0.1:{shared.port}/api/v1/namespaces/default/pods/streams/{path}"
    socket = create_connection(url, subprotocols=[protocol], sslopt=own, timeout=60)
    try:
        assert socket.subprotocol == protocol
        yield socket
    finally:
        socket.shutdown()


def messages(socket: WebSocket) -> Iterator[bytes]:
    """What comes, to the end."""
    while True:
        opcode, data = socket.recv_data()
        if opcode == ABNF.OPCODE_CLOSE:
            return
        yield data


def test_base64(shared: Cluster, target: str):
    """Text alone: a digit for the channel, then base64; the oldest form says failures in words."""
    script = "read%20l%3Becho%20$l%3Bexit%203"
    command = "&".join(f"command={word}" for word in ("sh", "-c", script))
    query = f"exec?container=c&stdin=true&stdout=true&stderr=true&{command}"
    for protocol in ("v4.base64.channel.k8s.io", "base64.channel.k8s.io"):
        found: dict[bytes, bytes] = {}
        with connected(shared, query, protocol) as socket:
            socket.send("0" + base64.b64encode(b"\xff\n").decode())
            for message in messages(socket):
                text = base64.b64decode(message[1:])
                found[message[:1]] = found.get(message[:1], b"") + text
        assert found[b"1"] == b"\xff\n"
        assert b"exit code 3" in found[b"3"]
        assert found[b"3"].startswith(b"{") is protocol.startswith("v4")


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
def test_the_older_port_forward(shared: Cluster, target: str, protocol: str):
    """Two channels for each port, data and errors; each begins with the port's number."""
    coded, asked = "base64" in protocol, b"GET /index.html HTTP/1.0\r\n\r\n"
    with connected(shared, "portforward?ports=8081&ports=81", protocol) as socket:
        found = dict.fromkeys(range(4), b"")
        if coded:
            socket.send("0" + base64.b64encode(asked).decode())
        else:
            socket.send_binary(b"\0" + asked)
        while not (found[0].endswith(b"hi\n") and b"refused" in found[3]):
            _, data = socket.recv_data()
            if coded:
                found[int(data[:1])] += base64.b64decode(data[1:])
            else:
                found[data[0]] += data[1:]
    assert found[0].startswith(b"\x91\x1fHTTP/1")
    assert found[1] == b"\x91\x1f"
    assert found[2] == b"\x51\x00"
    assert found[3].startswith(b"\x51\x00")


def test_fifty_at_once(shared: Cluster, target: str):
    """All run at the same time: none ends before the last has begun."""
    script = "echo%20here%3Bcat%3Bexit%20$0"
    with contextlib.ExitStack() as stack:
        sockets = []
        for number in range(50):
            command = "&".join(f"command={w}" for w in ("sh", "-c", script, str(number)))
            query = f"exec?container=c&stdin=true&stdout=true&stderr=true&{command}"
            socket = connected(shared, query, "v5.channel.k8s.io")
            sockets.append(stack.enter_context(socket))
        for socket in sockets:
            assert next(data for data in messages(socket) if data[1:]) == b"\1here\n"
        for number, socket in enumerate(sockets):
            socket.send_binary(b"\0" + f"{number}\n".encode())
            socket.send_binary(b"\xff\0")
        for number, socket in enumerate(sockets):
            said = {data[0]: data[1:] for data in messages(socket)}
            assert said[1] == f"{number}\n".encode()
            assert (f"exit code {number}".encode() in said[3]) is (number > 0)
