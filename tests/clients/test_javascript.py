"""@kubernetes/client-node, unmodified: the checks of ``js/checks.mjs``, all run by one node."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import LIBEXEC, Cluster
from support.relay import Relay, relay

CHECKS = Path(__file__).parent / "js" / "checks.mjs"
LIBRARY = LIBEXEC / "js/node_modules/@kubernetes/client-node/dist/index.js"
NAMES = re.findall(r"^  async (\w+)\(\) \{$", CHECKS.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def outcomes(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each check, or ""; where node ended before it, node's last words."""
    node = shutil.which("node")
    if node is None or not LIBRARY.exists():
        pytest.skip("there is no node, or tools/install_test.sh could not fetch the npm packages")
    with (
        relay(shared, tmp_path_factory.mktemp("relay")) as relayed,
        _knob(relayed) as port,
        shared.namespace("client-javascript") as namespace,
    ):
        done = subprocess.run(
            [node, CHECKS, LIBRARY, namespace, relayed.kubeconfig, str(port)],
            capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return dict.fromkeys(NAMES, done.stderr) | {line["name"]: line["error"] for line in told}


@contextlib.contextmanager
def _knob(relayed: Relay) -> Iterator[int]:
    """A port: all connections of the relay are cut when somebody connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener is shut down at the end
                while True:
                    turned, _ = listener.accept()
                    relayed.cut()
                    turned.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("name", NAMES)
def test_javascript(outcomes: dict[str, str], name: str):
    assert outcomes[name] == ""
