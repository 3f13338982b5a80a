"""``kubectl get -w``: what there is, then each change as it comes."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.kubectl.verbs import get_watch
from support.apiserver import running_apiserver

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
EVENTS = "/api/v1/namespaces/default/events"


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


def test_what_an_object_has_become_before_its_watch_began_is_told():
    def event(happened: str, version: str, *, table: bool = False) -> dict[str, Any]:
        obj = {"metadata": {"resourceVersion": version}}
        return {"type": happened, "object": {"rows": [{"object": obj}]} if table else obj}

    def told(known: str, *events: dict[str, Any]) -> list[tuple[str, str]]:
        return [(get_watch._version(obj), what) for obj, what in get_watch.news(events, known)]

    for table in (False, True):
        same, changed = (event("ADDED", version, table=table) for version in "12")
        assert told("1", same, event("MODIFIED", "3")) == [("3", "MODIFIED")]
        assert told("1", changed) == [("2", "MODIFIED")]
    assert told("1", event("DELETED", "2"), event("ADDED", "3")) == [
        ("2", "DELETED"), ("3", "ADDED"),
    ]  # fmt: skip
    assert told("", event("BOOKMARK", "1"), event("ADDED", "2")) == [("2", "ADDED")]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        pytest.param(["-o", "name"], [["event/a"], ["event/b"], ["event/c"]], id="names"),
        pytest.param(["-o", "jsonpath={.reason}{'\\n'}"], [["Y"], ["X"], ["Z"]], id="paths"),
        pytest.param(
            ["--types=normal", "--no-headers"],
            [["0s", "Normal", one, "Pod/p", "said"] for one in ("X", "Z")],
            id="table",
        ),
    ],
)
async def test_events_are_printed_in_the_servers_order_in_any_format(tmp_path, words, rows):
    async with running_apiserver(tmp_path) as api, api.session() as session:
        await session.post(EVENTS, json=_event("b", "X", 1))
        await session.post(EVENTS, json=_event("a", "Y", 2) | {"type": "Warning"})
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "podium", "kubectl", "--kubeconfig", str(api.kubeconfig()),
            "events", "-w", *words, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert [await _row(process) for _ in rows[:-1]] == rows[:-1]
            await session.post(EVENTS, json=_event("c", "Z", 0))
            assert await _row(process) == rows[-1]
        finally:
            process.terminate()
            await process.communicate()


def _event(name: str, reason: str, ago: int) -> dict[str, Any]:
    seen = (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    involved = {"kind": "Pod", "name": "p", "namespace": "default"}
    return {"metadata": {"name": name}, "involvedObject": involved, "reason": reason,
            "type": "Normal", "message": "said", "firstTimestamp": seen, "lastTimestamp": seen,
            "count": 1}  # fmt: skip


async def _row(process: asyncio.subprocess.Process) -> list[str]:
    assert process.stdout is not None
    cells = (await process.stdout.readline()).decode().split()
    return ["0s" if cell[:-1].isdigit() and cell.endswith("s") else cell for cell in cells]
