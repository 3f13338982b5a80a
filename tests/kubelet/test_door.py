"""The kubelet's HTTPS door."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from podium.api import scheme
from podium.client.informer import Informer
from podium.kubelet import log_files
from podium.kubelet.streaming.protocol import TUNNEL_PROTOCOL

LOGS = "/containerLogs/default/p/c"


async def test_pods_and_metrics(node):
    await node.create()
    await node.running()
    status, text = await node.fetch("/pods")
    assert status == 200
    assert [pod["metadata"]["name"] for pod in json.loads(text)["items"]] == ["p"]
    assert 'container_state="running"} 1' in (await node.fetch("/metrics"))[1]
    [run] = await node.runtime.list_containers()
    for path in ("/runningpods/", "/runningpods"):
        [pod] = json.loads((await node.fetch(path))[1])["items"]
        assert (pod["metadata"]["name"], pod["metadata"]["namespace"]) == ("p", "default")
        assert pod["spec"]["containers"] == [{"name": "c", "image": run.image, "resources": {}}]
    configz = json.loads((await node.fetch("/configz"))[1])["kubeletconfig"]
    assert (configz["maxPods"], configz["evictionPressureTransitionPeriod"]) == (110, "5m0s")
    summary = json.loads((await node.fetch("/stats/summary"))[1])
    assert summary["pods"][0]["podRef"]["name"] == "p"


async def log_file(node):
    [container] = await node.runtime.list_containers()
    status = await node.runtime.container_status(container.id)
    return status.log_path


LINES = "".join(
    f"2025-01-13T07:30:0{n}.000000000Z std{'err' if n % 2 else 'out'} F line {n}\n"
    for n in range(5)
)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "line 0\nline 1\nline 2\nline 3\nline 4\n"),
        ("?tailLines=2", "line 3\nline 4\n"),
        ("?tailLines=0", ""),
        ("?tailLines=99", "line 0\nline 1\nline 2\nline 3\nline 4\n"),
        ("?limitBytes=10", "line 0\nlin"),
        ("?tailLines=3&limitBytes=8", "line 2\nl"),
        ("?tailLines=1&timestamps=true", "2025-01-13T07:30:04.000000000Z line 4\n"),
        ("?sinceTime=2025-01-13T07:30:03Z", "line 3\nline 4\n"),
        ("?sinceSeconds=1", ""),
        (f"?sinceSeconds={2**63 - 1}", "line 0\nline 1\nline 2\nline 3\nline 4\n"),
    ],
)
async def test_logs(node, query, text):
    await node.create()
    await node.running()
    with open(await log_file(node), "w") as file:
        file.write(LINES)
    await node.pass_time(60)
    assert await node.fetch(LOGS + query) == (200, text)


async def test_following_a_log_ends_with_the_container(node):
    await node.create({"args": ["trap", "0"]}, restartPolicy="Never")
    await node.running()
    path = await log_file(node)
    with open(path, "a") as file:
        file.write(LINES)
        file.flush()
        async with asyncio.timeout(60), node.opened(LOGS + "?follow=true") as following:
            assert following.status == 200
            for number in range(5):
                assert await following.content.readline() == f"line {number}\n".encode()
            file.write(LINES.replace("line", "more"))
            file.flush()
            assert await following.content.readline() == b"more 0\n"
            await node.delete()
            rest = (await following.text()).splitlines()
    assert rest == [f"more {number}" for number in range(1, 5)]


async def test_a_log_that_was_left_between_two_names_gets_a_new_file(node):
    """As by a kubelet that was killed while it rotated: until then nobody finds what is written."""
    await node.create({"args": ["trap", "0"]})
    await node.running()
    path = Path(await log_file(node))
    path.write_text(LINES)
    path.rename(log_files.rotated_name(path, node.clock.now()))
    await node.until(path.exists, step=1)
    status, text = await node.fetch(LOGS)
    assert (status, text.count("line")) == (200, 5)


async def test_the_log_of_the_run_before(node):
    await node.create({"args": ["echo", "run"]}, restartPolicy="Always")
    await node.until(lambda: "CrashLoopBackOff r1" in node.states.get("p/c", []), step=0.1)
    assert await node.fetch(LOGS) == (200, "run\n")
    assert await node.fetch(LOGS + "?previous=true") == (200, "run\n")


async def test_what_cannot_be_answered(node):
    await node.create({"image": "registry.test/nosuch:1"}, {"name": "d"})
    await node.until(lambda: "ImagePullBackOff r0" in node.states.get("p/c", []), step=0.2)
    assert await node.fetch(LOGS) == (
        400,
        'container "c" in pod "p" is waiting to start: trying and failing to pull image',
    )
    assert await node.fetch("/containerLogs/default/p/d?previous=true") == (
        400,
        'previous terminated container "d" in pod "p" not found',
    )
    assert (await node.fetch("/containerLogs/default/nosuch/c"))[0] == 404
    assert (await node.fetch("/containerLogs/default/p/nosuch"))[0] == 400
    for since in ("2025-01-13T07:30:03", "now"):  # a time without a zone is none
        status, _ = await node.fetch(f"/containerLogs/default/p/d?sinceTime={since}")
        assert status == 400


async def test_until_it_knows_its_pods_it_says_so(idle_node, monkeypatch):
    """A kubelet that was started anew: a log that is followed goes on when it does."""
    node, known, run_informer = idle_node, asyncio.Event(), Informer.run

    async def late(informer, *given):
        if informer._resource is scheme.PODS:
            await known.wait()
        await run_informer(informer, *given)

    monkeypatch.setattr(Informer, "run", late)
    await node.create()
    await node.start()
    unknown = (503, "the node does not know its pods yet\n")
    assert await node.fetch(LOGS) == unknown
    assert await node.fetch("/portForward/default/p") == unknown
    known.set()
    await node.running()
    assert await node.fetch(LOGS) == (200, "")
    assert (await node.fetch("/containerLogs/default/nosuch/c"))[0] == 404


@pytest.mark.parametrize(
    "path", ["/exec/default/p/c?command=true&output=1", "/portForward/default/p"]
)
async def test_half_a_handshake_is_refused(node, path):
    await node.create()
    await node.running()
    told = await node.fetch(
        path,
        Connection="Upgrade",
        Upgrade="websocket",
        **{"Sec-WebSocket-Protocol": f"{TUNNEL_PROTOCOL}, v5.channel.k8s.io"},
    )
    assert told == (400, "Unsupported version: ")


@pytest.mark.parametrize("port", ["0", "65536", "9" * 5000, "x"])
async def test_what_is_no_port_is_refused(node, port):
    await node.create()
    await node.running()
    told = await node.fetch(
        f"/portForward/default/p?port={port}",
        Connection="Upgrade",
        Upgrade="websocket",
        **{"Sec-WebSocket-Protocol": "v4.channel.k8s.io"},
    )
    assert told == (400, "port must be a number from 1 to 65535\n")
