"""Bodies made to take long: others are served meanwhile, and the answer is no 5xx."""

from __future__ import annotations

import asyncio
import io
import time

import pytest

from support.apiserver import running_apiserver

LIMIT = 3 * 1024 * 1024 - 1024
HEAD = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},'
#: Seconds that the loop may be kept from other work. Generous: the machine has other work, too.
BLOCKED = 0.5


@pytest.fixture
async def api(tmp_path):
    async with running_apiserver(tmp_path) as running:
        yield running


class Heartbeat:
    """Measures for how long the event loop has done nothing else."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - before)


JSON_BODIES = {
    "numbers": HEAD + b'"x":[' + b"1," * (LIMIT // 2 - 100) + b"1]}",
    "unknown-fields": HEAD + b",".join(b'"k%d":1' % i for i in range(200_000)) + b"}",
    "repeated-fields": HEAD + b'"data":{' + b'"a":"b",' * 350_000 + b'"a":"b"}}',
    "nesting": HEAD + b'"x":' + b"[" * 1_400_000 + b"]" * 1_400_000 + b"}",
}
_METADATA = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x",'
JSON_BODIES |= {
    "finalizers": _METADATA + b'"finalizers":[' + b'"a",' * 300_000 + b'"a"]}}',
    "keys": HEAD + b'"data":{' + b",".join(b'"k%d":"v"' % i for i in range(100_000)) + b"}}",
    "owners": _METADATA + b'"managedFields":[' + b"{}," * 500_000 + b"{}]}}",
}
YAML_BODIES = {
    "list": b"a:\n" + b"- 1\n" * 700_000,
    "keys": b"".join(b"k%d: v\n" % i for i in range(200_000)),
    "nesting": b"[" * LIMIT,
}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        *(pytest.param("json", body, id=f"json-{name}") for name, body in JSON_BODIES.items()),
        *(pytest.param("yaml", body, id=f"yaml-{name}") for name, body in YAML_BODIES.items()),
    ],
)
async def test_others_are_served_meanwhile(api, content_type, body):
    heartbeat = Heartbeat()
    async with api.session() as session, asyncio.TaskGroup() as tasks:
        path = "/api/v1/namespaces/default/configmaps?dryRun=All"
        headers = {"Content-Type": f"application/{content_type}"}
        async with session.get("/version"):
            pass
        started = time.perf_counter()
        beating = tasks.create_task(heartbeat.run())
        async with session.post(path, data=io.BytesIO(body), headers=headers) as response:
            code = response.status
        beating.cancel()
        taken = time.perf_counter() - started
    assert 200 <= code < 500
    assert heartbeat.longest < max(BLOCKED, taken / 3)


async def test_a_body_beyond_the_limit_is_refused(api):
    async with api.session() as session:
        path = "/api/v1/namespaces/default/configmaps"
        large = io.BytesIO(b"x" * (LIMIT + 2048))
        headers = {"Content-Type": "application/json"}
        async with session.post(path, data=large, headers=headers) as response:
            status = await response.json()
    assert (status["code"], status["reason"], status["message"]) == (
        413,
        "RequestEntityTooLarge",
        "Request entity too large: limit is 3145728",
    )
