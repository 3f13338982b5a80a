"""News of files: who waits for what is told of that, and all share one inotify instance."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from podium.kubelet.file_news import ENTRIES, FileNews


def instances() -> int:
    """How many inotify instances this process has."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(entry) == "anon_inode:inotify"
        except FileNotFoundError:  # the listing's own
            continue
    return found


async def told(news: FileNews) -> bool:
    """Whether *news* comes, for which there is time enough."""
    try:
        async with asyncio.timeout(60):
            await news.wait()
    except TimeoutError:
        return False
    return True


async def test_two_hundred_wait(tmp_path: Path):
    before = instances()
    directories = [tmp_path / str(number) for number in range(100)]
    for directory in directories:
        directory.mkdir()
    with ExitStack() as stack:
        waiting = [
            (directory, stack.enter_context(FileNews(directory)))
            for directory in directories * 2
        ]  # fmt: skip
        assert instances() == before + 1
        (directories[7] / "log").write_text("line")
        both = [told(news) for where, news in waiting if where.name == "7"]
        assert await asyncio.gather(*both) == [True, True]
        assert not any(news.changed.is_set() for where, news in waiting if where.name != "7")
    assert instances() == before


async def test_each_is_told_of_what_it_waits_for(tmp_path: Path):
    (tmp_path / "old").write_text("")
    with FileNews(tmp_path) as growth, FileNews(tmp_path, ENTRIES) as entries:
        (tmp_path / "old").unlink()
        assert await told(entries)
        assert not growth.changed.is_set()
        with (tmp_path / "new").open("w") as file:
            file.write("x")
            file.flush()
            assert await told(growth)
            assert not entries.changed.is_set()
        assert await told(entries)


async def test_one_who_leaves_takes_nothing_from_others(tmp_path: Path):
    with FileNews(tmp_path) as stays:
        with FileNews(tmp_path):
            pass
        (tmp_path / "log").write_text("line")
        assert await told(stays)


async def test_what_is_not_there(tmp_path: Path):
    before = instances()
    with pytest.raises(FileNotFoundError), FileNews(tmp_path / "nowhere"):
        pass
    assert instances() == before
