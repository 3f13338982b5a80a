"""Recorded answers of a Kubernetes API server, against strategies and admission alone.

What has changed in Kubernetes since the recording is not among the copied cases; the tests of the
single modules have it.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.golden import CASES, World, comparable, load, play, target_of

#: Patches and rights take more than strategies: ``tests/apiserver/test_golden_*.py`` play them,
#: and ``tests/e2e/test_recorded_answers.py`` what takes a cluster.
NAMES = sorted(
    f"{path.parent.name}/{path.stem}"
    for path in CASES.glob("*/*.json")
    if path.parent.name not in ("auth", "cluster", "patches", "requests")
)


def pick(body: Any, pointers: list[str]) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for pointer in pointers:
        value = body
        for part in pointer.strip("/").split("/"):
            if isinstance(value, list):
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        picked[pointer] = value
    return picked


def expected_body(step: dict[str, Any]) -> Any:
    body = comparable(step["expect"].get("body"))
    if isinstance(body, dict) and body.get("kind") == "Table":
        columns = [
            {key: column[key] for key in ("name", "type", "format", "description", "priority")}
            for column in body["columnDefinitions"]
        ]
        rows = [
            {key: row[key] for key in ("cells", "conditions") if key in row}
            for row in body.get("rows") or []
        ]
        return {"columnDefinitions": columns, "rows": rows}
    return body


def same(actual: Any, expected: Any) -> bool:
    """Compare, where ``<age>``, ``<port>`` and ``<time>`` stand for anything of that sort."""
    if expected == "<port>":
        return isinstance(actual, int) and actual > 0
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(
            same(actual[key], expected[key]) for key in expected
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, actual, expected))
    if isinstance(expected, str) and "<age>" in expected:
        before, _, after = expected.partition("<age>")
        return isinstance(actual, str) and actual.startswith(before) and actual.endswith(after)
    if expected == "<time>":
        return isinstance(actual, str)
    return bool(actual == expected)


def comparable_here(step: dict[str, Any]) -> bool:
    """Lists other than Tables, waiting and dry runs are for the registry's tests."""
    if "sleep" in step:
        return False
    table = "as=Table" in step.get("headers", {}).get("Accept", "")
    listing = step["method"] == "GET" and not target_of(step["path"]).name
    if listing and (not table or "pick" in step or step.get("query", {}).get("labelSelector")):
        return False
    if table and not listing:
        return False
    if listing and step.get("query", {}).get("includeObject") != "None":
        return False
    return "until" not in step


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_case(name: str) -> None:
    case = load(name)
    world = World()
    for namespace in ("default", "kube-system"):
        world.add_namespace(namespace)
    for namespace in case.get("namespaces", []):
        world.add_namespace(namespace["name"])
    for step in case["steps"]:
        if not comparable_here(step):
            continue
        answer = await play(world, step)
        actual, expected = comparable(answer), expected_body(step)
        if step.get("view") == "code":
            code = actual.get("code", 200) if actual.get("kind") == "Status" else 200
            assert (code < 300) == (step["expect"]["code"] < 300), actual
            continue
        if "pick" in step:
            actual = comparable(pick(actual, step["pick"]))
        if (
            isinstance(actual, dict)
            and "rows" in actual
            and "fieldSelector" in step.get("query", {})
        ):
            wanted = step["query"]["fieldSelector"].partition("=")[2]
            actual["rows"] = [row for row in actual["rows"] if row["cells"][0] == wanted]
        if not same(actual, expected):
            assert actual == expected
