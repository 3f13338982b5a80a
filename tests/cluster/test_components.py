"""A component that fails is started again, and takes nobody with it."""

from __future__ import annotations

import asyncio

from podium.cluster import components
from podium.kit.backoff import Backoff


async def test_a_component_that_fails_is_started_again(monkeypatch, caplog):
    monkeypatch.setattr(components, "Backoff", lambda **_: Backoff(initial=0.001, maximum=0.001))
    runs = []

    async def component() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise RuntimeError("a bug")

    await asyncio.wait_for(components._kept_running("scheduler", component), 60)
    assert runs == [0, 1, 2]
    assert [record.message for record in caplog.records] == ["scheduler failed unexpectedly"] * 2
