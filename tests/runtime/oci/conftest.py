"""Fixtures: a runtime of a test's own, checked for what it leaves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.leaks import leaked, snapshot
from support.oci import OciHarness, oci


@pytest.fixture
def cidr() -> str:
    """A /24 of this process's own: tests may run side by side."""
    return f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.0/24"


@pytest.fixture
async def harness(tmp_path: Path, cidr: str) -> AsyncIterator[OciHarness]:
    marks = [str(tmp_path)]
    before = snapshot(*marks)
    async with oci(tmp_path, cidr) as made:
        marks.append(made.id)
        yield made
    assert leaked(before, *marks) == {}
