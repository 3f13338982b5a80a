"""Recorded patches and applies of a Kubernetes API server, played over HTTPS.

The cases under ``tests/golden/api/patches`` were recorded from a Kubernetes API server (their texts
are those of Kubernetes, Apache License 2.0). Identities, versions and times stand as ``<uid>``,
``<rv>`` and ``<time>`` in them; the order of managedFields' entries is that of their names.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer
from support.golden import CASES, load

NAMES = sorted(path.stem for path in (CASES / "patches").glob("*.json"))
NAMESPACES, ACCOUNTS = "/api/v1/namespaces", "/api/v1/namespaces/gold-patches/serviceaccounts"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gold-patches"}}
#: No controller makes it here.
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: In an object that an error quotes.
_QUOTED_VERSION = re.compile(r'(resourceVersion\\":\\")\d+')
#: What Pods have gained since the recording, and what is the machine's own.
_LATER = {"generation", "observedGeneration", "hostIPs"}


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_patches(api: RunningApiServer, name: str) -> None:
    saved: dict[str, str] = {}
    async with api.session() as session:
        for path, made in ((NAMESPACES, NAMESPACE), (ACCOUNTS, ACCOUNT)):
            async with session.post(path, json=made) as response:
                assert response.status == 201
        for number, step in enumerate(load(f"patches/{name}")["steps"]):
            code, body = await _send(session, _filled(step, saved))
            expected = step["expect"]
            assert code == expected["code"], (number, body)
            for key, pointer in step.get("save", {}).items():
                saved[key] = str(_at(body, pointer))
            if step.get("view") == "code" or "body" not in expected:
                continue
            if "pick" in step:
                body = {pointer: _at(body, pointer) for pointer in step["pick"]}
            texts = json.dumps(step)  # what a case says itself is no identity of ours
            assert _comparable(body, texts) == _comparable(expected["body"], texts), number


def _filled(step: dict[str, Any], saved: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(step)
    for key, value in saved.items():
        text = text.replace(f"${{{key}}}", value)
    filled: dict[str, Any] = json.loads(text)
    return filled


async def _send(session: ClientSession, step: dict[str, Any]) -> tuple[int, Any]:
    body = step.get("body")
    data = body if isinstance(body, str) or body is None else json.dumps(body)
    headers = {"User-Agent": "golden/1", **step.get("headers", {})}
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    async with session.request(
        step["method"], step["path"], params=step.get("query"), data=data, headers=headers
    ) as response:
        return response.status, await response.json(content_type=None)


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
            name: _comparable(item, said, name)
            for name, item in value.items()
            if name not in _LATER
        }
    if isinstance(value, list):
        items = [_comparable(item, said, key) for item in value]
        if key.rpartition("/")[2] == "managedFields":
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
        return items
    if isinstance(value, str):
        return _comparable_text(value, said, key)
    return value


def _comparable_text(value: str, said: str, key: str) -> str:
    if key == "resourceVersion":
        return "<rv>"
    if key in ("clusterIP", "clusterIPs"):
        return "<ip>"
    value = _QUOTED_VERSION.sub(r"\1<rv>", value)
    value = _TIME.sub(lambda match: match[0] if match[0] in said else "<time>", value)
    return _UID.sub(lambda match: match[0] if match[0] in said else "<uid>", value)
