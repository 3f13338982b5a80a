"""One holder at a time; a dead one's lock is free."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from podium.cluster.lock import Locked, has_open, held, holder


def test_a_free_lock_has_no_holder(tmp_path):
    path = tmp_path / "lock"
    assert holder(path) == 0
    with held(path):
        assert holder(path) == os.getpid()
    assert holder(path) == 0


def test_who_has_a_holders_number_need_not_be_one(tmp_path):
    path = tmp_path / "lock"
    with held(path), subprocess.Popen(["sleep", "60"]) as stranger:
        assert has_open(os.getpid(), path)
        assert not has_open(stranger.pid, path)
        stranger.kill()
    assert not has_open(stranger.pid, path)


def test_a_second_holder_learns_who_the_first_is(tmp_path):
    path = tmp_path / "lock"
    with held(path), pytest.raises(Locked) as caught, held(path):
        raise AssertionError("held twice")
    assert caught.value.pid == os.getpid()
    assert not caught.value.orphaned


def test_a_killed_holder_frees_it(tmp_path):
    path = tmp_path / "lock"
    program = (
        "import sys, pathlib\n"
        "from podium.cluster.lock import held\n"
        "with held(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert holder(path) == process.pid
        process.kill()
        process.wait()
    assert holder(path) == 0
