"""``bench/api.py`` runs: every measure once, on a few Pods."""

import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench/api.py"
FEW = (
    "--pods=60", "--seconds=0.04", "--connections=1,4", "--watchers=1,3", "--deliveries=24",
)  # fmt: skip


def test_every_measure_stands_beside_its_floor(tmp_path):
    done = subprocess.run(
        [sys.executable, BENCH, *FEW, f"--directory={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\S.*?)  +[\d.]+/s(?: +[\d.]+){3} +[\d.]+/s", done.stdout, re.MULTILINE)
    for what in ("create", "get", "all", "a node, of all", "update", "patch of the status"):
        assert f"{what}, 1 connection" in rows
        assert f"{what}, 4 connections" in rows
    assert any(row.startswith("to 3 watchers, ") for row in rows)
    assert "memory, started anew" in done.stdout
    assert list(tmp_path.iterdir()) == []
