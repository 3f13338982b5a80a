"""Many writers and many clients that list, watch, lose their connections and come back, at once.

What they saw is recorded for ``watch_history`` to judge. The same load goes through any ``Door``:
the registry, or the API over the wire. Everything random comes from a seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import pytest

from podium.registry import listing, watch_cache, watcher, watching
from support import watch_history
from support.watch_history import History, Listed, State, Told, Version, Wants, Watch, Write

NAMESPACES = ("one", "two")
APPS = ("x", "y", "z")
#: Every kind of reader: of everything, a namespace, a selector, both, one object.
WANTED = (
    Wants(),
    Wants(namespace="one"),
    Wants(app="x"),
    Wants(namespace="two", app="y"),
    Wants(namespace="one", name="n1"),
    Wants(name="n2"),
)


class Gone(Exception):
    """A list is answered with 410: *revision* is the one that it was of."""


@dataclass(frozen=True)
class Page:
    revision: int
    items: Sequence[Version]
    continue_: str


@dataclass(frozen=True)
class Asked:
    """``version`` is the resourceVersion; ``initial`` is sendInitialEvents, with bookmarks."""

    wants: Wants
    version: str = ""
    match: str = ""
    initial: bool = False
    limit: int = 0
    continue_: str = ""


class Door(Protocol):
    """What the load needs of a server. Objects are known by ``namespace/name``."""

    async def create(self, key: str, state: State) -> int | None:
        """Return the revision of the write; None where there is an object of that name."""
        ...

    async def change(self, key: str, state: State) -> int | None:
        """Return the revision of the write; None where there is none, or somebody was faster."""
        ...

    async def delete(self, key: str) -> int | None:
        """Return the revision of the deletion; None where there is nothing to delete."""
        ...

    async def list(self, asked: Asked) -> Page:
        """Raises Gone."""
        ...

    def watch(self, asked: Asked) -> AbstractAsyncContextManager[AsyncIterator[Told]]: ...

    async def compact(self, revision: int) -> None: ...


def said(state: State) -> dict[str, Any]:
    """Return a state as it stands in the metadata of an object."""
    return {"labels": {"app": state.app}, "annotations": {"content": state.content}}


def version_of(shown: dict[str, Any]) -> Version:
    """Return the version that an object's JSON shows."""
    metadata = shown["metadata"]
    key = f"{metadata['namespace']}/{metadata['name']}"
    state = State(metadata["labels"]["app"], metadata["annotations"]["content"])
    return Version(key, int(metadata["resourceVersion"]), state)


def told_of(type_: str, shown: dict[str, Any]) -> Told:
    """Return what an event of a watch tells."""
    if type_ == "ERROR":
        assert (shown["code"], shown["reason"]) == (410, "Expired")
        return Told(type_, 0)
    if type_ == "BOOKMARK":
        metadata = shown["metadata"]
        ends = "k8s.io/initial-events-end" in metadata.get("annotations", {})
        return Told(type_, int(metadata["resourceVersion"]), ends_initial=ends)
    version = version_of(shown)
    return Told(type_, version.revision, version.key, version.state)


@dataclass
class Recorded:
    """Everything that was written and seen."""

    writes: list[Write] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    acknowledged: int = 0  #: the last revision that a writer was told of
    compacted: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wrote(self, write: Write) -> None:
        self.writes.append(write)
        self.acknowledged = max(self.acknowledged, write.revision)
        async with self.news:
            self.news.notify_all()

    async def more(self, count: int) -> None:
        """Wait until so many more writes were acknowledged."""
        target = len(self.writes) + count
        async with self.news:
            await self.news.wait_for(lambda: len(self.writes) >= target)


