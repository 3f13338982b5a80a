"""``kubectl get`` loads little: that is what makes it fast."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import subprocess
import sys

import podium.kubectl
from support.apiserver import running_apiserver

#: What ``get pods`` may load beside what Python has loaded by itself. What is not here costs every
#: command its time: ``dataclasses``, ``typing``, ``yaml``, ``http.client`` and ``urllib`` did.
STANDARD = set(
    "__future__ array base64 binascii collections copyreg enum errno functools importlib itertools "
    "json keyword math operator re reprlib select selectors socket ssl struct types "
    "warnings".split()
)
OURS = set(
    "__main__ kubectl command commands discovery errors files flags global_flags http kubeconfig "
    "kubeconfig_checks kubeconfig_fields "
    "formats get_reading get_tables main plain_yaml printing table session targets urls verbs get "
    "wire writing podium".split()
)

_RUN = """
import json, sys
before = set(sys.modules)
from podium.__main__ import main
sys.argv = ["kubectl", *sys.argv[1:]]
code = main()
print(json.dumps([code, sorted(set(sys.modules) - before)]))
"""


def test_what_is_only_there_for_types_is_imported_for_types_only():
    found = [one.name for one in pkgutil.walk_packages(podium.kubectl.__path__, "podium.kubectl.")]
    assert all(importlib.import_module(name) for name in found)
    assert len(found) > 50


async def test_get_loads_these_modules_and_no_other(tmp_path):
    async with running_apiserver(tmp_path) as api:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _RUN, "get", "pods", "--kubeconfig", str(api.kubeconfig()),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
    code, modules = json.loads(out)
    assert code == 0
    public = [name for name in modules if not name.startswith("_") or name == "__future__"]
    loaded = {name.partition(".")[0] for name in public if not name.startswith("podium")}
    assert loaded <= STANDARD
    assert {name.rpartition(".")[2] for name in public if name.startswith("podium")} <= OURS


def test_exec_loads_nothing_that_takes_long():
    wanted = "podium.kubectl.verbs.exec", "podium.kubectl.streams", "podium.kubectl.terminal"
    script = f"import sys, {', '.join(wanted)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"asyncio", "dataclasses", "inspect", "typing", "yaml"} & set(loaded)


def test_port_forward_does_without_an_http_library():
    script = "import sys, podium.kubectl.verbs.port_forward, podium.kubectl.forwarding\n"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{script}print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not {"aiohttp", "yarl", "yaml", "http.client"} & set(loaded)
