"""What `podium up` says on its standard output."""

from __future__ import annotations

import os
import subprocess
import sys

from podium.cluster.up import _say


def test_a_line_is_there_at_once(capfd):
    _say("ready")
    assert capfd.readouterr().out == "ready\n"


def test_a_reader_that_has_gone_does_not_matter():
    read, write = os.pipe()
    os.close(read)
    program = "from podium.cluster.up import _say; _say('one'); _say('two')"
    ended = subprocess.run([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")
