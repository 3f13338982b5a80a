"""How many requests of whom may be under way at a time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from podium.api.user import ANONYMOUS, UserInfo
from podium.apiserver import inflight
from podium.apiserver.inflight import InFlight, TooManyRequests, level
from podium.apiserver.paths import Query, parse
from support.apiserver import running_apiserver

LIST = parse("GET", "/api/v1/pods", Query(""))
WATCH = parse("GET", "/api/v1/pods", Query("watch=1"))
ALICE = UserInfo("alice", ("system:authenticated",))
BOB, CAROL = (UserInfo(name, ALICE.groups) for name in ("bob", "carol"))
ADMIN = UserInfo("admin", ("system:masters",))
NODE = UserInfo("system:node:n", ("system:nodes",))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (ADMIN, "exempt"),
        (NODE, "system"),
        (UserInfo("system:kube-scheduler"), "system"),
        (UserInfo("system:serviceaccount:a:b", ("system:serviceaccounts",)), "workload"),
        (ALICE, "default"),
        (ANONYMOUS, "anonymous"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_level(user, expected):
    assert level(user) == expected


def test_only_the_same_class_and_kind_of_request_is_turned_away():
    counts = InFlight({"default": 1, "system": 1}, {"default": 1})  # half of one is one
    with ExitStack() as held:
        held.enter_context(counts.admitted(ALICE, LIST))
        with pytest.raises(TooManyRequests), counts.admitted(ALICE, LIST):
            pass
        for user, info in ((ALICE, WATCH), (NODE, LIST), (ADMIN, LIST), (ADMIN, LIST)):
            held.enter_context(counts.admitted(user, info))
    with counts.admitted(ALICE, LIST):  # the first has ended
        pass


def test_one_user_leaves_half_of_the_places_to_the_others_of_the_class():
    counts = InFlight({"default": 4}, {})
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(counts.admitted(ALICE, LIST))
        with pytest.raises(TooManyRequests), counts.admitted(ALICE, LIST):
            pass
        for _ in range(2):
            held.enter_context(counts.admitted(BOB, LIST))
        with pytest.raises(TooManyRequests), counts.admitted(CAROL, LIST):
            pass
    with counts.admitted(ALICE, LIST):
        pass
    assert not counts.users  # nobody is remembered who has nothing under way


def test_the_places_of_those_without_a_name_are_one_users():
    counts = InFlight({"anonymous": 2}, {})
    with counts.admitted(ANONYMOUS, LIST), counts.admitted(ANONYMOUS, LIST):
        assert counts.users == {(ANONYMOUS.name, False): 2}
        with pytest.raises(TooManyRequests), counts.admitted(ANONYMOUS, LIST):
            pass


async def test_who_is_turned_away_is_told_when_to_come_again(tmp_path, monkeypatch):
    monkeypatch.setitem(inflight.SHORT, "default", 0)
    async with running_apiserver(tmp_path) as api, api.session("alice", ()) as session:
        async with session.get("/version") as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "1")
            assert await response.text() == "Too many requests, please try again later.\n"
        async with api.session() as admin:
            async with admin.get("/version") as response:
                assert response.status == 200
            async with admin.get("/metrics") as response:
                lines = (await response.text()).splitlines()
    [counted] = [line for line in lines if line.startswith("apiserver_request_terminations_total{")]
    assert 'code="429"' in counted
    assert counted.endswith(" 1.0")
