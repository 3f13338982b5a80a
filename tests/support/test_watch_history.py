"""Every guarantee of ``watch_history`` finds what breaks it, and nothing in a history that keeps
all of them."""

from __future__ import annotations

import pytest

from support.watch_history import History, Listed, State, Told, Version, Wants, Watch, Write
from support.watch_history import offences as all_offences

A, B, C = "one/a", "one/b", "two/c"
X, Y = "x", "y"

HISTORY = History(
    [
        Write(1, A, State(X, "1")),
        Write(2, C, State(X, "2")),
        Write(4, B, State(Y, "4")),
        Write(6, A, State(Y, "6")),
        Write(7, C, None),
        Write(9, A, State(X, "9")),
        Write(11, B, State(X, "11")),
        Write(12, A, None),
    ]
)
ALL = Wants()
A1 = Told("ADDED", 1, A, State(X, "1"))
C2 = Told("ADDED", 2, C, State(X, "2"))
B4 = Told("ADDED", 4, B, State(Y, "4"))
A6 = Told("MODIFIED", 6, A, State(Y, "6"))
C7 = Told("DELETED", 7, C, State(X, "2"))
A9 = Told("MODIFIED", 9, A, State(X, "9"))
B11 = Told("MODIFIED", 11, B, State(X, "11"))
A12 = Told("DELETED", 12, A, State(X, "9"))


def mark(revision: int) -> Told:
    return Told("BOOKMARK", revision)


def end_of_initial(revision: int) -> Told:
    return Told("BOOKMARK", revision, ends_initial=True)


def refused(revision: int) -> Told:
    return Told("ERROR", revision)


def broken(seen: Watch | Listed, compacted: int = 0) -> set[str]:
    watches = [seen] if isinstance(seen, Watch) else []
    lists = [seen] if isinstance(seen, Listed) else []
    return set(all_offences(HISTORY, watches, lists, compacted))


def behind(after: int, *told: Told, wants: Wants = ALL) -> Watch:
    return Watch(wants, after=after, told=list(told))


def streamed(*told: Told, acknowledged: int = 0, wants: Wants = ALL) -> Watch:
    return Watch(wants, marked=True, acknowledged=acknowledged, told=list(told))


def unmarked(*told: Told, acknowledged: int = 0, wants: Wants = ALL) -> Watch:
    return Watch(wants, acknowledged=acknowledged, told=list(told))


def moved(told: Told, revision: int) -> Told:
    return Told("ADDED", revision, told.key, told.state)


def test_what_a_selector_makes_of_writes() -> None:
    app_x = HISTORY.told(Wants(app=X))
    assert [(told.type, told.revision) for told in app_x] == [
        ("ADDED", 1),
        ("ADDED", 2),
        ("DELETED", 6),
        ("DELETED", 7),
        ("ADDED", 9),
        ("ADDED", 11),
        ("DELETED", 12),
    ]
    assert app_x[2].state == State(X, "1")  # as it was when it matched
    assert [told.revision for told in HISTORY.told(Wants(namespace="two"))] == [2, 7]
    assert [told.revision for told in HISTORY.told(Wants(name="b"))] == [4, 11]
    assert HISTORY.state(Wants(app=Y), 8) == [
        Version(A, 6, State(Y, "6")),
        Version(B, 4, State(Y, "4")),
    ]


@pytest.mark.parametrize(
    "watch",
    [
        pytest.param(behind(0, A1, C2, B4, A6, C7, A9, B11, A12), id="whole"),
        pytest.param(behind(2, B4, A6, mark(6), C7, mark(8), mark(8), A9), id="bookmarks"),
        pytest.param(behind(6), id="nothing-told"),
        pytest.param(
            behind(3, Told("DELETED", 6, A, State(X, "1")), C7, wants=Wants(app=X)), id="selector"
        ),
        pytest.param(streamed(A1, B4, C2, end_of_initial(5), A6, mark(6)), id="streamed"),
        pytest.param(streamed(A1, B4), id="streamed-broken-off"),
        pytest.param(unmarked(moved(A6, 6), B4, C2, C7, A9), id="from-what-is-there"),
        pytest.param(unmarked(moved(A6, 6), B4), id="from-what-is-there-broken-off"),
        pytest.param(unmarked(moved(A9, 9), acknowledged=10, wants=Wants(app=X)), id="fresh"),
    ],
)
def test_watches_that_keep_every_guarantee(watch: Watch) -> None:
    assert broken(watch) == set()


