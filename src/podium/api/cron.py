"""Schedules of CronJobs, read as upstream's library (robfig/cron v3) reads them. Pure."""

from __future__ import annotations

import re

import msgspec

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()
_NAMED = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_DURATION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|[+-]?0")


class _Bounds(msgspec.Struct, frozen=True):
    least: int
    most: int
    names: dict[str, int] = msgspec.field(default_factory=dict)


_FIELDS = (
    _Bounds(0, 59),
    _Bounds(0, 23),
    _Bounds(1, 31),
    _Bounds(1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Bounds(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def check(schedule: str) -> None:
    """Raise ValueError, in the library's words, for what is no schedule."""
    if not schedule:
        raise ValueError("empty spec string")
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        schedule = schedule.partition(" ")[2].strip()
    if schedule.startswith("@"):
        _check_descriptor(schedule)
        return
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
        )
    for text, bounds in zip(fields, _FIELDS, strict=True):
        for each in filter(None, text.split(",")):
            _check_range(each, bounds)


def _check_descriptor(text: str) -> None:
    if text in _NAMED:
        return
    if text.startswith("@every "):
        duration = text.removeprefix("@every ")
        if not _DURATION.fullmatch(duration):
            raise ValueError(
                f'failed to parse duration {text}: time: invalid duration "{duration}"'
            )
        return
    raise ValueError(f"unrecognized descriptor: {text}")


def _check_range(text: str, bounds: _Bounds) -> None:
    """``2``, ``*``, ``1-5``, each with ``/step`` or without."""
    spread, *steps = text.split("/")
    low, *rest = spread.split("-")
    if low in ("*", "?"):
        start, end = bounds.least, bounds.most
    else:
        start = _number(low, bounds.names)
        if len(rest) > 1:
            raise ValueError(f"too many hyphens: {text}")
        end = _number(rest[0], bounds.names) if rest else start
    step = 1
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    if steps:
        step = _number(steps[0], {})
        end = end if rest else bounds.most  # "N/step" goes on to the end
    if start < bounds.least:
        raise ValueError(f"beginning of range ({start}) below minimum ({bounds.least}): {text}")
    if end > bounds.most:
        raise ValueError(f"end of range ({end}) above maximum ({bounds.most}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise ValueError(f"failed to parse int from {text}: {why}")
    number = int(text)
    if abs(number) >= 1 << 63:
        why = f'strconv.Atoi: parsing "{text}": value out of range'
        raise ValueError(f"failed to parse int from {text}: {why}")
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
