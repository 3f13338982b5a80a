"""A number of bytes that is shared."""

from __future__ import annotations

import asyncio

import pytest

from podium.kit.room import Room


class Visitors:
    """Who is in a room of 10 bytes, in the order in which they came in."""

    def __init__(self, alone: int | None = None) -> None:
        self.room = Room(10, alone)
        self.owners: dict[str, str] = {}
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def _come(self, name: str, owner: str, size: int) -> None:
        await self.room.take(owner, size)
        self.inside.append(name)

    async def come(self, name: str, size: int, owner: str = "") -> None:
        self.owners[name] = owner or name
        self.tasks[name] = asyncio.get_running_loop().create_task(
            self._come(name, owner or name, size)
        )
        await settled()

    async def leave(self, name: str, size: int) -> None:
        self.inside.remove(name)
        self.room.give(self.owners[name], size)
        await settled()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def visitors(request):
    found = Visitors(getattr(request, "param", None))
    yield found
    for task in found.tasks.values():
        task.cancel()
    await asyncio.gather(*found.tasks.values(), return_exceptions=True)


async def test_as_many_as_fit_are_in(visitors):
    for name in "abc":
        await visitors.come(name, 4)
    assert visitors.inside == ["a", "b"]
    await visitors.leave("a", 4)
    assert visitors.inside == ["b", "c"]


async def test_who_is_larger_than_the_room_goes_alone_and_is_not_overtaken(visitors):
    await visitors.come("a", 4)
    await visitors.come("huge", 1000)
    await visitors.come("b", 1)
    assert visitors.inside == ["a"]
    await visitors.leave("a", 4)
    assert visitors.inside == ["huge"]
    await visitors.leave("huge", 1000)
    assert visitors.inside == ["b"]


async def test_owners_take_turns(visitors):
    for name in ("x1", "x2", "x3"):
        await visitors.come(name, 10, owner="x")
    await visitors.come("y1", 10, owner="y")
    order = []
    while visitors.inside:
        (name,) = visitors.inside
        order.append(name)
        await visitors.leave(name, 10)
    assert order == ["x1", "x2", "y1", "x3"]


async def test_who_gives_up_leaves_no_room_taken(visitors):
    await visitors.come("a", 10)
    await visitors.come("b", 10)
    await visitors.come("c", 3)
    await visitors.give_up("b")
    await visitors.leave("a", 10)
    assert visitors.inside == ["c"]
    await visitors.come("d", 7)
    assert visitors.inside == ["c", "d"]


async def test_who_gives_up_as_it_is_let_in_gives_it_back(visitors):
    await visitors.come("a", 10)
    await visitors.come("b", 10)
    visitors.inside.remove("a")
    visitors.room.give("a", 10)  # b is let in, and does not know it yet
    await visitors.give_up("b")
    await visitors.come("c", 10)
    assert visitors.inside == ["c"]


async def test_who_fits_is_let_in_when_the_one_before_gives_up(visitors):
    await visitors.come("a", 6)
    await visitors.come("b", 10)
    await visitors.come("c", 4)
    await visitors.give_up("b")
    assert visitors.inside == ["a", "c"]


@pytest.mark.parametrize("visitors", [6], indirect=True)
async def test_one_owner_leaves_room_for_others(visitors):
    """Who waits for his own is not waited for, and gets in once they have gone."""
    for name in ("x1", "x2", "x3"):
        await visitors.come(name, 3, owner="x")
    await visitors.come("y1", 4)
    assert visitors.inside == ["x1", "x2", "y1"]
    await visitors.come("z1", 3)
    await visitors.leave("x1", 3)
    assert visitors.inside == ["x2", "y1", "x3"]
    await visitors.leave("y1", 4)
    assert visitors.inside == ["x2", "x3", "z1"]


@pytest.mark.parametrize("visitors", [6], indirect=True)
async def test_who_is_larger_than_his_part_gets_that_part(visitors):
    await visitors.come("huge", 1000)
    await visitors.come("b", 4)
    assert visitors.inside == ["huge", "b"]
    await visitors.leave("huge", 1000)
    await visitors.come("c", 6)
    assert visitors.inside == ["b", "c"]