@pytest.mark.parametrize(
    ("guarantee", "watch"),
    [
        pytest.param("ordered", behind(0, A1, C2, A6, B4), id="order-of-writes"),
        pytest.param("ordered", behind(0, A1, C2, B4, mark(2)), id="bookmark-goes-back"),
        pytest.param("ordered", streamed(A1, C2, end_of_initial(2), A6, B4), id="behind-initial"),
        pytest.param("unique", behind(0, A1, C2, C2, B4), id="told-twice"),
        pytest.param("unique", streamed(A1, C2, end_of_initial(2), C2), id="initial-told-again"),
        pytest.param(
            "filtered",
            behind(4, Told("ADDED", 6, A, State(Y, "6"))),
            id="wrong-type",
        ),
        pytest.param(
            "filtered",
            behind(4, Told("MODIFIED", 6, A, State(Y, "9"))),
            id="wrong-content",
        ),
        pytest.param(
            "filtered",
            behind(4, Told("DELETED", 6, A, State(Y, "6")), wants=Wants(app=X)),
            id="deleted-not-as-it-matched",
        ),
        pytest.param(
            "filtered", behind(1, C2, B4, wants=Wants(namespace="two")), id="other-namespace"
        ),
        pytest.param("filtered", behind(2, Told("ADDED", 3, B, State(Y, "4"))), id="no-write"),
        pytest.param("reliable", behind(0, A1, C2, A6), id="one-missing"),
        pytest.param("reliable", streamed(A1, C2, end_of_initial(3), B4, C7), id="missing-later"),
        pytest.param("resumable", behind(2, A6, C7), id="first-missing"),
        pytest.param("resumable", behind(4, B4, A6), id="first-known-already"),
        pytest.param("resumable", streamed(A1, C2, end_of_initial(3), A6), id="gap-behind-initial"),
        pytest.param("bookmarkable", behind(4, mark(7), A6), id="told-after-its-bookmark"),
        pytest.param("bookmarkable", behind(4, A6, mark(8)), id="bookmark-too-early"),
        pytest.param("initial", streamed(A1, end_of_initial(3)), id="one-not-there"),
        pytest.param("initial", streamed(A1, C2, B4, end_of_initial(3)), id="one-that-came-later"),
        pytest.param("initial", streamed(A1, C2, end_of_initial(6)), id="old-version"),
        pytest.param("initial", unmarked(A1, B4, A6), id="never-was-so"),
        pytest.param("initial", unmarked(A1, C2, B4, C7), id="a-gap-behind-what-was-there"),
        pytest.param(
            "fresh", streamed(A1, C2, end_of_initial(3), acknowledged=4), id="behind-a-write"
        ),
        pytest.param("fresh", unmarked(A1, C2, B4, acknowledged=6), id="unmarked-behind-a-write"),
        pytest.param("expired", behind(4, refused(4)), id="nothing-forgotten"),
    ],
)
def test_what_breaks_a_guarantee_is_found(guarantee: str, watch: Watch) -> None:
    assert guarantee in broken(watch)


def test_a_past_that_is_forgotten_may_be_refused() -> None:
    assert broken(behind(4, refused(4)), compacted=5) == set()
    assert broken(behind(5, refused(5)), compacted=5) == {"expired"}
    assert broken(streamed(refused(0)), compacted=5) == {"expired"}


AT_FOUR = [
    Version(A, 1, State(X, "1")),
    Version(B, 4, State(Y, "4")),
    Version(C, 2, State(X, "2")),
]


def test_lists_that_keep_every_guarantee() -> None:
    assert broken(Listed(ALL, 4, AT_FOUR, acknowledged=4)) == set()
    assert broken(Listed(ALL, 5, AT_FOUR, exact=5)) == set()
    assert broken(Listed(Wants(app=X), 5, [AT_FOUR[0], AT_FOUR[2]])) == set()


@pytest.mark.parametrize(
    ("guarantee", "listed"),
    [
        pytest.param("atomic", Listed(ALL, 4, AT_FOUR[:2]), id="one-missing"),
        pytest.param("atomic", Listed(ALL, 3, AT_FOUR), id="one-of-the-future"),
        pytest.param("atomic", Listed(ALL, 6, AT_FOUR), id="one-out-of-date"),
        pytest.param("atomic", Listed(ALL, 4, [*AT_FOUR, AT_FOUR[0]]), id="one-twice"),
        pytest.param("atomic", Listed(ALL, 4, AT_FOUR[::-1]), id="out-of-order"),
        pytest.param("atomic", Listed(ALL, 4, AT_FOUR, exact=5), id="another-revision"),
        pytest.param("atomic", Listed(Wants(app=X), 4, AT_FOUR), id="not-selected"),
        pytest.param("fresh", Listed(ALL, 4, AT_FOUR, acknowledged=6), id="behind-a-write"),
    ],
)
def test_what_breaks_a_guarantee_of_lists_is_found(guarantee: str, listed: Listed) -> None:
    assert guarantee in broken(listed)
