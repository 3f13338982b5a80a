"""Ways to the server, and what is said where there is none, beside upstream's."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import socket
import sys
import threading
from pathlib import Path

import pytest
import yaml

from podium.kubectl import kubeconfig
from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.flags import parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.http import Http
from podium.kubectl.proxies import proxy_for
from podium.kubectl.urls import Url
from support.apiserver import running_apiserver

BIN = Path(sys.executable).parent
PROGRAMS = ([str(BIN / "podium"), "kubectl"], [str(BIN / "kubectl")])
EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
CREDENTIAL = {"apiVersion": EXEC["apiVersion"], "kind": "ExecCredential"}


def users(pair):
    """Who asks, each in a kubeconfig of that name."""
    certificate = {"clientCertificateData": pair.cert.read_text(),
                   "clientKeyData": pair.key.read_text()}  # fmt: skip
    said = yaml.safe_dump({**CREDENTIAL, "status": certificate}, default_flow_style=True, width=1e9)
    return {
        "good": {"client-certificate": str(pair.cert), "client-key": str(pair.key)},
        "nofile": {"client-certificate": "/nosuch", "client-key": "/nosuch"},
        "notoken": {"tokenFile": "/nosuch"},
        "plugin": {"exec": {**EXEC, "command": "printf", "args": ["%s", _json(said)]}},
        "noplugin": {"exec": {**EXEC, "command": "nosuchprogram", "installHint": "do this"}},
        "failing": {"exec": {**EXEC, "command": "false"}},
    }


def _json(text):
    import json

    return json.dumps(yaml.safe_load(text))


LINES = """\
get ns default -o name --kubeconfig good
get ns default -o name --kubeconfig plugin
get pods --kubeconfig noplugin
get pods --kubeconfig failing
get pods --kubeconfig nofile
get pods --kubeconfig notoken
get pods --kubeconfig nosuch
get pods --kubeconfig broken
get pods --kubeconfig .
get pods --kubeconfig empty
get pods --kubeconfig good --context nosuch
get pods --kubeconfig good --cluster nosuch
get pods --kubeconfig good --user nosuch
get pods --kubeconfig good --as-group x
get pods --kubeconfig good --as x
get pods --kubeconfig good --as x --as-group system:masters
get pods --kubeconfig good --certificate-authority /nosuch
get pods --kubeconfig good --certificate-authority /etc/ssl/certs/ca-certificates.crt
get pods --kubeconfig good --request-timeout foo
get pods --kubeconfig good --server foo:bar
get pods --kubeconfig good --server 127.0.0.1:1
api-versions --server=127.0.0.1:1
get --raw /version/ --kubeconfig good --token x --client-certificate= --client-key=
""".splitlines()


@pytest.mark.skipif(not (BIN / "kubectl").exists(), reason="needs upstream's kubectl")
async def test_what_ours_says_is_what_upstreams_says(tmp_path):
    (tmp_path / "broken").write_text("a: [")
    (tmp_path / "empty").write_text("{}")
    few = asyncio.Semaphore(3)

    async def said(program, line):
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GOGC": "off"}
        async with few:
            process = await asyncio.create_subprocess_exec(
                *program, *shlex.split(line), cwd=tmp_path, env=environment,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()
        shown = re.sub(r"^E\d{4} (.|\n)*? >?$\n", "", err.decode(), flags=re.MULTILINE)
        log = re.compile(r"^(E\d{4} |\t| >).*\n", re.MULTILINE)
        return line, process.returncode, out.decode(), log.sub("", shown)

    async with running_apiserver(tmp_path / "server") as api:
        pair = api.pair()
        for name, user in users(pair).items():
            document = yaml.safe_load(api.kubeconfig().read_text())
            document["users"][0]["user"] = user
            (tmp_path / name).write_text(yaml.safe_dump(document))
        found = await asyncio.gather(
            *(said(program, line) for line in LINES for program in PROGRAMS)
        )
    assert found[::2] == found[1::2]


def values(*words):
    return parse(GLOBAL_FLAGS, words).values


def of_server(path, server):
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        yaml.safe_dump(
            {"current-context": "p", "contexts": [{"name": "p", "context": {"cluster": "p"}}],
             "clusters": [{"name": "p", "cluster": {"server": server}}]}
        )
    )  # fmt: skip


def server_of(*words):
    given = values(*words)
    return kubeconfig.connection(kubeconfig.load(given), given).server


def test_whose_kubeconfig_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(kubeconfig, "DEFAULT_DATA_DIR", str(tmp_path / "default"))
    of_server(tmp_path / "default" / "kubeconfig", "https://default:1")
    assert server_of() == "https://default:1"
    of_server(tmp_path / ".kube" / "config", "https://home:1")
    assert server_of() == "https://home:1"
    of_server(tmp_path / "env", "https://env:1")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "env"))
    assert server_of() == "https://env:1"
    own = tmp_path / "own"
    of_server(own / "kubeconfig", "https://own:1")
    assert server_of("--data-dir", str(own)) == "https://own:1"
    of_server(tmp_path / "named", "https://named:1")
    named = ("--kubeconfig", str(tmp_path / "named"), "--data-dir", str(own))
    assert server_of(*named) == "https://named:1"
    with pytest.raises(CommandError, match=f"stat {tmp_path}/none/kubeconfig: no such file"):
        server_of("--data-dir", str(tmp_path / "none"))


def test_in_a_pod(tmp_path, monkeypatch):
    monkeypatch.setattr(kubeconfig, "_SERVICE_ACCOUNT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name, text in (("namespace", "mine"), ("token", "t"), ("ca.crt", "c")):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(kubeconfig, "DEFAULT_DATA_DIR", str(tmp_path / "none"))
    given = values()
    found = kubeconfig.connection(kubeconfig.load(given), given)
    assert (found.server, found.namespace) == ("https://[fd00::1]:443", "mine")
    assert found.token_file == f"{tmp_path}/token"


@pytest.mark.parametrize(
    ("excepted", "host", "proxied"),
    [("", "api.example.org", True), ("example.org", "api.example.org", False),
     (".example.org", "api.example.org", False), ("example.org", "anexample.org", True),
     ("10.0.0.0/8", "10.1.2.3", False), ("10.0.0.0/8", "11.1.2.3", True), ("*", "x", False),
     ("x, y", "y", False), ("y:1", "y", True), ("y:443", "y", False), ("", "127.0.0.1", False)],
)  # fmt: skip
def test_who_is_reached_without_a_proxy(monkeypatch, excepted, host, proxied):
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    found = proxy_for("", Url(f"https://{host}"))
    assert (found is not None) is proxied
    assert found is None or (found.host, found.port) == ("proxy", 3128)


def test_a_proxy_that_cannot_be_one_is_told_of(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:x")
    with pytest.raises(CommandError, match='invalid proxy address "http://proxy:x": invalid port'):
        proxy_for("", Url("https://h"))


def test_an_answer_that_is_cut_off_is_told_of():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")

    thread = threading.Thread(target=serve)
    thread.start()
    http = Http(kubeconfig.Connection(f"http://127.0.0.1:{listener.getsockname()[1]}"))
    pieces = http.raw("/version")
    assert next(pieces) == b"ab"
    with pytest.raises(Unreachable, match="unexpected EOF"):
        next(pieces)
    thread.join()
    listener.close()


async def test_through_a_proxy(tmp_path):
    """The proxy carries bytes, once it has been told who asks and where to."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source, sink):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def serve(port):
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            asked.append(client.recv(65536))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=carry, args=(server, client))
            back.start()
            carry(client, server)
            back.join()

    async with running_apiserver(tmp_path) as api:
        thread = threading.Thread(target=serve, args=(api.port,))
        thread.start()
        url = f"http://me:secret@127.0.0.1:{listener.getsockname()[1]}"
        process = await asyncio.create_subprocess_exec(
            *PROGRAMS[0], "get", "ns", "default", "-o", "name", "--proxy-url", url,
            "--kubeconfig", str(api.kubeconfig()), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        await asyncio.to_thread(thread.join)
    listener.close()
    assert out == b"namespace/default\n"
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{api.port} HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n" in asked[0]
