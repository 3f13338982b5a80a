"""Recorded refusals and reviews of a Kubernetes API server, played over HTTPS.

The cases under ``tests/golden/api/auth`` were recorded from a Kubernetes API server (their texts
are those of Kubernetes, Apache License 2.0). Left out of the comparison are ``creationTimestamp``,
which is no longer written where there is none, and the times in managedFields.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer
from support.golden import CASES, load

NAMES = sorted(path.stem for path in (CASES / "auth").glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_answers(api: RunningApiServer, name: str) -> None:
    await api.settled.wait()  # health says so
    async with api.session() as admin, api.session(anonymous=True) as nobody:
        for number, step in enumerate(load(f"auth/{name}")["steps"]):
            session = nobody if step.get("auth") == "none" else admin
            code, body = await _send(session, step)
            expected = step["expect"]
            assert code == expected["code"], (number, body)
            if step.get("view") == "code":
                continue
            if "pick" in step:
                body = {pointer: body.get(pointer.strip("/")) for pointer in step["pick"]}
            assert _comparable(body) == _comparable(expected["body"]), number


async def _send(session: ClientSession, step: dict[str, Any]) -> tuple[int, Any]:
    body = step.get("body")
    headers = {"User-Agent": "golden/1", "Content-Type": "application/json"}
    async with session.request(
        step["method"],
        step["path"],
        params=step.get("query"),
        data=None if body is None else json.dumps(body),
        headers={**headers, **step.get("headers", {})},
    ) as response:
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, await response.text()


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _comparable(item)
            for key, item in value.items()
            if key not in ("creationTimestamp", "time")
        }
    return [_comparable(item) for item in value] if isinstance(value, list) else value
