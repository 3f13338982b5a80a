from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from podium.cluster.node_dns import follow, name_server, resolver_file


def written(path: Path, *servers: str) -> Path:
    path.write_text("".join(f"nameserver {server}\n" for server in servers))
    return path


@pytest.mark.parametrize(
    ("first", "behind", "chosen"),
    [
        pytest.param(["192.0.2.53"], ["192.0.2.1"], "first", id="a-server-that-pods-reach"),
        pytest.param(["127.0.0.53"], ["192.0.2.1"], "behind", id="a-stub-on-loopback"),
        pytest.param(["127.0.0.1"], None, "first", id="loopback-and-nothing-behind-it"),
        pytest.param([], ["192.0.2.1"], "behind", id="no-server-at-all"),
        pytest.param(["127.0.0.1", "192.0.2.53"], ["192.0.2.1"], "first", id="one-of-two"),
    ],
)
def test_which_file_counts(tmp_path, first, behind, chosen):
    written(tmp_path / "first", *first)
    if behind is not None:
        written(tmp_path / "behind", *behind)
    assert resolver_file(tmp_path / "first", tmp_path / "behind").name == chosen


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ([], ""),
        (["2001:db8::53"], ""),
        (["fe80::1%eth0", "192.0.2.53"], "192.0.2.53"),
        (["no-address", "192.0.2.53", "192.0.2.54"], "192.0.2.53"),
    ],
)
def test_the_first_server_that_counts(tmp_path, servers, found):
    assert name_server(written(tmp_path / "resolv.conf", *servers)) == found


def test_no_file_no_server(tmp_path):
    assert name_server(tmp_path / "nosuch") == ""
    assert name_server(tmp_path) == ""


async def test_a_change_is_told(tmp_path):
    path = written(tmp_path / "resolv.conf", "192.0.2.53")
    told: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        following = group.create_task(follow(path, told.put))
        await asyncio.sleep(0)
        os.replace(written(tmp_path / "new", "192.0.2.53", "192.0.2.9"), path)  # the first stays
        os.replace(written(tmp_path / "new", "192.0.2.54"), path)
        assert await told.get() == "192.0.2.54"
        assert told.empty()
        following.cancel()
