"""One leader at a time, by a Lease in a real API server, on a clock the test moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.api import scheme
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.client.leader_election import (
    LEASE_SECONDS,
    Election,
    LeaderElector,
    LeadershipLost,
    candidate,
)
from podium.kit.clock import VirtualClock
from support.apiserver import running_apiserver
from support.http_peer import until


class Counting(Client):
    """A client that knows how many of its requests have not been answered yet."""

    under_way = 0

    async def _counted(self, request: Any) -> Any:
        self.under_way += 1
        try:
            return await request
        finally:
            self.under_way -= 1

    async def get(self, *args: Any, **named: Any) -> Any:
        return await self._counted(super().get(*args, **named))

    async def create(self, *args: Any, **named: Any) -> Any:
        return await self._counted(super().create(*args, **named))

    async def update(self, *args: Any, **named: Any) -> Any:
        return await self._counted(super().update(*args, **named))


@pytest.fixture
async def client(tmp_path):
    async with running_apiserver(tmp_path) as api, Counting(api.client_config()) as client:
        yield client


class Candidate:
    def __init__(self, client: Client, name: str, clock: VirtualClock) -> None:
        self.leading = asyncio.Event()
        self.resign = asyncio.Event()
        self.elector = LeaderElector(client, Election("kube-system", "test", name), clock)

    async def _lead(self) -> None:
        self.leading.set()
        try:
            await self.resign.wait()
        finally:
            self.leading.clear()

    async def run(self) -> None:
        await self.elector.run(self._lead)


async def lease(client: Client):
    return (await client.get(scheme.LEASES, "test", "kube-system")).spec


async def pass_time(
    client: Counting, clock: VirtualClock, seconds: float, condition=lambda: False
) -> None:
    """Move on in steps; what is asked in one is answered before the next, however long it takes."""
    for _ in range(int(seconds * 2)):
        if condition():
            return
        await clock.advance(0.5)
        await until(lambda: not client.under_way)


async def test_the_second_waits_and_takes_over_what_was_given_back(client):
    clock = VirtualClock()
    first, second = Candidate(client, "a", clock), Candidate(client, "b", clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await asyncio.wait_for(first.leading.wait(), 60)
        tasks.create_task(second.run())
        await pass_time(client, clock, 40)
        assert first.leading.is_set()
        assert not second.leading.is_set()
        spec = await lease(client)
        assert (spec.holder_identity, spec.lease_transitions or 0) == ("a", 0)
        assert spec.renew_time > spec.acquire_time
        first.resign.set()
        await pass_time(client, clock, 10, second.leading.is_set)
        assert second.leading.is_set()
        spec = await lease(client)
        assert (spec.holder_identity, spec.lease_transitions) == ("b", 1)
        second.resign.set()


async def test_the_lease_of_one_who_died_runs_out(client):
    clock = VirtualClock()
    first, second = Candidate(client, "a", clock), Candidate(client, "b", clock)
    dying = asyncio.ensure_future(first.run())
    await asyncio.wait_for(first.leading.wait(), 60)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(second.run())
        await pass_time(client, clock, 12)
        assert not second.leading.is_set()
        await pass_time(client, clock, 20, second.leading.is_set)
        assert second.leading.is_set()
        second.resign.set()


async def test_a_leader_who_lost_the_lease_stops(client):
    clock = VirtualClock()
    leader = Candidate(client, "a", clock)
    running = asyncio.ensure_future(leader.run())
    await asyncio.wait_for(leader.leading.wait(), 60)
    usurped = await client.get(scheme.LEASES, "test", "kube-system")
    usurped.spec.holder_identity = "b"
    await client.update(scheme.LEASES, usurped)
    await pass_time(client, clock, 10, running.done)
    with pytest.raises(LeadershipLost):
        await running
    assert not leader.leading.is_set()
    await until(lambda: clock.next_deadline is None)


class Late(Counting):
    """Gets its second answer late, and no further one."""

    clock: VirtualClock
    written = 0.0

    async def get(self, *args: Any, **named: Any) -> Any:
        if self.written:
            await self.clock.sleep(4.5)
            raise Unreachable("no answer")
        return await super().get(*args, **named)

    async def update(self, *args: Any, **named: Any) -> Any:
        answer = await super().update(*args, **named)
        self.written = self.clock.monotonic()
        await self.clock.sleep(4.5)
        return answer


async def test_a_leader_stops_before_anybody_else_may_take_over(tmp_path):
    async with running_apiserver(tmp_path) as api, Late(api.client_config()) as client:
        client.clock = VirtualClock()
        leader = Candidate(client, "a", client.clock)
        running = asyncio.ensure_future(leader.run())
        await asyncio.wait_for(leader.leading.wait(), 60)
        await pass_time(client, client.clock, 60, running.done)
        with pytest.raises(LeadershipLost):
            await running
        assert client.clock.monotonic() - client.written < LEASE_SECONDS


def test_candidates_of_one_host_and_process_number_are_told_apart():
    assert candidate("") != candidate("")
    assert candidate("mine") == "mine"