async def turns(count: int) -> None:
    """Let everybody else have so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


# ---------------------------------------------------------------------- writers


async def write(
    door: Door, record: Recorded, random: Random, count: int, contents: Iterator[str], pause: int
) -> None:
    """Make *count* attempts to create, change and delete objects that others write, too.

    Who reads gets up to *pause* turns of the loop in between.
    """
    for _ in range(count):
        await turns(random.randrange(pause + 1))
        key = f"{random.choice(NAMESPACES)}/n{random.randrange(6)}"
        state: State | None = State(random.choice(APPS), next(contents))
        verb = random.choice(("create", "change", "change", "change", "delete"))
        if verb == "create":
            revision = await door.create(key, state)
        elif verb == "change":
            revision = await door.change(key, state)
        else:
            state, revision = None, await door.delete(key)
        if revision is not None:
            await record.wrote(Write(revision, key, state))


async def compact_behind(door: Door, record: Recorded, random: Random) -> None:
    """Forget the past again and again, some way behind the present."""
    while True:
        await record.more(random.randrange(20, 60))
        upto = record.acknowledged - random.randrange(10, 60)
        if upto > record.compacted:
            record.compacted = upto  # before it is so: refusals may come at once
            await door.compact(upto)


# ---------------------------------------------------------------------- readers


class Reader:
    """One client: it lists and watches the same things again and again.

    ``known`` is the revision up to which it has been told everything, by the rules of the API.
    """

    def __init__(self, door: Door, record: Recorded, wants: Wants, random: Random) -> None:
        self.wants, self.known = wants, 0
        self._door, self._record, self._random = door, record, random

    async def run(self) -> None:
        while True:
            begin = self._random.choice(self._BEGINNINGS)
            await begin(self)

    async def hear_the_rest(self, revision: int) -> None:
        """Go on as clients do, with all the time there is, until told everything up to *revision*:
        behind what is known, and where that past is forgotten, with what is there."""
        is_forgotten = not self.known
        while self.known < revision:
            if is_forgotten:
                asked = Asked(self.wants, "", "NotOlderThan", initial=True)
                watch = Watch(self.wants, None, True, self._record.acknowledged)
            else:
                asked = Asked(self.wants, str(self.known))
                watch = Watch(self.wants, self.known)
            self._record.watches.append(watch)
            await self._read(asked, watch, enough=revision)
            is_forgotten = is_forgotten or [told.type for told in watch.told[-1:]] == ["ERROR"]

    # ------------------------------------------------------------------ ways to begin

    async def _resume(self) -> None:
        if self.known:
            await self._watch(Asked(self.wants, str(self.known)), after=self.known)

    async def _resume_long_ago(self) -> None:
        if self.known:
            after = self._random.randrange(self.known) + 1
            await self._watch(Asked(self.wants, str(after)), after=after)

    async def _from_what_is_there(self) -> None:
        await self._watch(Asked(self.wants), acknowledged=self._record.acknowledged)

    async def _from_what_is_cached(self) -> None:
        await self._watch(Asked(self.wants, "0"))

    async def _streamed(self) -> None:
        asked = Asked(self.wants, "", "NotOlderThan", initial=True)
        await self._watch(asked, marked=True, acknowledged=self._record.acknowledged)

    async def _streamed_from_known(self) -> None:
        asked = Asked(self.wants, str(self.known), "NotOlderThan", initial=True)
        await self._watch(asked, marked=True, acknowledged=self.known)

    async def _listed(self) -> None:
        listed = await self._list(Asked(self.wants), acknowledged=self._record.acknowledged)
        if listed is not None:
            await self._watch(Asked(self.wants, str(listed)), after=listed)

    async def _listed_in_pages(self) -> None:
        asked = Asked(self.wants, limit=self._random.randrange(1, 4))
        listed = await self._list(asked, acknowledged=self._record.acknowledged)
        if listed is not None:
            await self._watch(Asked(self.wants, str(listed)), after=listed)

    async def _listed_from_cache(self) -> None:
        await self._list(Asked(self.wants, "0"))
        await self._list(Asked(self.wants, str(self.known)), acknowledged=self.known)

    async def _listed_exactly(self) -> None:
        if self.known:
            at = self.known - self._random.randrange(min(self.known, 40))
            limit = self._random.choice((0, 2))
            await self._list(Asked(self.wants, str(at), "Exact", limit=limit), exact=at)

    _BEGINNINGS: Sequence[Callable[[Reader], Awaitable[None]]] = (
        _resume,
        _resume,
        _resume_long_ago,
        _from_what_is_there,
        _from_what_is_cached,
        _streamed,
        _streamed_from_known,
        _listed,
        _listed_in_pages,
        _listed_from_cache,
        _listed_exactly,
    )

    # ------------------------------------------------------------------ reading

    async def _list(
        self, asked: Asked, *, exact: int | None = None, acknowledged: int = 0
    ) -> int | None:
        """Return the list's revision; None where the past it is of is forgotten."""
        items: list[Version] = []
        page = None
        while page is None or page.continue_:
            if page is not None:
                asked = Asked(self.wants, limit=asked.limit, continue_=page.continue_)
                await turns(self._random.choice((0, 0, 5, 50)))
            try:
                page = await self._door.list(asked)
            except Gone:
                assert asked.continue_ or exact is not None
                return None
            items += page.items
        self._record.lists.append(Listed(self.wants, page.revision, items, exact, acknowledged))
        return page.revision

    async def _watch(
        self, asked: Asked, *, after: int | None = None, marked: bool = False, acknowledged: int = 0
    ) -> None:
        """Watch for some events or some time, then drop the connection."""
        watch = Watch(self.wants, after, marked, acknowledged)
        self._record.watches.append(watch)
        try:
            async with asyncio.timeout(self._random.choice((0.02, 0.1, 0.3))):
                left = self._random.choice((1, 3, 10, 40))
                await self._read(asked, watch, left, lazy=self._random.random() < 0.2)
        except TimeoutError:
            return

    async def leave_nothing_to_chance(self, write: Callable[[str], Awaitable[int]]) -> None:
        """Begin in every way once, at rest, and read until told what belongs to it.

        Whether the load came to each of them depends on how fast the machine is. *write* makes one
        write more, of an object of its own, and returns its revision; this reader wants everything.
        """
        record = self._record
        made = await write("create")
        await self._watch_until("ADDED", Asked(self.wants), acknowledged=made)
        streamed = Asked(self.wants, "", "NotOlderThan", initial=True)
        await self._watch_until("BOOKMARK", streamed, marked=True, acknowledged=made)
        await self._watch_until("ERROR", Asked(self.wants, "1"), after=1)
        await self._list(Asked(self.wants), acknowledged=made)
        await self._list(Asked(self.wants, str(made), "Exact"), exact=made)
        await write("change")
        await write("delete")
        await self._watch_until("DELETED", Asked(self.wants, str(made)), after=made)
        assert [told.type for told in record.watches[-1].told if told.type != "BOOKMARK"] == [
            "MODIFIED",
            "DELETED",
        ]

    async def _watch_until(
        self,
        type_: str,
        asked: Asked,
        *,
        after: int | None = None,
        marked: bool = False,
        acknowledged: int = 0,
    ) -> None:
        watch = Watch(self.wants, after, marked, acknowledged)
        self._record.watches.append(watch)
        async with asyncio.timeout(60), self._door.watch(asked) as stream:
            async for event in stream:
                watch.told.append(event)
                if event.type == type_:
                    return
        raise AssertionError(f"the watch ended without {type_}: {watch.told}")

    async def _read(
        self,
        asked: Asked,
        watch: Watch,
        left: float = math.inf,
        *,
        lazy: bool = False,
        enough: float = math.inf,
    ) -> None:
        """Read so many events, or until *enough* is known."""
        async with self._door.watch(asked) as stream:
            live = watch.after is not None
            async for event in stream:
                watch.told.append(event)
                live = live or event.ends_initial or event.type in ("MODIFIED", "DELETED")
                if live and event.type != "ERROR":
                    self.known = max(self.known, event.revision)
                left -= 1
                if left <= 0 or self.known >= enough:
                    return
                if lazy and self._random.random() < 0.2:
                    await self._doze()

    async def _doze(self) -> None:
        """Read nothing while others write, unless they have done."""
        try:
            async with asyncio.timeout(0.2):
                await self._record.more(self._random.randrange(40))
        except TimeoutError:
            return


