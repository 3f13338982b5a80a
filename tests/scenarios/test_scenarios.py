"""Whole lives of Pods as transcripts, on virtual time.

``pytest tests/scenarios --rewrite`` writes what is seen now into the files; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import scenario
from support.apiserver import running_apiserver
from support.node import Node, furnish

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_scenario(path: Path, tmp_path: Path, request: pytest.FixtureRequest):
    wanted = scenario.read(path)
    async with running_apiserver(tmp_path / "api") as api, Node(api, tmp_path / "node") as node:
        await furnish(node.client)
        scenario.configure(node)
        await node.start()
        outputs = await scenario.Stage(node).play(wanted)
    if request.config.getoption("--rewrite"):
        scenario.write(path, wanted, outputs)
    for step, output in zip(wanted.steps, outputs, strict=True):
        assert step.text(output) == step.text(step.output)
