"""The embedded runtime keeps the contract, with real containers."""

from __future__ import annotations

import pytest

from contracts.runtime import RuntimeContract


@pytest.mark.e2e
class TestOciRuntime(RuntimeContract):
    pass
