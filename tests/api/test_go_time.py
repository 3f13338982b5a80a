"""Times as text."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import go_time

LAYOUT = "2006-01-02T15:04:05Z07:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05.999999999Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05+05:30", datetime(2024, 1, 1, 21, 34, 5, tzinfo=UTC)),
        ("2024-12-31T23:04:05-01:00", datetime(2025, 1, 1, 0, 4, 5, tzinfo=UTC)),
    ],
)
def test_parse_time(text, expected):
    assert go_time.parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", f' as "{LAYOUT}": cannot parse "" as "2006"'),
        ("yesterday", f' as "{LAYOUT}": cannot parse "yesterday" as "2006"'),
        ("2024/01/02", f' as "{LAYOUT}": cannot parse "/01/02" as "-"'),
        ("2024-01-02", f' as "{LAYOUT}": cannot parse "" as "T"'),
        ("2024-01-02 03:04:05Z", f' as "{LAYOUT}": cannot parse " 03:04:05Z" as "T"'),
        ("2024-01-02T03:04:05", f' as "{LAYOUT}": cannot parse "" as "Z07:00"'),
        ("2024-13-02T03:04:05Z", ": month out of range"),
        ("2024-02-30T03:04:05Z", ": day out of range"),
        ("2024-01-02T24:04:05Z", ": hour out of range"),
        ("2024-01-02T03:60:05Z", ": minute out of range"),
        ("2024-01-02T03:04:60Z", ": second out of range"),
        ("2024-01-02T03:04:05Zx", ': extra text: "x"'),
        ("٢٠٢٤-01-02T03:04:05Z", f' as "{LAYOUT}": cannot parse "٢٠٢٤-01-02T03:04:05Z" as "2006"'),
    ],
)
def test_what_is_no_time(text, why):
    with pytest.raises(ValueError) as failure:  # noqa: PT011 - the whole text is compared
        go_time.parse_time(text)
    assert str(failure.value) == f'parsing time "{text}"{why}'


def test_a_micro_time_has_six_digits():
    text = "2024-01-02T03:04:05.000006Z"
    assert go_time.format_micro_time(go_time.parse_micro_time(text)) == text
    with pytest.raises(ValueError, match=r'cannot parse "Z" as "\.000000"'):
        go_time.parse_micro_time("2024-01-02T03:04:05Z")


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))


@given(MOMENTS, OFFSETS)
def test_text_and_back(moment, offset):
    aware = moment.replace(tzinfo=UTC)
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "-" if offset < timedelta() else "+"
    local = (moment + offset).isoformat(timespec="microseconds")
    text = f"{local}{sign}{hours:02}:{minutes:02}"
    assert go_time.parse_micro_time(text) == aware
    assert go_time.parse_time(text) == aware.replace(microsecond=0)
    assert go_time.parse_time(go_time.format_time(aware)) == aware.replace(microsecond=0)
    assert go_time.parse_micro_time(go_time.format_micro_time(aware)) == aware
