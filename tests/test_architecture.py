"""The direction of imports is a contract (``.importlinter``), and this is where it is enforced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_imports_run_downhill_and_what_decides_is_pure():
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    assert "0 broken" in checked.stdout
