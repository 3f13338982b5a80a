"""Schedules of CronJobs."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import cron


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 0-23 1,15 jan-DEC sun",
        "0 0 ? * 1-5/2",
        "5/10 * * * *",
        "@hourly",
        "@every 1h30m",
        "CRON_TZ=Asia/Tokyo 0 6 * * *",
        " 1  2\t3 4 5 ",
    ],
)
def test_schedules(schedule: str) -> None:
    cron.check(schedule)


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("", "empty spec string"),
        ("x", "expected exactly 5 fields, found 1: [x]"),
        ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("* * * foo *",
         'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'),
        ("-1 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        ("@every day",
         'failed to parse duration @every day: time: invalid duration "day"'),
    ],
)  # fmt: skip
def test_what_is_none(schedule: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        cron.check(schedule)
    assert str(refused.value) == why


@given(st.text("*/-,?0123456789 @abJAN=", max_size=20))
def test_no_text_does_anything_else(text: str) -> None:
    with suppress(ValueError):
        cron.check(text)
