#!/usr/bin/env python3
"""How long our kubectl takes beside upstream's.

    .venv/bin/python bench/kubectl.py [--runs 20] [--pods 100]

Each command line is run by both, in turns, against one API server of Podium's, alone. Wall time and
processor time are hyperfine's (Debian: hyperfine). Upstream's has its discovery cached on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.apiserver import RunningApiServer, running_apiserver  # noqa: E402

BIN = Path(sys.executable).parent
LINES = ("version --client", "get pods", "get pods -o yaml", "get deployments", "api-resources",
         "describe pod pod-0")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="how often each (default: 20)")
    parser.add_argument("--pods", type=int, default=100, help="how many Pods there are")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as directory:
        asyncio.run(measure(Path(directory), arguments.runs, arguments.pods))


async def measure(directory: Path, runs: int, pods: int) -> None:
    async with running_apiserver(directory) as api:
        await fill(api, pods)
        environment = {**os.environ, "KUBECONFIG": str(api.kubeconfig()), "HOME": str(directory)}
        print(f"{'':24}{'ours':>16}{'upstream':>16}{'wall':>8}{'CPU':>8}")
        for line in LINES:
            ours, theirs = await asyncio.to_thread(timed, line, runs, directory, environment)
            wall, cpu = ours["median"] / theirs["median"], used(ours) / used(theirs)
            print(f"{line:24}{shown(ours):>16}{shown(theirs):>16}{wall:7.2f}x{cpu:7.2f}x")


async def fill(api: RunningApiServer, pods: int) -> None:
    namespace = "/api/v1/namespaces/default"
    async with api.session() as session:
        await session.post(f"{namespace}/serviceaccounts", json={"metadata": {"name": "default"}})
        for number in range(pods):
            spec = {"containers": [{"name": "main", "image": "registry.example.org/app:1"}]}
            pod = {"metadata": {"name": f"pod-{number}"}, "spec": spec}
            async with session.post(f"{namespace}/pods", json=pod) as answer:
                answer.raise_for_status()


def timed(line: str, runs: int, directory: Path, environment: dict[str, str]) -> list[Any]:
    result = directory / "result.json"
    programs = (f"{BIN / 'podium'} kubectl", str(BIN / "kubectl"))
    commands = [f"{program} {line}" for program in programs]
    subprocess.run(
        ["hyperfine", "-N", "--style", "none", "--warmup", "2", "--runs", str(runs),
         "--export-json", result, *commands],
        check=True, env=environment, capture_output=True,
    )  # fmt: skip
    results: list[Any] = json.loads(result.read_text())["results"]
    return results


def used(result: dict[str, float]) -> float:
    return result["user"] + result["system"]


def shown(result: dict[str, float]) -> str:
    return f"{result['median'] * 1000:.0f}/{used(result) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
