"""``metav1.Time`` and ``MicroTime`` as text: parsed and refused as Go's ``time.Parse`` does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SECONDS = "2006-01-02T15:04:05Z07:00"
MICROSECONDS = "2006-01-02T15:04:05.000000Z07:00"

_HEAD = (
    ("2006", re.compile(r"\d{4}", re.ASCII)),
    ("-", re.compile("-")),
    ("01", re.compile(r"\d\d", re.ASCII)),
    ("-", re.compile("-")),
    ("02", re.compile(r"\d\d", re.ASCII)),
    ("T", re.compile("T")),
    ("15", re.compile(r"\d\d?", re.ASCII)),
    (":", re.compile(":")),
    ("04", re.compile(r"\d\d", re.ASCII)),
    (":", re.compile(":")),
    ("05", re.compile(r"\d\d", re.ASCII)),
)
_LIMITS = ((2, "month", 1, 12), (4, "day", 1, 31), (6, "hour", 0, 23), (8, "minute", 0, 59),
           (10, "second", 0, 59))  # fmt: skip
_OPTIONAL_FRACTION = re.compile(r"[.,]\d+", re.ASCII)
_SIX_DIGITS = re.compile(r"[.,]\d{6}", re.ASCII)
_ZONE = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)


def parse_time(text: str) -> datetime:
    """Parse RFC 3339 text to whole seconds of UTC. Raises ValueError with Go's text."""
    return _parse(text, SECONDS).replace(microsecond=0)


def parse_micro_time(text: str) -> datetime:
    """Parse RFC 3339 text with exactly six digits of fraction. Raises ValueError with Go's text."""
    return _parse(text, MICROSECONDS)


def format_time(time: datetime) -> str:
    """``2006-01-02T15:04:05Z``"""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def format_micro_time(time: datetime) -> str:
    """``2006-01-02T15:04:05.000000Z``"""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _parse(text: str, layout: str) -> datetime:
    parts: list[str] = []
    at = 0

    def expect(element: str, pattern: re.Pattern[str]) -> str:
        nonlocal at
        match = pattern.match(text, at)
        if match is None:
            raise ValueError(
                f'parsing time "{text}" as "{layout}": cannot parse "{text[at:]}" as "{element}"'
            )
        at = match.end()
        return match[0]

    for index, (element, pattern) in enumerate(_HEAD):
        parts.append(expect(element, pattern))
        for position, name, low, high in _LIMITS:
            if position == index and not low <= int(parts[index]) <= high:
                raise ValueError(f'parsing time "{text}": {name} out of range')
    if layout == MICROSECONDS:
        fraction = expect(".000000", _SIX_DIGITS)
    else:
        found = _OPTIONAL_FRACTION.match(text, at)
        fraction = found[0] if found else ""
        at += len(fraction)
    zone = expect("Z07:00", _ZONE)
    if at != len(text):
        raise ValueError(f'parsing time "{text}": extra text: "{text[at:]}"')
    return _build(text, parts, fraction, zone)


def _build(text: str, parts: list[str], fraction: str, zone: str) -> datetime:
    year, month, day, hour, minute, second = (int(part) for part in parts[::2])
    micros = int((fraction[1:7] or "0").ljust(6, "0"))
    offset = timedelta()
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        if offset >= timedelta(hours=24) or int(zone[4:6]) > 59:
            raise ValueError(f'parsing time "{text}": time zone offset hour out of range')
    try:
        local = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
        return local + offset if zone[0] == "-" else local - offset
    except (ValueError, OverflowError):  # 30 February; years that a datetime cannot hold
        raise ValueError(f'parsing time "{text}": day out of range') from None
