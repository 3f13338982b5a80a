"""Logs that are rotated while they are written and read: no line is lost or told twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kubelet import log_files, logs
from podium.kubelet.file_news import FileNews
from podium.kubelet.log_rotation import _make_room
from podium.kubelet.logs import LogOptions, read_log

T = TypeVar("T")
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

    def go_on(self, step: str) -> None:
        """Take one of STEPS; reading is the reader's."""
        if step == "write":
            self.write(3)
        elif step == "rotate":
            self.write(1)
            self.rotate()
        elif step == "compress":
            _make_room(self.path, 100)


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
                    log.go_on(step)
                    for _ in range(30 if step == "read" else 0):
                        await asyncio.sleep(0)
                over = True
                news.poke()
                async with asyncio.timeout(60):
                    await reader
        assert b"".join(got).decode().split() == log.lines

    asyncio.run(play())


@given(steps=STEPS, follow=st.booleans(), tail=st.none() | st.integers(0, 12))
def test_files_may_be_renamed_and_compressed_between_any_two_looks_at_them(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], follow: bool, tail: int | None
):
    """The reader works beside the event loop, so that rotation comes in between all that it does
    with files: here, before each listing and each opening, and after it."""
    log = Log(tmp_path_factory.mktemp("log"))
    left = list(steps)

    one_writes = threading.Lock()

    def step() -> None:
        with one_writes:
            if left:
                log.go_on(left[0])
                del left[0]

    def disturbed(work: Callable[[Path], T]) -> Callable[[Path], T]:
        def between(file: Path) -> T:
            step()
            result = work(file)
            step()
            return result

        return between

    async def play() -> bytes:
        options = LogOptions(follow=follow, tail_lines=tail)
        with FileNews(log.path.parent) as news:

            async def go_on() -> None:
                while left:
                    await asyncio.sleep(0.001)
                    step()
                news.poke()

            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                tasks.create_task(go_on())
                reading = read_log(log.path, options, lambda: not left, news)
                return b"".join([piece async for piece in reading])

    log.write(2)
    log.rotate()
    log.write(2)
    log.rotate()
    log.write(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "rotated", disturbed(log_files.rotated))
        patch.setattr(logs, "open_log", disturbed(log_files.open_log))
        first = len(log.lines)
        got = asyncio.run(play()).decode().split()
    begin = int(got[0]) if got else len(log.lines)
    assert got == log.lines[begin : begin + len(got)]
    assert begin + len(got) >= first
    if tail is None:
        assert begin == 0
    else:
        assert len(got) >= min(tail, first)
    if follow:
        assert begin + len(got) == len(log.lines)


async def test_a_reader_that_goes_away_leaves_no_file_open(log: Log):
    for _ in range(3):
        log.write(10)
        log.rotate()
    reading = read_log(log.path, LogOptions(follow=True), lambda: False, None)
    before = len(os.listdir("/proc/self/fd"))
    async for _ in reading:
        break
    await reading.aclose()
    assert len(os.listdir("/proc/self/fd")) <= before
