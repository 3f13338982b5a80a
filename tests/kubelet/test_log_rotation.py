"""Logs that are rotated while they are written and read: no line is lost or told twice."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kubelet import log_files
from podium.kubelet.file_news import FileNews
from podium.kubelet.log_rotation import _make_room
from podium.kubelet.logs import LogOptions, read_log

START = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)


class Log:
    """A log that somebody writes and rotates; lines are numbers."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "0.log"
        self.lines: list[str] = []
        self._seconds = itertools.count()
        self.path.touch()

    def write(self, count: int) -> None:
        with self.path.open("a") as file:
            for _ in range(count):
                time = START + timedelta(seconds=next(self._seconds))
                file.write(f"{time:%Y-%m-%dT%H:%M:%SZ} stdout F {len(self.lines)}\n")
                self.lines.append(str(len(self.lines)))

    def rotate(self, files: int = 100) -> None:
        _make_room(self.path, files)
        now = START + timedelta(seconds=next(self._seconds))
        self.path.rename(log_files.rotated_name(self.path, now))
        self.path.touch()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


async def read(log: Log, **options: object) -> list[str]:
    reading = read_log(log.path, LogOptions(**options), lambda: True, None)
    return b"".join([piece async for piece in reading]).decode().split()


def content(file: Path) -> str:
    with log_files.open_log(file) as opened:
        return opened.read().decode()


async def test_what_was_rotated_belongs_to_the_log(log: Log):
    for _ in range(4):
        log.write(10)
        log.rotate()
    log.write(3)
    assert await read(log) == log.lines
    assert [file.suffix for file in log_files.rotated(log.path)].count(".gz") == 3


@pytest.mark.parametrize("tail", [0, 1, 3, 4, 13, 14, 25, 43, 100])
async def test_the_end_may_reach_into_rotated_files(log: Log, tail: int):
    for _ in range(4):
        log.write(10)
        log.rotate()
    log.write(3)
    assert await read(log, tail_lines=tail) == (log.lines[-tail:] if tail else [])


@pytest.mark.parametrize("second", [0, 5, 9, 10, 11, 12, 25, 60])
async def test_since_may_reach_into_rotated_files(log: Log, second: int):
    for _ in range(3):
        log.write(10)
        log.rotate()
    log.write(3)
    everything = log_files.rotated(log.path)
    since = START + timedelta(seconds=second)
    text = "".join(map(content, (*everything, log.path)))
    wanted = [
        line.split()[-1]
        for line in text.splitlines()
        if datetime.fromisoformat(line.split()[0]) >= since
    ]
    assert await read(log, since=since) == wanted


def test_the_oldest_files_go_and_those_that_stay_are_compressed(log: Log):
    for _ in range(6):
        log.write(5)
        log.rotate(files=4)
    files = log_files.rotated(log.path)
    assert [file.suffix == ".gz" for file in files] == [True, True, False]
    assert content(files[0]).splitlines()[0].endswith(" 15")


STEPS = st.lists(
    st.sampled_from(["write", "rotate", "rotate", "read"]) | st.just("compress"), max_size=14
)


@given(steps=STEPS)
def test_a_follower_gets_every_line_once_whatever_happens_when(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
):
    """The reader is let run at some points only: meanwhile its file is rotated and compressed."""

    async def play() -> None:
        log = Log(tmp_path_factory.mktemp("log"))
        over = False
        got: list[bytes] = []
        with FileNews(log.path.parent) as news:

            async def follow() -> None:
                reading = read_log(log.path, LogOptions(follow=True), lambda: over, news)
                got.extend([piece async for piece in reading])

            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(follow())
                for step in steps:
                    if step == "write":
                        log.write(3)
                    elif step == "rotate":
                        log.write(1)
                        log.rotate()
                    elif step == "compress":
                        _make_room(log.path, 100)
                    else:
                        for _ in range(30):
                            await asyncio.sleep(0)
                over = True
                news.poke()
                async with asyncio.timeout(60):
                    await reader
        assert b"".join(got).decode().split() == log.lines

    asyncio.run(play())
