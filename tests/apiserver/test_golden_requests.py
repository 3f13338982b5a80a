"""Recorded answers to requests that are about no single kind, played over HTTPS.

The cases under ``tests/golden/api/requests`` were recorded from a Kubernetes API server (their
texts are those of Kubernetes, Apache License 2.0): odd bodies and types, headers, paths,
selectors, pages, discovery. What varies from run to run stands as ``<uid>``, ``<rv>``, ``<time>``,
``<continue>`` and ``<rand>`` in them.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer
from support.golden import CASES, load

NAMES = sorted(path.stem for path in (CASES / "requests").glob("*.json"))
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: What objects have gained since the recording.
_LATER = {"generation", "observedGeneration", "hostIPs", "managedFields", "singularName"}
_REVISIONS = {"resourceVersion", "rv"}
_HEADERS = ("Content-Type", "Warning", "Retry-After", "Allow")


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_requests(api: RunningApiServer, name: str) -> None:
    case = load(f"requests/{name}")
    saved: dict[str, str] = {}
    async with api.session() as session:
        for namespace in case.get("namespaces", []):
            await _make_namespace(session, namespace["name"], namespace.get("labels", {}))
        for number, step in enumerate(case["steps"]):
            step = _filled(step, saved)
            code, headers, body = await _send(session, step)
            expected = step["expect"]
            assert code == expected["code"], (number, body)
            said = json.dumps(step)
            wanted = {key: expected["headers"].get(key) for key in _HEADERS}
            assert headers == wanted, number
            for key, pointer in step.get("save", {}).items():
                saved[key] = str(_at(body, pointer))
            if step.get("view") == "code" or "body" not in expected:
                continue
            if "pick" in step:
                body = {pointer: _at(body, pointer) for pointer in step["pick"]}
            assert _comparable(body, said) == _comparable(expected["body"], said), number


async def _make_namespace(session: ClientSession, name: str, labels: dict[str, str]) -> None:
    """Make a namespace and the account in it, which no controller makes here."""
    for path, kind, metadata in (
        ("/api/v1/namespaces", "Namespace", {"name": name, "labels": labels}),
        (f"/api/v1/namespaces/{name}/serviceaccounts", "ServiceAccount", {"name": "default"}),
    ):
        made = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
        async with session.post(path, json=made) as response:
            assert response.status == 201


def _filled(step: dict[str, Any], saved: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(step)
    for key, value in saved.items():
        text = text.replace(f"${{{key}}}", value)
    filled: dict[str, Any] = json.loads(text)
    return filled


async def _send(
    session: ClientSession, step: dict[str, Any]
) -> tuple[int, dict[str, str | list[str] | None], Any]:
    body = step.get("body")
    data = body if isinstance(body, str) or body is None else json.dumps(body)
    headers = {"User-Agent": "golden/1", **step.get("headers", {})}
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    async with session.request(
        step["method"], step["path"], params=step.get("query"), data=data, headers=headers
    ) as response:
        text = await response.text()
        found = {key: response.headers.getall(key, []) for key in _HEADERS}
        single = {key: values if len(values) > 1 else "".join(values) or None
                  for key, values in found.items()}  # fmt: skip
        is_json = response.content_type == "application/json"
        return response.status, single, json.loads(text) if is_json else text


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _comparable(value: Any, said: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {
            name: _comparable(item, said, name.rpartition("/")[2])
            for name, item in value.items()
            if name.rpartition("/")[2] not in _LATER
            and (name, item) != ("creationTimestamp", None)  # written in templates until 1.34
        }
    if isinstance(value, list):
        return [_comparable(item, said, key) for item in value]
    if not isinstance(value, str):
        return value
    if key in _REVISIONS and value:
        return "<rv>"
    if key == "continue" and value:
        return "<continue>"
    if _TIME.fullmatch(value) and value not in said:
        return "<time>"
    return _UID.sub(lambda match: match[0] if match[0] in said else "<uid>", value)
