from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.apiserver import running_apiserver
from support.node import Node, furnish


@pytest.fixture
async def idle_node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node whose kubelet has not been started."""
    async with running_apiserver(tmp_path / "api") as api, Node(api, tmp_path / "node") as node:
        await furnish(node.client)
        yield node


@pytest.fixture
async def node(idle_node: Node) -> Node:
    await idle_node.start()
    return idle_node
