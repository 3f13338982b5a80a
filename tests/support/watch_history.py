"""What was written, what clients were told, and what Kubernetes promises about the two.

Each guarantee is a pure function that returns, as texts, what breaks it; no text, no offence. They
are those that etcd's robustness tests check of watches (ordered, unique, reliable, resumable,
bookmarkable, atomic) and those that Kubernetes adds (filtered, initial, fresh, expired).

``History`` is made of what the writers were told of their own writes, and of nothing that a watch
or a list has shown.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

Offences = list[str]


@dataclass(frozen=True)
class State:
    """An object as a write left it: the label that selectors ask for, and its content."""

    app: str
    content: str


@dataclass(frozen=True)
class Version:
    """An object at a revision; ``key`` is ``namespace/name``."""

    key: str
    revision: int
    state: State


@dataclass(frozen=True)
class Write:
    """``state`` is None where the object was deleted."""

    revision: int
    key: str
    state: State | None


@dataclass(frozen=True)
class Wants:
    """What a list or watch asks for; "" asks for any."""

    namespace: str = ""
    name: str = ""
    app: str = ""

    def match(self, key: str, state: State | None) -> bool:
        namespace, _, name = key.partition("/")
        return (
            state is not None
            and self.namespace in ("", namespace)
            and self.name in ("", name)
            and self.app in ("", state.app)
        )


@dataclass(frozen=True)
class Told:
    """One event: ADDED, MODIFIED, DELETED, BOOKMARK (``ends_initial``: the one behind the initial
    events) or ERROR, whose revision is the one that was asked for."""

    type: str
    revision: int
    key: str = ""
    state: State | None = None
    ends_initial: bool = False

    @property
    def is_change(self) -> bool:
        return self.type in ("ADDED", "MODIFIED", "DELETED")


@dataclass(eq=False)
class Watch:
    """One connection. It begins behind ``after``; or, with None, with what is there: then
    ``marked`` says that a bookmark ends that part, and ``acknowledged`` is a revision that what is
    there must have reached. ``told`` is what came, in its order."""

    wants: Wants
    after: int | None = None
    marked: bool = False
    acknowledged: int = 0
    told: list[Told] = field(default_factory=list)

    @property
    def changes(self) -> list[Told]:
        return [told for told in self.told if told.is_change]


@dataclass(eq=False)
class Listed:
    """One list, its pages joined. ``exact``: as of that revision; else at least as new as
    ``acknowledged``."""

    wants: Wants
    revision: int
    items: list[Version]
    exact: int | None = None
    acknowledged: int = 0


class History:
    """All writes, in the order of their revisions."""

    def __init__(self, writes: Iterable[Write]) -> None:
        self.writes = sorted(writes, key=lambda write: write.revision)
        self._before: list[State | None] = []
        present: dict[str, State | None] = {}
        for write in self.writes:
            self._before.append(present.get(write.key))
            present[write.key] = write.state
        self._told: dict[Wants, list[Told]] = {}

    def told(self, wants: Wants) -> list[Told]:
        """Return what a watch of *wants* from the beginning is told."""
        if wants not in self._told:
            changes = map(_event, itertools.repeat(wants), self.writes, self._before)
            self._told[wants] = [told for told in changes if told is not None]
        return self._told[wants]

    def states(self, wants: Wants) -> Iterator[tuple[int, list[Version]]]:
        """Yield each revision, 0 included, with what *wants* matches then, by key."""
        present: dict[str, Version] = {}
        yield 0, []
        for write in self.writes:
            if write.state is not None and wants.match(write.key, write.state):
                present[write.key] = Version(write.key, write.revision, write.state)
            else:
                present.pop(write.key, None)
            yield write.revision, [present[key] for key in sorted(present)]

    def state(self, wants: Wants, revision: int) -> list[Version]:
        """Return what *wants* matches as of *revision*, by key."""
        reached = itertools.takewhile(lambda at: at[0] <= revision, self.states(wants))
        return list(reached)[-1][1]

    def last(self, wants: Wants) -> int:
        """Return the revision of the last write that a watch of *wants* is told of."""
        told = self.told(wants)
        return told[-1].revision if told else 0


def _event(wants: Wants, write: Write, before: State | None) -> Told | None:
    was, now = wants.match(write.key, before), wants.match(write.key, write.state)
    if now:
        return Told("MODIFIED" if was else "ADDED", write.revision, write.key, write.state)
    return Told("DELETED", write.revision, write.key, before) if was else None


# ---------------------------------------------------------------------- where a watch begins


@dataclass(frozen=True)
class Begun:
    """What was there came as the first *initial* changes of the watch, as of *revision*."""

    revision: int
    initial: int


@lru_cache(maxsize=8)
def begun(watch: Watch, history: History) -> Begun | None:
    """Return where *watch* begins; None where nothing explains its beginning, or where it ended
    before that was told."""
    if watch.after is not None:
        return Begun(watch.after, 0)
    if watch.marked:
        changes = 0
        for told in watch.told:
            if told.ends_initial:
                return Begun(told.revision, changes)
            changes += told.is_change
        return None
    return _explained(watch, history)


def _explained(watch: Watch, history: History) -> Begun | None:
    """Find the last revision whose state, and what follows it, is what *watch* was told."""
    found: Begun | None = None
    changes, expected = watch.changes, history.told(watch.wants)
    for revision, state in history.states(watch.wants):
        if changes[: len(state)] != _added(state)[: len(changes)]:
            continue
        rest = changes[len(state) :]
        if rest == [told for told in expected if told.revision > revision][: len(rest)]:
            found = Begun(revision, min(len(state), len(changes)))
    return found


def _added(state: Sequence[Version]) -> list[Told]:
    return [Told("ADDED", found.revision, found.key, found.state) for found in state]


def _live(watch: Watch, history: History) -> list[Told]:
    """Return the changes that came behind what was there."""
    start = begun(watch, history)
    return watch.changes[start.initial :] if start else []


def _revisions(watch: Watch, history: History) -> Iterator[Told]:
    """Yield the changes and bookmarks that came behind what was there."""
    start = begun(watch, history)
    left = start.initial if start else len(watch.told)
    for told in watch.told:
        if told.is_change and left:
            left -= 1
        elif told.type != "ERROR":
            yield told


# ---------------------------------------------------------------------- the guarantees of a watch


def ordered(watch: Watch, history: History) -> Offences:
    """Revisions never go back, those of bookmarks included."""
    return [
        f"{second} after {first}"
        for first, second in itertools.pairwise(_revisions(watch, history))
        if second.revision < first.revision
    ]


def unique(watch: Watch, history: History) -> Offences:
    """No write is told twice."""
    seen: set[tuple[str, int]] = set()
    found = []
    for told in watch.changes:
        if (told.key, told.revision) in seen:
            found.append(f"twice: {told}")
        seen.add((told.key, told.revision))
    return found


def filtered(watch: Watch, history: History) -> Offences:
    """What is told is a write to what was asked for, as it was written, and says rightly whether
    the object came, changed or went, as far as the watch is concerned."""
    expected = {told.revision: told for told in history.told(watch.wants)}
    return [
        f"{told} instead of {expected.get(told.revision)}"
        for told in _live(watch, history)
        if told != expected.get(told.revision)
    ]


def reliable(watch: Watch, history: History) -> Offences:
    """Between two writes that are told, none is left out."""
    live = _live(watch, history)
    if not live:
        return []
    seen = {told.revision for told in live}
    first, last = live[0].revision, live[-1].revision
    return [
        f"missing: {told}"
        for told in history.told(watch.wants)
        if first < told.revision < last and told.revision not in seen
    ]


def resumable(watch: Watch, history: History) -> Offences:
    """The first write that is told is the first one behind where the watch begins."""
    start, live = begun(watch, history), _live(watch, history)
    if start is None or not live:
        return []
    first = next(
        (told for told in history.told(watch.wants) if told.revision > start.revision), None
    )
    return [] if first == live[0] else [f"begins with {live[0]}, not with {first}"]


def bookmarkable(watch: Watch, history: History) -> Offences:
    """A bookmark says that all writes up to its revision have been told; none comes later."""
    start = begun(watch, history)
    found = []
    seen: set[int] = set()
    expected, upto = history.told(watch.wants), 0
    for told in watch.told:
        if told.type == "BOOKMARK":
            upto = told.revision
            found += [
                f"not told before {told}: {one}"
                for one in expected
                if start and start.revision < one.revision <= upto and one.revision not in seen
            ]
        elif told.is_change:
            if told.revision <= upto:
                found.append(f"{told} after a bookmark at {upto}")
            seen.add(told.revision)
    return found


def initial(watch: Watch, history: History) -> Offences:
    """What is there is told as ADDED events, all of it as of one revision."""
    if watch.after is not None:
        return []
    start = begun(watch, history)
    if start is None:
        return [] if watch.marked else [f"no state begins with {watch.changes[:3]}..."]
    told = sorted(watch.changes[: start.initial], key=lambda one: one.key)
    expected = _added(history.state(watch.wants, start.revision))
    if not watch.marked:  # it may have ended before all was told
        expected = expected[: len(told)]
    return [] if told == expected else [f"at {start.revision}: {told}, there was {expected}"]


def fresh(seen: Watch | Listed, history: History) -> Offences:
    """What is shown as present is not older than what had been acknowledged when it was asked
    for."""
    if isinstance(seen, Listed):
        return _not_older(seen.revision, seen.acknowledged)
    if seen.after is not None:
        return []
    start = begun(seen, history)
    if start is None:
        return []
    if not seen.marked:  # its revision is not told: any later one with the same state is meant
        later = [told.revision for told in history.told(seen.wants)]
        behind = next((at for at in later if at > start.revision), None)
        if behind is None or behind > seen.acknowledged:
            return []
    return _not_older(start.revision, seen.acknowledged)


def _not_older(revision: int, acknowledged: int) -> Offences:
    return [f"as of {revision}, behind {acknowledged}"] if revision < acknowledged else []


def expired(watch: Watch, compacted: int) -> Offences:
    """A past is refused only where it is forgotten: before the revision *compacted* to."""
    errors = [told for told in watch.told if told.type == "ERROR"]
    found = [f"{watch.after} refused, compacted to {compacted}" for _ in errors]
    return found if watch.after is None or watch.after >= compacted else []


# ---------------------------------------------------------------------- and of a list


def atomic(listed: Listed, history: History) -> Offences:
    """A list, all its pages together, is the state as of its revision, the one asked for."""
    found = []
    if listed.exact not in (None, listed.revision):
        found.append(f"as of {listed.revision}, not {listed.exact}")
    expected = history.state(listed.wants, listed.revision)
    if listed.items != expected:
        found.append(f"at {listed.revision}: {listed.items}, there was {expected}")
    return found


# ---------------------------------------------------------------------- all together

OF_WATCHES = (ordered, unique, filtered, reliable, resumable, bookmarkable, initial, fresh)
OF_LISTS = (atomic, fresh)


def offences(
    history: History, watches: Iterable[Watch], lists: Iterable[Listed], compacted: int
) -> Mapping[str, Offences]:
    """Return what breaks each guarantee, by its name."""
    found: dict[str, Offences] = {}

    def note(name: str, texts: Offences) -> None:
        if texts:
            found.setdefault(name, []).extend(texts)

    for watch in watches:
        for guarantee in OF_WATCHES:
            note(guarantee.__name__, guarantee(watch, history))
        note("expired", expired(watch, compacted))
    for listed in lists:
        for of_list in OF_LISTS:
            note(of_list.__name__, of_list(listed, history))
    return found
