from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.address import own_address
from support.proxied import World, proxied


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with own_address() as found:
        yield found


@pytest.fixture
async def world(tmp_path: Path, address: str) -> AsyncIterator[World]:
    async with proxied(tmp_path, address) as running:
        yield running
