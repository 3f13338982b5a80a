"""What a process's one coroutine may count on."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import resource, sys
from podium.kit.aio import run

async def main():
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

resource.setrlimit(resource.RLIMIT_NOFILE, (256, int(sys.argv[1])))
sys.exit(run(main()))
"""


def test_as_many_files_as_are_allowed_may_be_open():
    command = [sys.executable, "-c", _PROGRAM, "4096"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "4096\n"
