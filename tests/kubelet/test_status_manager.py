"""What the API is told of Pods, and when."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from podium.api.errors import failure
from podium.api.types.core_v1 import Pod, PodCondition, PodStatus
from podium.kit.clock import VirtualClock
from podium.kubelet.status_manager import StatusManager
from support.pods import make_pod


class SlowApi:
    """Takes patches, and answers when it is let."""

    def __init__(self, pod: Pod) -> None:
        self.pod, self.patches, self.answering = pod, list[Any](), asyncio.Event()
        self.asked = asyncio.Event()

    async def patch(self, _resource: Any, _name: str, patch: Any, **_where: Any) -> Pod:
        self.patches.append(patch["status"])
        self.asked.set()
        await self.answering.wait()
        return at(self.pod, 10 + len(self.patches))


def at(pod: Pod, version: int, ready: str = "True") -> Pod:
    condition = PodCondition(type="Ready", status=ready)
    return replace(
        pod,
        metadata=replace(pod.metadata, resource_version=str(version)),
        status=PodStatus(phase="Running", conditions=[condition]),
    )


async def test_what_others_write_while_a_status_is_on_its_way_is_put_right():
    pod = make_pod({"name": "c", "image": "i"})
    api = SlowApi(pod)
    manager = StatusManager(api, VirtualClock())  # type: ignore[arg-type]
    running = asyncio.create_task(manager.run())
    await asyncio.sleep(0)
    manager.report(pod, at(pod, 0).status)
    await api.asked.wait()

    # Somebody was there before: what the API has made of both is seen before it has answered.
    manager.seen(pod.metadata.uid, at(pod, 11, "False"))
    api.asked.clear()
    api.answering.set()
    async with asyncio.timeout(60):
        await api.asked.wait()
    await manager.settled(pod.metadata.uid)

    [_, again] = api.patches
    assert [(c["type"], c["status"]) for c in again["conditions"]] == [("Ready", "True")]
    running.cancel()


async def test_who_contradicts_again_and_again_is_answered_ever_more_rarely():
    """Two kubelets of one name must not keep each other and the API busy."""
    pod = make_pod({"name": "c", "image": "i"})
    api, clock = SlowApi(pod), VirtualClock()
    api.answering.set()
    manager = StatusManager(api, clock)  # type: ignore[arg-type]
    running = asyncio.create_task(manager.run())
    await asyncio.sleep(0)
    manager.report(pod, at(pod, 0).status)
    await clock.advance(0)
    moments = []
    for second in range(200):
        before = len(api.patches)
        manager.seen(pod.metadata.uid, at(pod, 1000 + second, "False"))
        await clock.advance(1)
        moments += [second] * (len(api.patches) - before)
    assert moments[0] == 0, "the first time at once"
    assert len(moments) <= 10
    before = len(api.patches)

    manager.report(pod, at(pod, 0, "False").status)
    await clock.advance(0)
    assert len(api.patches) == before + 1, "news of the Pod itself never waits"

    await clock.advance(1000)
    before = len(api.patches)
    manager.seen(pod.metadata.uid, at(pod, 2000, "True"))
    await clock.advance(0)
    assert len(api.patches) == before + 1, "forgotten after a while"
    running.cancel()


async def test_a_status_that_the_api_refuses_holds_up_no_deletion():
    class Strict(SlowApi):
        async def patch(self, *_what: Any, **_where: Any) -> Pod:
            self.asked.set()
            raise failure(422, "Invalid", "status.phase: Invalid value")

    pod = make_pod({"name": "c", "image": "i"})
    api = Strict(pod)
    manager = StatusManager(api, VirtualClock())  # type: ignore[arg-type]
    running = asyncio.create_task(manager.run())
    await asyncio.sleep(0)
    manager.report(pod, at(pod, 0).status)
    async with asyncio.timeout(60):
        await api.asked.wait()
        await manager.settled(pod.metadata.uid)
    running.cancel()


async def test_the_status_that_follows_a_refused_one_is_waited_for():
    class Choosy(SlowApi):
        async def patch(self, *what: Any, **where: Any) -> Pod:
            if not self.patches:
                self.patches.append("refused")
                raise failure(422, "Invalid", "status.phase: Invalid value")
            return await super().patch(*what, **where)

    pod = make_pod({"name": "c", "image": "i"})
    api, clock, uid = Choosy(pod), VirtualClock(), pod.metadata.uid
    manager = StatusManager(api, clock)  # type: ignore[arg-type]
    running = asyncio.create_task(manager.run())
    await asyncio.sleep(0)
    manager.report(pod, at(pod, 0).status)
    async with asyncio.timeout(60):
        await manager.settled(uid)
    manager.report(pod, at(pod, 0, "False").status)
    settled = asyncio.ensure_future(manager.settled(uid))
    await clock.advance(60)
    assert api.asked.is_set()
    assert not settled.done()
    api.answering.set()
    async with asyncio.timeout(60):
        await settled
    running.cancel()
