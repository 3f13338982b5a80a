"""One heap for all threads of a process, that gives back what is free."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_WORK = """
import ctypes, sys, threading
from podium.kit import heap
if sys.argv[1] == "shared":
    heap.share()
thread = threading.Thread(target=lambda: [bytes(100_000) for _ in range(100)])
thread.start()
thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="not glibc")
@pytest.mark.parametrize(("asked", "heaps"), [("shared", 1), ("own", 2)])
def test_threads_share_a_heap_where_that_is_asked_for(asked: str, heaps: int):
    said = subprocess.run(
        [sys.executable, "-c", _WORK, asked], capture_output=True, text=True, check=True
    )
    assert said.stderr.count("Arena ") == heaps


_LET_GO = """
import asyncio
from pathlib import Path
from podium.kit import heap

async def main():
    heap.QUIET = 0
    thrift = heap.Thrift(asyncio.get_running_loop())
    held = [b"x" * 10_000 + bytes(number) for number in range(6000)]
    full, kept = used(), held[::100]
    del held
    assert used() > full / 2, "given back without being asked"
    thrift.freed(heap.WORTH_WHILE)
    async with asyncio.timeout(60):
        while used() > full / 2:
            await asyncio.sleep(0.01)

def used():
    return int(Path("/proc/self/statm").read_text().split()[1])

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_lies_free_between_what_is_kept_is_given_back():
    subprocess.run([sys.executable, "-c", _LET_GO], check=True)
