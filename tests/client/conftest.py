from __future__ import annotations

import pytest

from support.http_peer import serving


@pytest.fixture
async def peer():
    async with serving() as running:
        yield running
