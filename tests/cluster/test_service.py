"""The unit for systemd: what it says is what the containers need."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "examples" / "podium.service"


def test_a_stop_of_the_service_ends_no_conmon():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(UNIT.read_text())
    assert unit["Service"]["KillMode"] == "process"
    assert unit["Service"]["ExecStart"].split()[1:] == ["up"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd")
def test_systemd_takes_it(tmp_path: Path):
    unit = tmp_path / "podium.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/podium", "/bin/true"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stderr
