"""``metrics.k8s.io``: read from a kubelet, played by a small server here."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession, web

from apiserver.test_pod_log import PODS, kubelet
from podium.apiserver.verbs import usage
from support.apiserver import RunningApiServer

BASE = "/apis/metrics.k8s.io/v1beta1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Counting:
    """Half a core for container c, a whole one for the node; a moment passes with each answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.running = ["c"]
        self.others = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.path == "/metrics/resource"
        self.asked += 1
        at = 1_700_000_000_000 + self.asked * 10_000
        lines = [
            f"node_cpu_usage_seconds_total {100 + self.asked * 10} {at}",
            f"node_memory_working_set_bytes {1 << 30} {at}",
        ]
        lines += ['container_cpu_usage_seconds_total{container="x"} 1'] * self.others
        for name in self.running:
            labels = f'{{container="{name}",namespace="default",pod="one"}}'
            cpu = 7 + self.asked * 5
            lines.append(f"container_cpu_usage_seconds_total{labels} {cpu} {at}")
            lines.append(f"container_memory_working_set_bytes{labels} {48 << 20} {at}")
            lines.append(f"container_start_time_seconds{labels} 1699999000")
        return web.Response(text="\n".join(lines) + "\n")


async def get(session: ClientSession, path: str, **headers: str) -> tuple[int, Any]:
    async with session.get(path, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def run(session: ClientSession, name: str) -> None:
    running = {"name": name, "state": {"running": {"startedAt": "2023-11-14T00:00:00Z"}}}
    status = {"status": {"phase": "Running", "containerStatuses": [running]}}
    headers = {"Content-Type": "application/merge-patch+json"}
    async with session.patch(f"{PODS}/one/status", json=status, headers=headers) as response:
        assert response.status == 200, await response.text()


async def test_pods_and_nodes(api: RunningApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "YOUNGEST", usage.OLDEST)  # "just now" does not end before the test
    async with api.session() as session, kubelet(api, session) as node:
        counting = Counting()
        node.answer = counting.answer
        await run(session, "c")

        status, listed = await get(session, f"{BASE}/namespaces/default/pods")
        assert status == 200
        assert (listed["kind"], listed["apiVersion"]) == (
            "PodMetricsList",
            "metrics.k8s.io/v1beta1",
        )
        [item] = listed["items"]
        assert item["metadata"]["name"] == "one"
        assert item["window"] == "10s"
        assert item["timestamp"] == "2023-11-14T22:13:40Z"
        assert item["containers"] == [{"name": "c", "usage": {"cpu": "500m", "memory": "48Mi"}}]
        assert counting.asked == 2

        status, one = await get(session, f"{BASE}/nodes/n1")
        assert (status, one["kind"], one["usage"]) == (
            200, "NodeMetrics", {"cpu": "1", "memory": "1Gi"}
        )  # fmt: skip
        assert counting.asked == 2, "what was asked just now is told again"

        _, table = await get(session, f"{BASE}/pods", Accept=TABLE)
        assert [c["name"] for c in table["columnDefinitions"]] == [
            "Name", "cpu", "memory", "window"
        ]  # fmt: skip
        assert [row["cells"] for row in table["rows"]] == [["one", "500m", "48Mi", "10s"]]


async def test_what_a_kubelet_tells_is_read_to_its_end(api: RunningApiServer) -> None:
    async with api.session() as session, kubelet(api, session) as node:
        counting = Counting()
        node.answer = counting.answer
        counting.others = 20_000
        await run(session, "c")
        status, one = await get(session, f"{BASE}/namespaces/default/pods/one")
        assert (status, [told["name"] for told in one["containers"]]) == (200, ["c"])


async def test_what_cannot_be_told_is_not_there(api: RunningApiServer) -> None:
    async with api.session() as session, kubelet(api, session) as node:
        counting = Counting()
        node.answer = counting.answer
        counting.running = ["other"]
        await run(session, "c")
        status, listed = await get(session, f"{BASE}/namespaces/default/pods?labelSelector=a%3Db")
        assert (status, listed["items"], counting.asked) == (200, [], 0)
        status, refusal = await get(session, f"{BASE}/namespaces/default/pods/one")
        assert (status, refusal["message"]) == (
            404, 'pods.metrics.k8s.io "default/one" not found'
        )  # fmt: skip
        async with session.post(f"{BASE}/namespaces/default/pods", json={}) as response:
            assert response.status == 405
        assert (await get(session, f"{BASE}/secrets"))[0] == 404


async def test_discovery_tells_of_it(api: RunningApiServer) -> None:
    async with api.session() as session:
        _, groups = await get(session, "/apis")
        assert "metrics.k8s.io" in [group["name"] for group in groups["groups"]]
        _, listed = await get(session, BASE)
        assert [(r["name"], r["kind"], r["verbs"]) for r in listed["resources"]] == [
            ("nodes", "NodeMetrics", ["get", "list"]),
            ("pods", "PodMetrics", ["get", "list"]),
        ]
