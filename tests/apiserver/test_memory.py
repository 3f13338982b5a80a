"""What a request has made is gone with its answer: nothing waits for the garbage collector, which
may not look for long, or holds what grows with the number of requests."""

from __future__ import annotations

import gc
import json
from collections import Counter
from typing import Any

import msgspec
import pytest

CONFIGS = "/api/v1/namespaces/default/configmaps"
QUOTAS = "/api/v1/namespaces/default/resourcequotas"
PODS = "/api/v1/namespaces/default/pods"
LARGE = 5000


def configuration(keys: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x"},
        "data": {f"k{number}": "v" for number in range(keys)},
    }


def pod(containers: int, image: str = "i", priority: str = "") -> dict[str, Any]:
    made = [{"name": f"c{number}", "image": image} for number in range(containers)]
    return {"metadata": {"name": "p"}, "spec": {"containers": made, "priorityClassName": priority}}


@pytest.mark.parametrize("size", [5, LARGE])
@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "code"),
    [
        pytest.param("POST", f"{CONFIGS}?dryRun=All", configuration, "json", 201, id="created"),
        pytest.param("POST", CONFIGS,
                     lambda size: configuration(size) | {"metadata": {"name": "base"}}, "json",
                     409, id="taken"),
        pytest.param("POST", f"{PODS}?dryRun=All", lambda size: pod(size, priority="x"), "json",
                     403, id="forbidden"),
        pytest.param("POST", f"{PODS}?dryRun=All", lambda size: pod(size, ""), "json", 422,
                     id="invalid"),
        pytest.param("POST", f"{CONFIGS}?dryRun=All", lambda size: [configuration(size)], "json",
                     400, id="unreadable"),
        pytest.param("POST", f"{CONFIGS}?dryRun=All&fieldValidation=Strict",
                     lambda size: {**configuration(size), "other": [{}] * size}, "json", 400,
                     id="strict"),
        pytest.param("PATCH", f"{CONFIGS}/base", configuration, "merge-patch+json", 400,
                     id="another-name"),
        pytest.param("PATCH", f"{CONFIGS}/base", lambda size: {"data": {"a": [1] * size}},
                     "merge-patch+json", 422, id="unfit-patch"),
        pytest.param("PATCH", f"{CONFIGS}/x?fieldManager=m&dryRun=All", configuration,
                     "apply-patch+yaml", 201, id="applied"),
        pytest.param("GET", CONFIGS, lambda _: None, "json", 200, id="listed"),
    ],
)  # fmt: skip
async def test_nothing_is_left_to_the_garbage_collector(
    api, method: str, path: str, body: Any, content_type: str, code: int, size: int
) -> None:
    headers = {"Content-Type": f"application/{content_type}"}
    data = json.dumps(body(size)).encode()

    async def send() -> None:
        sent = data if method != "GET" else None
        async with session.request(method, path, data=sent, headers=headers) as response:
            assert response.status == code, await response.text()
            await response.read()

    async with api.session() as session:
        for made in (CONFIGS, "/api/v1/namespaces/default/serviceaccounts"):
            name = "base" if made == CONFIGS else "default"
            async with session.post(made, json={"metadata": {"name": name}}) as response:
                assert response.status == 201
        quota = {"metadata": {"name": "all"}, "spec": {"hard": {"configmaps": "9", "pods": "9"}}}
        async with session.post(QUOTAS, json=quota) as response:
            assert response.status == 201
        await send()  # what is loaded at the first time stays
        gc.collect()
        gc.disable()
        try:
            await send()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left = Counter(type(each).__name__ for each in gc.garbage if is_ours(each))
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert not left


def is_ours(each: object) -> bool:
    return isinstance(each, msgspec.Struct) or type(each).__module__.startswith("podium.")