# ---------------------------------------------------------------------- all of it


async def run(
    door: Door,
    *,
    seed: int,
    writers: int = 8,
    attempts: int = 60,
    readers: int = 12,
    pause: int = 0,
) -> Recorded:
    """Write and read at once until all is written, and every reader has heard of all of it.

    Where writing does not make anybody wait, *pause* (see ``write``) lets others have a turn.
    """
    record, contents = Recorded(), map(str, itertools.count())
    random = Random(seed)
    wanted = [WANTED[number % len(WANTED)] for number in range(readers)]
    following = [Reader(door, record, wants, Random(random.random())) for wants in wanted]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(reader.run()) for reader in following]
        running.append(tasks.create_task(compact_behind(door, record, random)))
        async with asyncio.TaskGroup() as writing:
            for _ in range(writers):
                writer = write(door, record, Random(random.random()), attempts, contents, pause)
                writing.create_task(writer)
        for task in running:
            task.cancel()
    history = History(record.writes)
    last = {reader: history.last(reader.wants) for reader in following}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for reader, revision in last.items():
                tasks.create_task(reader.hear_the_rest(revision))
    missed = [(r.wants, r.known, upto) for r, upto in last.items() if r.known < upto]
    assert missed == [], "known, and what was never told"
    await following[0].leave_nothing_to_chance(one_more(door, record, next(contents)))
    return record


def one_more(door: Door, record: Recorded, content: str) -> Callable[[str], Awaitable[int]]:
    """Return what makes one write of an object that nobody else writes."""
    key, made, changed = "one/last", State("x", content), State("x", f"{content}, changed")

    async def write(verb: str) -> int:
        match verb:
            case "create":
                state, revision = made, await door.create(key, made)
            case "change":
                state, revision = changed, await door.change(key, changed)
            case _:
                state, revision = None, await door.delete(key)
        assert revision is not None
        await record.wrote(Write(revision, key, state))
        return revision

    return write


def check(record: Recorded) -> None:
    """Fail where a guarantee is broken, or where the load has not put one to the test."""
    history = History(record.writes)
    broken = watch_history.offences(history, record.watches, record.lists, record.compacted)
    assert broken == {}
    told = Counter(told.type for watch in record.watches for told in watch.told)
    assert {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"} <= told.keys()
    begun = Counter((watch.after is None, watch.marked) for watch in record.watches)
    assert len(begun) == 3
    assert {listed.exact is None for listed in record.lists} == {True, False}


def tighten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring what usually takes long, or many objects, into reach of a short test."""
    monkeypatch.setattr(watch_cache, "_WINDOW", 12)
    monkeypatch.setattr(watching, "_BOOKMARK_EVERY", 0.02)
    monkeypatch.setattr(watching, "_BATCH", 3)
    monkeypatch.setattr(listing, "_STORE_PAGE", 3)
    monkeypatch.setitem(watcher.Watcher.__init__.__kwdefaults__, "max_events", 10)
