"""The machine is out of memory: whom the kernel has killed stands in an event."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from podium.api.types.core_v1 import Node
from podium.kubelet.node.system_oom import SystemOomWatcher, victim

GLOBAL = (
    "6,1047,5083422,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,"
    "mems_allowed=0,global_oom,task_memcg=/user.slice,task=stress, ng,pid=4242,uid=1000"
)
OF_A_CONTAINER = (
    "6,1048,5083423,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,"
    "mems_allowed=0,oom_memcg=/podium/pod1,task_memcg=/podium/pod1/c,task=stress,pid=17,uid=0"
)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        pytest.param(GLOBAL, ("stress, ng", 4242), id="of-the-machine"),
        pytest.param(OF_A_CONTAINER, None, id="of-a-container"),
        pytest.param("6,1,1,-;usb 1-1: new device", None, id="something-else"),
    ],
)
def test_victims(record: str, found: tuple[str, int] | None):
    assert victim(record) == found


class Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def event(self, _about: Any, _kind: str, reason: str, message: str) -> None:
        self.told.append((reason, message))


async def test_the_log_is_followed_to_its_end(tmp_path: Path):
    path, recorder = tmp_path / "kmsg", Recorder()
    os.mkfifo(path)
    watcher = SystemOomWatcher(recorder, Node, str(path))  # type: ignore[arg-type]
    watching = asyncio.ensure_future(watcher.run())
    await asyncio.sleep(0)  # it has opened the log
    writer = os.open(path, os.O_WRONLY)
    os.write(writer, f"{OF_A_CONTAINER}\n{GLOBAL}\n".encode())
    os.close(writer)
    async with asyncio.timeout(60):
        await watching
    text = "System OOM encountered, victim process: stress, ng, pid: 4242"
    assert recorder.told == [("SystemOOM", text)]


async def test_a_machine_without_a_log_is_no_trouble(tmp_path: Path, caplog):
    caplog.set_level(logging.INFO)
    recorder = Recorder()
    await SystemOomWatcher(recorder, Node, str(tmp_path / "nosuch")).run()  # type: ignore[arg-type]
    assert caplog.messages == ["the kernel's log is not watched"]
    assert recorder.told == []
