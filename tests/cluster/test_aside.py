"""Work in a process of its own; all in a child, since forking is for processes of one thread."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from podium.cluster.aside import Aside
    from podium.cluster.cli import reported
    from podium.cluster.config import ConfigError

    def refuse():
        raise ConfigError("it cannot be")

    def fail():
        import fractions  # which the caller is spared
        raise ZeroDivisionError("a bug")

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    work = {"end": lambda: 7, "refuse": lambda: reported(refuse), "fail": fail, "die": die}
    aside = Aside(work[sys.argv[1]])
    code = aside.wait()
    print(code, "fractions" in sys.modules)
    """
)


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        pytest.param("end", 7, [], id="its-exit-code"),
        pytest.param("refuse", 1, ["error: it cannot be"], id="what-is-wrong-is-told-once"),
        pytest.param("fail", 1, ["ZeroDivisionError: a bug"], id="a-bug-is-told"),
        pytest.param("die", 137, [], id="killed"),
    ],
)
def test_what_the_caller_gets(work: str, code: int, said: list[str]):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, work], capture_output=True, text=True, check=True
    )
    assert ended.stdout == f"{code} False\n"
    assert ended.stderr.splitlines()[-1:] == said
