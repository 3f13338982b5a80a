"""The supervisor with real processes: readiness, restart, order of stopping, orphans.

It runs in a child process, since it takes over signals and forks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from podium.cluster.supervisor import Component, Supervisor

    def say(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # one write: lines stay whole

    def component(name):
        def run(ready):
            def end(number, *_):
                say(name, "stops by", signal.Signals(number).name)
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
            signal.signal(signal.SIGINT, end)
            say(name, "runs as", os.getpid())
            ready()
            while True:
                signal.pause()
        return Component(name, run, lambda: say(name, "is ready"))

    def stubborn(ready):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("stubborn runs as", os.getpid())
        ready()
        while True:
            signal.pause()

    components = {
        "two": [component("first"), component("second")],
        "stubborn": [Component("stubborn", stubborn, stop_timeout=0.2)],
    }[sys.argv[1]]
    sys.exit(Supervisor(components).run())
    """
)


class Running:
    """A supervisor's process, and the lines it and its children print."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[str] = []

    def until(self, *words: str) -> str:
        """Read lines until one has all *words*; the test's own time limit is the patience."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(line.strip())
            if all(word in line for word in words):
                return line.strip()
        raise AssertionError(f"{words} never came; seen: {self.seen}")

    def until_ready(self, *names: str) -> None:
        for name in names:
            if f"{name} is ready" not in self.seen:
                self.until(name, "is ready")

    def rest(self) -> list[str]:
        assert self.process.stdout is not None
        return [line.strip() for line in self.process.stdout]


@contextlib.contextmanager
def supervisor(which: str, tmp_path: Path) -> Iterator[Running]:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(script), which],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def pid_in(line: str) -> int:
    return int(line.rsplit(" ", 1)[1])


def test_it_says_when_each_is_ready_and_stops_them_last_first(tmp_path):
    with supervisor("two", tmp_path) as running:
        running.until_ready("first", "second")
        running.process.send_signal(signal.SIGTERM)
        assert running.rest()[-2:] == ["second stops by SIGTERM", "first stops by SIGTERM"]
        assert running.process.wait() == 0


def test_a_killed_component_is_started_again(tmp_path):
    with supervisor("two", tmp_path) as running:
        first = pid_in(running.until("second runs as"))
        os.kill(first, signal.SIGKILL)
        again = pid_in(running.until("second runs as"))
        assert again != first
        running.until("second is ready")


def test_they_are_told_which_signal_it_was(tmp_path):
    with supervisor("two", tmp_path) as running:
        running.until_ready("first", "second")
        running.process.send_signal(signal.SIGINT)
        assert running.rest()[-2:] == ["second stops by SIGINT", "first stops by SIGINT"]


def test_one_that_ignores_the_signal_is_killed(tmp_path):
    with supervisor("stubborn", tmp_path) as running:
        pid = pid_in(running.until("stubborn runs as"))
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait() == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_children_do_not_outlive_a_killed_supervisor(tmp_path):
    """Nor do they take it for the end of the node, which SIGTERM would tell a kubelet."""
    with supervisor("two", tmp_path) as running:
        running.until_ready("first", "second")
        running.process.kill()
        # Their output ends only when both are gone.
        assert {"first stops by SIGINT", "second stops by SIGINT"} <= set(running.rest())
