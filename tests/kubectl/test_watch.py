"""``kubectl get -w``: what there is, then each change as it comes."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from support.apiserver import running_apiserver

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        pytest.param(
            ["cm", "--no-headers", "-L", "x", "--output-watch-events"],
            [["ADDED", "first", "1", "0s"]],
            [
                ["ADDED", "a-longer-name", "0", "0s"],
                ["MODIFIED", "first", "1", "0s", "y"],
                ["DELETED", "a-longer-name", "0", "0s"],
            ],
            id="table",
        ),
        pytest.param(
            ["cm", "-o", "name"],
            [["configmap/first"]],
            [["configmap/a-longer-name"], ["configmap/first"], ["configmap/a-longer-name"]],
            id="names",
        ),
        pytest.param(
            ["cm/first", "-o", "custom-columns=NAME:.metadata.name,X:.metadata.labels.x"],
            [["NAME", "X"], ["first", "<none>"]],
            [["first", "y"]],
            id="columns-of-one",
        ),
    ],
)
async def test_changes_are_printed_as_they_come(tmp_path, words, before, after):
    async with running_apiserver(tmp_path) as api, api.session() as session:
        first = {"metadata": {"name": "first"}, "data": {"k": "v"}}
        await session.post(CONFIGMAPS, json=first)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "podium", "kubectl", "--kubeconfig", str(api.kubeconfig()),
            "get", "-w", *words, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert [await _row(process) for _ in before] == before
            await session.post(CONFIGMAPS, json={"metadata": {"name": "a-longer-name"}})
            await session.patch(
                f"{CONFIGMAPS}/first",
                data=json.dumps({"metadata": {"labels": {"x": "y"}}}),
                headers={"Content-Type": "application/merge-patch+json"},
            )
            await session.delete(f"{CONFIGMAPS}/a-longer-name")
            assert [await _row(process) for _ in after] == after
        finally:
            process.terminate()
            await process.communicate()


async def _row(process: asyncio.subprocess.Process) -> list[str]:
    assert process.stdout is not None
    cells = (await process.stdout.readline()).decode().split()
    return ["0s" if cell[:-1].isdigit() and cell.endswith("s") else cell for cell in cells]
