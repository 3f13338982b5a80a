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
2025-01-13T07:30:02.500000000Z half
2025-01-13T07:30:03.000000000Z\x20
2025-01-13T07:30:03.000000000Z\x20
2025-01-13T07:30:04.123456789+01:00 of a node elsewhere
2025-01-13T07:30:05.000000000Z no end"""
SHOWN = b"".join(line.split(b" ", 1)[1] for line in LOG.splitlines(keepends=True))


#: How much of a time servers compare: ours to the microsecond, upstream's to the second.
MICROSECOND, SECOND = len("2025-01-13T07:30:02.000000"), len("2025-01-13T07:30:02")


def since(moment: str, precision: int) -> bytes:
    """What a server sends."""
    lines = LOG.splitlines(keepends=True)
    return b"".join(line for line in lines if line[:precision] >= moment[:precision].encode())


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_whatever_pieces_it_comes_in(times: bool, step: int):
    place = Place(times=times)
    pieces = [place.feed(LOG[at : at + step]) for at in range(0, len(LOG), step)]
    assert b"".join(pieces) == (LOG if times else SHOWN)
    assert place.moment == "2025-01-13T07:30:05.000000Z"


@pytest.mark.parametrize("precision", [MICROSECOND, SECOND])
@pytest.mark.parametrize("times", [False, True])
def test_wherever_the_connection_is_lost(times: bool, precision: int):
    """Twice, at any two bytes: nothing is lost and nothing comes twice."""
    for first in range(len(LOG) + 1):
        for second in range(0, len(LOG) + 1, 23):
            place = Place(times=times)
            shown = place.feed(LOG[:first])
            place.resume()
            shown += place.feed(since(place.moment, precision)[:second])
            place.resume()
            shown += place.feed(since(place.moment, precision))
            assert shown == (LOG if times else SHOWN), (first, second)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_what_a_server_says_of_a_log_has_no_time(step: int):
    place, said = Place(times=False), b"unable to retrieve\nit\n" + LOG[:70]
    pieces = [place.feed(said[at : at + step]) for at in range(0, len(said), step)]
    assert b"".join(pieces) == b"unable to retrieve\nit\none\ntwo\n"
    assert place.moment == "2025-01-13T07:30:02.000000Z"
