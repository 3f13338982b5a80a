"""Logs that are read over several connections come as over one."""

from __future__ import annotations

import pytest

from podium.kubectl.log_place import Place

#: Several lines of a moment, one of the same microsecond, empty ones, one that has no end yet.
LOG = b"""\
2025-01-13T07:30:01.000000000Z one
2025-01-13T07:30:02.000000000Z two
2025-01-13T07:30:02.000000000Z two
2025-01-13T07:30:02.000000900Z and  more
2025-01-13T07:30:03.000000000Z\x20
2025-01-13T07:30:03.000000000Z\x20
2025-01-13T07:30:04.123456789+01:00 of a node elsewhere
2025-01-13T07:30:05.000000000Z no end"""
SHOWN = b"".join(line.split(b" ", 1)[1] for line in LOG.splitlines(keepends=True))


def since(moment: str) -> bytes:
    """What a server sends that compares to the microsecond."""
    lines = LOG.splitlines(keepends=True)
    return b"".join(line for line in lines if line[:26] >= moment[:26].encode())


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_whatever_pieces_it_comes_in(times: bool, step: int):
    place = Place(times=times)
    pieces = [place.feed(LOG[at : at + step]) for at in range(0, len(LOG), step)]
    assert b"".join(pieces) == (LOG if times else SHOWN)
    assert place.moment == "2025-01-13T07:30:05.000000Z"


@pytest.mark.parametrize("times", [False, True])
def test_wherever_the_connection_is_lost(times: bool):
    """Twice, at any two bytes: nothing is lost and nothing comes twice."""
    for first in range(len(LOG) + 1):
        for second in range(0, len(LOG) + 1, 23):
            place = Place(times=times)
            shown = place.feed(LOG[:first])
            place.resume()
            shown += place.feed(since(place.moment)[:second])
            place.resume()
            shown += place.feed(since(place.moment))
            assert shown == (LOG if times else SHOWN), (first, second)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_what_a_server_says_of_a_log_has_no_time(step: int):
    place, said = Place(times=False), b"unable to retrieve\nit\n" + LOG[:70]
    pieces = [place.feed(said[at : at + step]) for at in range(0, len(said), step)]
    assert b"".join(pieces) == b"unable to retrieve\nit\none\ntwo\n"
    assert place.moment == "2025-01-13T07:30:02.000000Z"
