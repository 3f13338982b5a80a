"""Whether a file system answers, and how many threads find that out."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from podium.kit.answering import answers, silent
from podium.kit.bounded import THREAD
from support.dead_fs import AVAILABLE, dead_filesystem


@pytest.mark.parametrize("name", ["there", "missing", "not\0a name"])
async def test_what_can_be_told_is_an_answer(tmp_path: Path, name: str):
    (tmp_path / "there").touch()
    assert await answers(f"{tmp_path}/{name}", 60)


@pytest.mark.e2e
@pytest.mark.skipif(not AVAILABLE, reason="no FUSE here")
async def test_however_often_it_is_asked_few_threads_hang_for_a_dead_path(tmp_path: Path):
    """One for all paths at first, and one for that."""
    dead = f"{tmp_path}/silent"
    with dead_filesystem(tmp_path):
        for _ in range(3):
            assert dead in await silent([dead, "/"], 0.05)
        assert await silent(["/"], 60) == set()
        async with asyncio.timeout(60):
            while [thread.name for thread in threading.enumerate()].count(THREAD) != 2:
                await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while await silent([dead]):
            await asyncio.sleep(0)
