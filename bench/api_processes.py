"""Child processes of ``api.py``, and what they use."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


class Server:
    """A child process of ``api_servers.py``; *said* is the line that it was ready with."""

    def __init__(self, name: str, directory: Path) -> None:
        script = Path(__file__).with_name("api_servers.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), name, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.said = self._read_line()

    def ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._read_line())

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server has ended")
        return line.strip()

    def stop(self) -> None:
        self._process.terminate()
        with self._process:
            pass

    def cpu_seconds(self) -> float:
        """What all threads have used so far."""
        used = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                used += int((task / "schedstat").read_text().split()[0])
        return used / 1e9

    def memory(self) -> int:
        """Return the PSS in bytes."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        line = next(line for line in text.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024
