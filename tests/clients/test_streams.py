"""exec, attach and port-forward by the Python clients, each in its own way over WebSocket."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import io
import json
import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import kr8s.asyncio
import pytest
from kr8s.asyncio.objects import Pod
from kubernetes import client, config, stream

from support.cluster import Cluster, eventually, pod, run

pytestmark = [
    # The official client does not close its sockets.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("rubbish"),
    # kr8s names the versions it was released against; ours is newer.
    pytest.mark.filterwarnings(r"ignore:Kubernetes version v1\.37\.:UserWarning"),
]
NAMESPACE = "client-streams"
#: Reads all of its input, then writes it and how long it was, each where it belongs.
ECHO = ["sh", "-c", "cat > /tmp/$$; cat /tmp/$$; wc -c < /tmp/$$ >&2; exit 7"]


@pytest.fixture(scope="module")
def web(shared: Cluster) -> Iterator[str]:
    """A Pod that serves a page on port 8080."""
    with shared.namespace(NAMESPACE):
        listens = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
        manifest = pod("web", container=listens)
        shared.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=_text(manifest))
        shared.wait_ready("web", namespace=NAMESPACE)
        yield "web"


def _text(manifest: Any) -> str:
    return json.dumps(manifest)


@pytest.fixture(scope="module")
def core(shared: Cluster) -> Iterator[Any]:
    with config.new_client_from_config(str(shared.kubeconfig)) as api:
        yield client.CoreV1Api(api)


def test_kubernetes_exec(core: Any, web: str):
    answer = stream.stream(
        core.connect_get_namespaced_pod_exec, web, NAMESPACE, command=["sh"],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    answer.write_stdin("echo out; echo err >&2; exit 7\n")
    answer.run_forever(timeout=60)
    assert (answer.read_stdout(), answer.read_stderr()) == ("out\n", "err\n")
    assert answer.returncode == 7
    answer.close()
    whole = stream.stream(
        core.connect_get_namespaced_pod_exec, web, NAMESPACE, command=["echo", "all at once"],
        stdin=False, stdout=True, stderr=True, tty=False,
    )  # fmt: skip
    assert whole == "all at once\n"


def test_kubernetes_exec_at_a_terminal(core: Any, web: str):
    answer = stream.stream(
        core.connect_get_namespaced_pod_exec, web, NAMESPACE,
        command=["sh", "-c", "tty; read line; echo got $line; exit 3"],
        stdin=True, stdout=True, stderr=False, tty=True, _preload_content=False,
    )  # fmt: skip
    answer.write_stdin("words\n")
    answer.run_forever(timeout=60)
    assert re.fullmatch(r"(/dev/pts/\d+|words|got words|\r\n)+", answer.read_stdout())
    assert answer.returncode == 3
    answer.close()


def test_kubernetes_attach_to_a_terminal(core: Any, web: str, namespace: str):
    manifest = pod(
        "asks", "sh", "-c", "read line; echo got $line; exit 3",
        container={"stdin": True, "tty": True, "stdinOnce": True}, restartPolicy="Never",
    )  # fmt: skip
    core.create_namespaced_pod(namespace, manifest)

    def running() -> bool:
        return core.read_namespaced_pod("asks", namespace).status.phase == "Running"

    eventually(running, "a running Pod")
    answer = stream.stream(
        core.connect_get_namespaced_pod_attach, "asks", namespace,
        stdin=True, stdout=True, stderr=False, tty=True, _preload_content=False,
    )  # fmt: skip
    answer.write_stdin("words\n")
    answer.run_forever(timeout=60)
    assert answer.read_stdout() == "words\r\ngot words\r\n"
    answer.close()


def test_kubernetes_port_forward(core: Any, web: str):
    forward = stream.portforward(
        core.connect_get_namespaced_pod_portforward, web, NAMESPACE, ports="8080"
    )
    tunnel = forward.socket(8080)
    tunnel.setblocking(True)
    tunnel.sendall(b"GET /healthy HTTP/1.0\r\n\r\n")
    answer = http.client.HTTPResponse(_Readable(tunnel))  # type: ignore[arg-type]
    answer.begin()
    assert (answer.status, answer.read()) == (200, b"ok\n")
    assert forward.error(8080) is None
    tunnel.close()


class _Readable:
    """A socket's reading side, for http.client."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        content = b""
        while piece := self._connection.recv(65536):
            content += piece
        return io.BufferedReader(io.BytesIO(content))  # type: ignore[type-var]


@pytest.mark.parametrize("package", ["kubernetes_asyncio", "kubernetes.aio"])
async def test_asyncio_exec(shared: Cluster, web: str, package: str):
    sdk = importlib.import_module(package)
    settings = sdk.client.Configuration()
    await sdk.config.load_kube_config(str(shared.kubeconfig), client_configuration=settings)
    async with sdk.stream.WsApiClient(settings) as api:
        answer = await sdk.client.CoreV1Api(api).connect_get_namespaced_pod_exec(
            web, NAMESPACE, command=["echo", "out"],
            stdin=False, stdout=True, stderr=True, tty=False,
        )  # fmt: skip
    assert answer == "out\n"


#: In a process of its own: httpx_ws leaves a thread behind that goes on reading from the descriptor
#: of the closed connection, which is the next connection's by then.
LIGHTKUBE_EXEC = """
import json, sys, lightkube
kubeconfig, pod, namespace, *command = sys.argv[1:]
loaded = lightkube.KubeConfig.from_file(kubeconfig)
with lightkube.Client(config=loaded, trust_env=False) as api:
    words = b"words " * 50_000
    found = api.exec(
        pod, namespace=namespace, command=command, stdin=words, stdout=True, stderr=True
    )
print(json.dumps([found.stdout, found.stderr, found.exit_code]))
"""


def test_lightkube_exec(shared: Cluster, web: str):
    arguments = (str(shared.kubeconfig), web, NAMESPACE, *ECHO)
    done = run(sys.executable, "-c", LIGHTKUBE_EXEC, *arguments)
    assert json.loads(done.stdout) == ["words " * 50_000, "300000\n", 7]


async def test_kr8s_exec_and_port_forward(shared: Cluster, web: str):
    api = await kr8s.asyncio.api(kubeconfig=str(shared.kubeconfig))
    found = await Pod.get(web, namespace=NAMESPACE, api=api)
    done = await found.exec(["sh", "-c", "echo out; echo err >&2"])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"err\n")
    async with found.portforward(8080, local_port="auto") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthy HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\nok\n")
        writer.close()
    await api._session.aclose()
