"""A start is short, and a process small, because each process imports little: this holds it so."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podium.cluster import certificates
from podium.cluster.config import make

#: Loaded on first use, if ever.
SELDOM = {
    "cryptography",
    "hpack",
    "hyperframe",
    "importlib.metadata",
    "jwt",
    "kubernetes_validate",
    "podium.api.yaml_json",
    "podium.cluster.certificates",
    "podium.cluster.image_commands",
    "podium.kubectl",
    "podium.runtime.images.archive",
    "podium.runtime.images.distribution",
    "podium.runtime.images.pull",
    "podium.runtime.memory",
    "prometheus_client",
    "yaml",
    "zstandard",
}
KUBELET = {"podium.kubelet", "podium.runtime"}
API_SERVER = {"podium.apiserver", "podium.registry", "podium.store", "sqlite3"}
OTHERS = {"podium.controllers", "podium.scheduler"}

_SUPERVISOR = """
import json, sys
import podium.__main__
from podium.cluster import cli, components, supervisor, up
cli.build_parser(["up"])
up.preload()
"""
_KUBELET = """
from podium.cluster import node, node_settings
"""
_SERVING = """
import asyncio
from pathlib import Path
from podium.apiserver import server
from podium.cluster.config import load

async def serve():
    async with server.serving(components.apiserver_options(load(Path(sys.argv[1])))) as running:
        await running.settled.wait()

asyncio.run(serve())
"""
_TELL = """
print(json.dumps(sorted(sys.modules)))
"""


def loaded(program: str, *arguments: str | Path) -> set[str]:
    """The modules that are loaded at the end of *program*, and the packages that these are in."""
    command = [sys.executable, "-c", program + _TELL, *map(str, arguments)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    modules = [name.split(".") for name in json.loads(ended.stdout)]
    return {".".join(parts[:end]) for parts in modules for end in range(1, len(parts) + 1)}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Of a cluster whose API server can be started by itself, on a port of its own choice."""
    # Port 0 is no flag that anybody may give.
    config = make(tmp_path, {"pod_cidr": "127.42.0.0/16", "node_name": "node-1"})
    certificates.ensure(config, datetime.now(UTC))
    config.save()
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"port": 0}))
    return tmp_path


def test_the_supervisor_imports_what_both_its_children_need_and_no_more():
    modules = loaded(_SUPERVISOR)
    assert modules >= {"aiohttp.web", "podium.api.codec", "podium.client.informer", "uvloop"}
    assert not modules & (SELDOM | KUBELET | API_SERVER | OTHERS)


def test_a_kubelet_imports_nothing_that_it_seldom_needs():
    modules = loaded(_SUPERVISOR + _KUBELET)
    assert "podium.kubelet.pod_worker" in modules
    assert not modules & (SELDOM | API_SERVER | OTHERS)


def test_an_api_server_that_is_ready_has_loaded_nothing_that_it_seldom_needs(data_dir):
    modules = loaded(_SUPERVISOR + _SERVING, data_dir)
    assert "podium.registry.strategies.namespaces" in modules
    assert "podium.registry.strategies.pods" not in modules  # there are none
    assert not modules & (SELDOM | KUBELET | OTHERS)
