"""One heap for all threads of a process."""

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
