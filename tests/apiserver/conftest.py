from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.apiserver import RunningApiServer, running_apiserver


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[RunningApiServer]:
    async with running_apiserver(tmp_path) as running:
        yield running
