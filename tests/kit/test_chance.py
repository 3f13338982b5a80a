"""Random bytes out of the stock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from podium.kit.chance import random_bytes


def test_nobody_gets_what_another_got() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = [one for some in pool.map(_several, range(8)) for one in some]
    assert {len(each) for each in found} == {16}
    assert len(set(found)) == len(found) == 8 * 300


def _several(_: int) -> list[bytes]:
    return [random_bytes() for _ in range(300)]


def test_a_child_process_draws_from_a_stock_of_its_own() -> None:
    random_bytes()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, random_bytes())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() != random_bytes()
